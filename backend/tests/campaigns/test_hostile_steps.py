"""Whatever a step does to its process: the studio answers, the bystanders finish, and the run ends with the truth."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from processes.serving import until

from campaigns.rig import RIG
from campaigns.studio import Studio

FLOWS = Path(__file__).parent / "hostile.py"
LATE = 1.0
"""Seconds that `/health` may take at worst; on a machine of our own it takes milliseconds."""
ENDS = {
    "Blocks": ("completed", "slept"),
    "Spins": ("completed", "dizzy"),
    "Exits": ("failed", "SystemExit"),
    "Interrupts": ("failed", "KeyboardInterrupt"),
    "Recurses": ("failed", "RecursionError"),
    "Leaks": ("completed", "leaked"),
    "Shouts": ("completed", "hoarse"),
    "Hoards": ("failed", "MemoryError"),
    "Wanders": ("completed", "nowhere"),
    "Forks": ("completed", "parent"),
    "ForksInThread": ("completed", "parent"),
    "Vanishes": ("interrupted", "StepCrashed"),
    "Segfaults": ("interrupted", "StepCrashed"),
    "Aborts": ("interrupted", "StepCrashed"),
    "Closes": ("interrupted", "StepCrashed"),
    "Cancels": ("interrupted", "WorkflowRuntimeError"),
}
"""How each of them ends: with this result, or this error."""


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    made = Studio(folder, [FLOWS], workers=2, environment={RIG: '{"memory": 2000}'}).start()
    yield made
    assert made.stop() == 0
    code, said = made.check()
    made.close()
    assert code == 0, said
    leftovers = made.nursery.children() if made.nursery else []
    assert not leftovers, "a process was left behind"


@contextmanager
def bystanders(studio, count=4):
    """Runs that are under way meanwhile, and finish; `/health` answers all the while."""
    over = threading.Event()
    slowest = [0.0]

    def watch():
        while not over.wait(0.05):
            answer = studio.ask("GET", "/health")
            slowest.append(answer.seconds if answer.status == 200 else float("inf"))

    until("both workers are there", lambda: len(studio.worker_pids()) == 2)
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        runs = [studio.begin("Bystander", tag="b", size=1) for _ in range(count)]
        yield
        for run_id in runs:
            assert studio.ended(run_id, seconds=60)["result"] == "rested"
    finally:
        over.set()
        thread.join()
    assert max(slowest) < LATE, f"/health took {max(slowest)} s"


@pytest.mark.parametrize("workflow", ENDS)
def test_step_harms_its_own_run_at_most(studio, workflow):
    status, word = ENDS[workflow]
    with bystanders(studio):
        run = studio.ended(studio.begin(workflow), seconds=60)
    assert run["status"] == status, run["error"]
    if status == "completed":
        assert run["result"] == word
    else:
        assert run["error"]["type"] == word
        assert run["error"]["step"] or status == "interrupted"
    assert studio.ended(studio.begin("Bystander", tag="a", size=1))["result"] == "rested"


def test_step_that_emits_without_end_stops_nobody_else(studio):
    with bystanders(studio):
        run = studio.ended(studio.begin("Floods", count=20_000), seconds=120)
    assert run["result"] == "flooded"
    assert run["entries"] > 20_000


def test_step_that_does_not_hear_a_cancellation_is_cancelled_all_the_same(studio):
    with bystanders(studio):
        run_id = studio.begin("Clings")
        until("it is under way", lambda: studio.run(run_id)["counts"].get("steps", {}).get("cling", {}).get("running"))
        assert studio.ask("POST", f"/runs/{run_id}/cancellation", {}).status == 202
        assert studio.ended(run_id)["status"] == "cancelled"
