"""Which campaigns take too long for every run of the tests; `make campaigns` runs them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from treadle.runner.sockets import sweep

HERE = Path(__file__).parent
LONG = frozenset({"test_hostile_modules.py", "test_hostile_steps.py", "test_sabotage.py"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE and item.path.name in LONG:
            item.add_marker(pytest.mark.campaign)


@pytest.fixture(scope="session", autouse=True)
def swept() -> Iterator[None]:
    """What the last studio to be killed has left goes with the campaigns."""
    yield
    sweep()
