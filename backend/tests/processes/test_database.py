"""A real studio and its database: one server to a file, looked at after a crash, checked, copied and pruned in use."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from processes.serving import Serving, until

FLOWS = Path(__file__).parent / "flows.py"


@pytest.fixture
def studio(tmp_path):
    """A studio of one's own, for who breaks its database."""
    made = Serving(tmp_path, [FLOWS], workers=1)
    try:
        yield made
    finally:
        made.kill()


def treadle(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "treadle", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def refused(studio: Serving) -> subprocess.CompletedProcess[str]:
    """A start that does not come to anything."""
    return subprocess.run(
        studio.command, cwd=studio.folder, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "COLUMNS": "400"},
    )  # fmt: skip


def test_second_server_leaves_at_once_and_names_the_first(serving):
    subprocess.run([sys.executable, "-m", "treadle", "--help"], capture_output=True, check=True)  # read from disk once
    began = time.monotonic()
    second = refused(serving)
    seconds = time.monotonic() - began
    assert second.returncode == 3
    assert serving.process is not None
    assert f"process {serving.process.pid}, at http://127.0.0.1:{serving.port}/" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert seconds < 2.0, f"it took {seconds:.1f} s"
    assert serving.ask("GET", "/health").status == 200


def test_second_server_is_told_of_one_that_only_starts(studio):
    first = subprocess.Popen(studio.command, cwd=studio.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        lock = studio.folder / "treadle.lock"
        until("the lock is taken", lambda: lock.exists() and lock.stat().st_size)
        second = refused(studio)
        assert second.returncode == 3
        assert f"process {first.pid}, at http://127.0.0.1:" in second.stderr
    finally:
        first.terminate()
        first.wait(30)


def test_clean_stop_leaves_one_file_and_no_mark(studio):
    studio.start()
    assert studio.ended(studio.begin("Naps", naps=2))["result"] == "rested"
    assert studio.stop() == 0
    assert {path.name for path in studio.folder.iterdir()} == {"secret", "treadle.db", "treadle.lock"}
    assert (studio.folder / "treadle.lock").read_text() == ""


def test_studio_that_was_killed_is_checked_and_goes_on(studio):
    studio.start()
    run_id = studio.begin("Naps", naps=100)
    studio.kill()
    assert f"at http://127.0.0.1:{studio.port}/" in (studio.folder / "treadle.lock").read_text()
    studio.start()
    assert studio.ended(run_id)["result"] == "rested"
    checked = treadle("fsck", "--database", studio.database)
    assert checked.returncode == 0, checked.stdout


def test_database_damaged_by_a_crash_is_not_served_until_somebody_mends_it(studio):
    studio.start()
    studio.ended(studio.begin("Naps", naps=2))
    studio.stop()
    good = studio.database.read_bytes()
    studio.start()
    studio.kill()
    (studio.folder / "treadle.db-wal").unlink()
    (studio.folder / "treadle.db-shm").unlink()
    studio.database.write_bytes(good)
    with closing(sqlite3.connect(studio.database)) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_run_created'").fetchall()
    with studio.database.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(os.urandom(4096))
    for _ in range(2):  # refusing it does not make it whole
        refusal = refused(studio)
        assert refusal.returncode == 2
        assert f"The database {studio.database} is damaged" in refusal.stderr
        assert "treadle fsck" in refusal.stderr
        assert len(refusal.stderr.splitlines()) == 1
    assert treadle("fsck", "--database", studio.database).returncode == 1
    studio.database.write_bytes(good)
    studio.start()
    assert studio.ended(studio.begin("Naps", naps=1))["result"] == "rested"


def test_old_database_is_served_and_a_copy_of_it_kept(studio):
    source = Path(__file__).resolve().parents[3] / "migrations"
    old = studio.folder / "old"
    shutil.copytree(source, old, ignore=shutil.ignore_patterns("__pycache__"))
    for path in sorted((old / "versions").glob("*.py"))[1:]:
        path.unlink()
    script = (
        "import sys; from pathlib import Path; from treadle.store.database import Database;"
        "from treadle.store.migrations import migrate;"
        "migrate(Database(f'sqlite:///{sys.argv[1]}'), Path(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", script, str(studio.database), str(old)], check=True, timeout=60)
    studio.start()
    assert studio.ended(studio.begin("Naps", naps=1))["result"] == "rested"
    (copy,) = studio.folder.glob("treadle.0001.*.db")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]


