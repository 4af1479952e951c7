"""A step that forks: the copy of its worker does nothing of the worker's, and ends; processes made properly work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from processes.serving import Serving, parent_of, until

FLOWS = Path(__file__).parent / "fork_flows.py"
WORKERS = 1
FORKING = """
import os
from treadle import StartEvent, StopEvent, Workflow, step

if (pid := os.fork()) != 0:
    with open("import.pid", "w") as file:
        file.write(str(pid))


class Split(Workflow):
    @step
    async def tell(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=os.getpid())
"""


def fsck(serving):
    command = [sys.executable, "-m", "treadle", "fsck", "--json", "--database", str(serving.database)]
    told = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert json.loads(told.stdout)["findings"] == []


@pytest.mark.parametrize(
    ("workflow", "way"),
    [
        ("Forks", "returns"), ("Forks", "exits"), ("Forks", "sleeps"), ("Forks", "waits"), ("Forks", "tells"),
        ("Forks", "raises"), ("ForksInThread", "returns"),
    ],
)  # fmt: skip
def test_copy_of_a_worker_ends_where_it_comes_back_and_the_run_goes_on(mortal, workflow, way):
    (worker,) = mortal.worker_pids()
    known = len(mortal.marks("after"))
    run_id = mortal.begin(workflow, way=way)
    run = mortal.ended(run_id)
    (copy,) = mortal.marks("copies")[-1:]
    assert (run["status"], run["result"]) == ("completed", int(copy))
    until("the copy has ended", lambda: parent_of(int(copy)) is None)
    assert mortal.marks("after")[known:] == [str(worker)], "the step behind was done by the worker, once"
    assert mortal.worker_pids() == [worker]
    assert f"Process {copy}, which a step has forked from its worker, came back" in mortal.output
    fsck(mortal)


def test_copy_does_none_of_the_steps_that_were_to_begin(mortal):
    (worker,) = mortal.worker_pids()
    run = mortal.ended(mortal.begin("ForksAmong"))
    (copy,) = mortal.marks("copies")[-1:]
    until("the copy has ended", lambda: parent_of(int(copy)) is None)
    assert (run["status"], run["result"]) == ("completed", 190)
    assert mortal.marks("strands") == [str(worker)] * 20
    fsck(mortal)


@pytest.mark.parametrize(
    ("workflow", "way", "result"),
    [
        ("Spreads", "process", 42), ("Spreads", "pool", 42), ("Spreads", "subprocess", 42),
        ("Spreads", "terminated", -15), ("SpreadsInThread", "process", 42), ("SpreadsInThread", "terminated", -15),
    ],
)  # fmt: skip
def test_processes_that_a_step_makes_properly_work(mortal, workflow, way, result):
    workers = mortal.worker_pids()
    run = mortal.ended(mortal.begin(workflow, way=way))
    assert (run["status"], run["result"]) == ("completed", result)
    assert mortal.ended(mortal.begin("ForksAmong"))["status"] == "completed"
    assert mortal.worker_pids() == workers, "a signal to what a step has made is none to its worker"


def test_file_that_forks_where_it_is_imported_makes_no_second_worker(tmp_path):
    file = tmp_path / "forking.py"
    file.write_text(FORKING)
    studio = Serving(tmp_path, [file], workers=1)
    try:
        studio.start()
        (worker,) = until("the worker is there", studio.worker_pids)
        copy = int((tmp_path / "import.pid").read_text())
        until("the copy has ended", lambda: parent_of(copy) is None)
        assert [row["pid"] for row in studio.rows("SELECT pid FROM worker")] == [worker]
        assert studio.ended(studio.begin("Split"))["result"] == worker
    finally:
        studio.kill()
