"""The folder in which the processes of a studio nudge each other: one for each, however often they are killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from processes.serving import Serving, until

FLOWS = Path(__file__).parent / "flows.py"


@pytest.fixture
def studio(tmp_path, place):
    made = Serving(tmp_path, [FLOWS], workers=1)
    try:
        yield made
    finally:
        made.kill()


def listening(folder):
    """Who listens in a folder, once a worker does."""
    until("a worker has come", lambda: list(folder.glob("worker-*.sock")))
    return {path.name.partition("-")[0] for path in folder.iterdir()}


def test_studio_that_was_killed_leaves_no_second_folder(studio, place):
    studio.start()
    (first,) = place.iterdir()
    assert listening(first) == {"web", "worker"}
    studio.kill()
    assert list(place.iterdir()) == [first], "nobody could take it away"
    studio.start()
    (second,) = place.iterdir()
    assert second != first
    assert listening(second) == {"web", "worker"}
    assert studio.ended(studio.begin("Naps", naps=2))["result"] == "rested"
    assert studio.stop() == 0
    assert list(place.iterdir()) == []


def test_studio_leaves_the_folder_of_another_alone(studio, place, tmp_path):
    studio.start()
    (first,) = place.iterdir()
    other = Serving(tmp_path / "other", [FLOWS], workers=1)
    other.folder.mkdir()
    try:
        other.start()
        assert first in set(place.iterdir())
        assert other.stop() == 0
    finally:
        other.kill()
    assert list(place.iterdir()) == [first]
    assert listening(first) == {"web", "worker"}


def test_worker_that_is_killed_leaves_nothing_of_its_own(studio, place):
    studio.start()
    (worker,) = until("a worker has come", studio.worker_pids)
    os.kill(worker, signal.SIGKILL)
    until("another has come", lambda: [pid for pid in studio.worker_pids() if pid != worker], seconds=60)
    assert len(list(place.iterdir())) == 1
