"""The migrations end where the tables are, and leave a newer database alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from treadle.errors import SettingsError
from treadle.resources import MIGRATIONS
from treadle.store import tables
from treadle.store.database import Database
from treadle.store.migrations import migrate


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'treadle.db'}")


def test_migrations_come_to_the_tables(database: Database) -> None:
    assert tables
    migrate(database, MIGRATIONS)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    assert migrate(database, MIGRATIONS) == migrate(database, MIGRATIONS)


def test_newer_database_is_refused_and_untouched(database: Database) -> None:
    migrate(database, MIGRATIONS)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from-the-future'")
    with pytest.raises(SettingsError, match=r"schema from-the-future, newer than this Treadle"):
        migrate(database, MIGRATIONS)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "from-the-future"


def test_connections_are_durable_and_distrust_the_schema(database: Database) -> None:
    with database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0}
