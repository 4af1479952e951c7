"""Which campaigns every run of the tests includes; `make campaigns` runs them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from treadle.runner.sockets import sweep

HERE = Path(__file__).parent
ALWAYS = frozenset({"test_journal.py", "test_kill.py", "test_lineage.py", "test_reader.py"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE and item.path.name not in ALWAYS:
            item.add_marker(pytest.mark.campaign)


@pytest.fixture(scope="session", autouse=True)
def swept() -> Iterator[None]:
    """What the last studio to be killed has left goes with the campaigns."""
    yield
    sweep()
