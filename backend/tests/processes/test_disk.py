"""A disk that is full is waited for, one that is broken ends the worker; in both nothing is lost or done twice."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store.disks import fill, small_disk

from processes.serving import Serving, until

FLOWS = Path(__file__).parent / "flows.py"


@pytest.fixture(params=["tmpfs", "ext4"])
def studio(request, tmp_path):
    with small_disk(tmp_path, request.param) as disk:
        made = Serving(disk, [FLOWS])
        try:
            yield made
        finally:
            made.kill()


def entries(studio, run_id):
    return studio.rows("SELECT count(*) FROM entry WHERE run_id = ?", run_id)[0][0]


@pytest.mark.slow
@pytest.mark.parametrize("studio", ["ext4"], indirect=True)
def test_full_disk_refuses_new_runs_and_parks_the_others_until_there_is_room(studio):
    studio.start()
    until("both workers are there", lambda: len(studio.worker_pids()) == 2)
    runs = [studio.begin("Naps", naps=150, seconds=0.05) for _ in range(6)]
    asking = studio.begin("Asks")
    prompt = studio.prompt(asking)
    until("they are under way", lambda: all(entries(studio, run_id) > 3 for run_id in runs))
    ballast = fill(studio.folder)

    def refusal():
        answer = studio.ask("POST", "/workflows/Naps/runs", {"naps": 1})
        return answer if answer.status != 201 else None

    answer = until("a new run is refused", refusal)
    assert answer.status == 507, answer.text
    assert answer.json["code"] == "database_full"
    assert "disk of the database is full" in answer.json["message"]
    assert studio.ask("POST", prompt["url"] + "/response", {"response": "1"}).status == 507
    assert studio.ask("GET", "/health").json["status"] == "disk full"
    until("the worker says so", lambda: "The disk of the database is full: runs wait" in studio.output)
    before = [entries(studio, run_id) for run_id in runs]
    over = time.monotonic() + 12.0  # longer than a lease
    until("twelve seconds pass", lambda: time.monotonic() > over)
    assert [entries(studio, run_id) for run_id in runs] == before, "they are parked"
    assert {studio.run(run_id)["status"] for run_id in runs} == {"running"}, "pages are still answered"
    pids = studio.worker_pids()
    ballast.unlink()
    for run_id in runs:
        assert studio.ended(run_id)["result"] == "rested"
    assert studio.ended(studio.begin("Naps", naps=1))["result"] == "rested"
    assert studio.ask("POST", prompt["url"] + "/response", {"response": "1"}).status == 201
    assert studio.ended(asking)["result"] == 2
    assert sorted(studio.worker_pids()) == sorted(pids), "no worker had to leave"
    assert studio.rows("SELECT count(*) FROM entry WHERE kind = 'resumed'")[0][0] == 0, "nothing was done again"
    assert "Traceback" not in studio.output
    checked = subprocess.run(
        [sys.executable, "-m", "treadle", "fsck", "--database", str(studio.database)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_studio_does_not_start_on_a_full_disk_and_says_why(studio):
    studio.start()
    studio.stop()
    fill(studio.folder)
    ended = subprocess.run(studio.command, cwd=studio.folder, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert "full" in ended.stderr or "No space left" in ended.stderr


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no way to take a process's disk away here")
def test_worker_whose_writes_fail_leaves_with_one_line_and_another_goes_on(tmp_path):
    """A limit on the size of its files stands for the broken disk: what it writes fails, and not for want of room."""
    studio = Serving(tmp_path, [FLOWS], workers=1).start()
    try:
        (pid,) = until("the worker is there", studio.worker_pids)
        run_id = studio.begin("Naps", naps=100)
        until("it is under way", lambda: entries(studio, run_id) > 3)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, 4096))
        until("it leaves", lambda: f"(pid {pid}) ended: exit 74" in studio.output)
        assert studio.ended(run_id)["result"] == "rested"
        mine = [line for line in studio.output.splitlines() if "cannot be written" in line]
        assert len(mine) == 1, studio.output
        assert "disk I/O error (SQLITE_IOERR_WRITE)" in mine[0]
        assert "Traceback" not in studio.output
        assert studio.worker_pids() != [pid]
        (resumed,) = studio.rows("SELECT json_extract(payload, '$.crashed') FROM entry WHERE kind = 'resumed'")
        assert not resumed[0], "no step is to blame"
    finally:
        studio.kill()
