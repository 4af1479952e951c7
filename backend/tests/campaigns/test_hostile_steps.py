"""Whatever a step does to its process: the studio answers, the bystanders finish, and the run ends with the truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.hostilities import LOST, SPARED, Hostilities
from campaigns.telling import show

SEED = 0
"""Nothing is drawn here: all of them, in their order."""


@pytest.fixture(scope="module")
def hostilities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostilities]:
    made = Hostilities(tmp_path_factory.mktemp("hostile"), floods=10_000)
    made.studio.start()
    yield made
    broken = made.end()
    show(SEED, made.counts, broken)
    assert not broken, "\n".join(broken)


def test_steps_that_leave_their_worker_alive_harm_nobody_else(hostilities: Hostilities) -> None:
    broken = hostilities.together(list(SPARED))
    assert not broken, "\n".join(broken)


def test_step_that_does_not_hear_a_cancellation_is_cancelled_all_the_same(hostilities: Hostilities) -> None:
    broken = hostilities.clinging()
    assert not broken, "\n".join(broken)


def test_interrupt_raised_by_a_step_is_its_failure(hostilities: Hostilities) -> None:
    broken = hostilities.together(["Interrupts"])
    assert not broken, "\n".join(broken)


def test_step_that_takes_all_memory_fails_alone(hostilities: Hostilities) -> None:
    broken = hostilities.together(["Hoards"], bystanders=2)
    assert not broken, "\n".join(broken)


def test_steps_that_take_their_worker_with_them_are_told_from_the_others_and_parked(hostilities: Hostilities) -> None:
    """Four at the same time: each crash hits all that share the worker, and only the guilty may be parked."""
    broken = hostilities.together(list(LOST))
    assert not broken, "\n".join(broken)


def test_folder_of_the_database_holds_no_more_than_the_database(hostilities: Hostilities, tmp_path: Path) -> None:
    """Nobody left anything beside it, whatever folder a step has changed to."""
    known = {"treadle.db", "treadle.db-wal", "treadle.db-shm", "treadle.lock", "side.log", "nursery.sock", "secret"}
    left = {path.name for path in hostilities.studio.folder.iterdir()} - known
    assert not {name for name in left if not name.startswith("backup")}, left
