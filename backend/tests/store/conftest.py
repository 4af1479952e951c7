"""A database full of runs, made once and copied for every test."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from store.remembering import Remembered, fill
from treadle.resources import MIGRATIONS
from treadle.store.database import Database
from treadle.store.migrations import migrate


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Remembered:
    file = tmp_path_factory.mktemp("remembered") / "treadle.db"
    database = Database(f"sqlite:///{file}", full=False)
    migrate(database, MIGRATIONS)
    ids = asyncio.run(fill(database))
    database.close()
    return Remembered(file, ids)


@pytest.fixture
def remembered(made: Remembered, tmp_path: Path) -> Remembered:
    shutil.copy(made.file, tmp_path / "treadle.db")
    return Remembered(tmp_path / "treadle.db", made.ids)