def test_check_and_copy_of_a_studio_at_work(serving):
    """Under load both see one moment; the copy, served elsewhere, goes on from there."""
    runs = [serving.begin("Naps", naps=80, seconds=0.1) for _ in range(12)]
    asking = serving.begin("Asks")
    prompt = serving.prompt(asking)
    copy = serving.folder / "elsewhere" / "treadle.db"
    copy.parent.mkdir()
    made = treadle("backup", copy, "--database", serving.database)
    assert made.returncode == 0, made.stderr
    for _ in range(3):
        checked = treadle("fsck", "--database", serving.database)
        assert checked.returncode == 0, checked.stdout
        assert "WRONG" not in checked.stdout
    assert any(serving.run(run_id)["status"] == "running" for run_id in runs), "it was at work all the while"
    assert treadle("fsck", "--database", copy).returncode == 0
    assert sorted(path.name for path in copy.parent.iterdir()) == ["treadle.db"]

    restored = Serving(copy.parent, [FLOWS]).start()
    try:
        assert restored.prompt(asking)["id"] == prompt["id"]
        assert restored.ask("POST", prompt["url"].replace(str(serving.port), str(restored.port)) + "/response",
                            {"response": "6"}).status == 201
        assert restored.ended(asking)["result"] == 7
        known = {row["id"] for row in restored.rows("SELECT id FROM run")}
        assert set(runs) <= known
        for run_id in runs:
            assert restored.ended(run_id, seconds=60)["result"] == "rested"
    finally:
        restored.kill()
    for run_id in runs:
        assert serving.ended(run_id, seconds=60)["result"] == "rested"


def test_pruning_beside_a_studio_at_work_disturbs_nobody(serving):
    done = [serving.begin("Naps", naps=1) for _ in range(20)]
    for run_id in done:
        serving.ended(run_id)
    running = [serving.begin("Naps", naps=60, seconds=0.1) for _ in range(4)]
    asking = serving.begin("Asks")
    serving.prompt(asking)
    pruned = treadle("prune", "--keep", "0", "--status", "completed", "--database", serving.database)
    assert pruned.returncode == 0, pruned.stderr
    assert pruned.stdout.startswith("Deleted ")
    assert {serving.ask("GET", f"/runs/{run_id}.json").status for run_id in done} == {404}
    for run_id in running:
        assert serving.ended(run_id)["result"] == "rested"
    assert serving.run(asking)["status"] == "waiting"
    assert treadle("prune", "--keep", "0", "--vacuum", "--database", serving.database).returncode == 3
    assert treadle("fsck", "--database", serving.database).returncode == 0


def test_pages_are_served_while_more_starts_than_there_are_threads_wait_for_the_database(serving):
    asking = [http.client.HTTPConnection("127.0.0.1", serving.port, timeout=30) for _ in range(60)]
    with closing(sqlite3.connect(serving.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for connection in asking:
            connection.request("POST", "/workflows/Naps/runs", '{"naps": 1}', {"Content-Type": "application/json"})
        page = serving.ask("GET", "/workflows/Naps", seconds=30)
        assert page.status == 200
        assert page.seconds < 5.0
        other.execute("ROLLBACK")
    answers = [(connection.getresponse(), connection) for connection in asking]
    started = [json.loads(response.read()) for response, _ in answers]
    assert {response.status for response, _ in answers} == {201}
    assert all(serving.ended(run["id"])["status"] == "completed" for run in started)
    for connection in asking:
        connection.close()
