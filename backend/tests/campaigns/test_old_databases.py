"""A database that an earlier Treadle left in the middle of its work: migrated with a copy kept, and its runs go on."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from campaigns.studio import Studio
from treadle.resources import MIGRATIONS
from treadle.store.database import APPLICATION_ID

HERE = Path(__file__).parent
RECORDED = sorted((HERE / "old").glob("*.sql"))
"""By the revision of the schema they were written at."""
SQUARES = sum(n * n for n in range(7))


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def studio(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Studio]:
    flows = tmp_path / "elder.py"
    shutil.copy(HERE / "elder.py", flows)
    made = Studio(tmp_path, [flows])
    write(made.database, request.param)
    yield made
    made.close()


def write(file: Path, rows: Path) -> None:
    """The database as it was: the tables of that revision, and the recorded rows."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, rows.stem)
    engine.dispose()
    connection = sqlite3.connect(file)
    try:
        connection.executescript(rows.read_text())
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    finally:
        connection.close()


def test_runs_of_an_old_database_go_on(studio: Studio) -> None:
    with studio.reading() as database:
        before = {row["id"]: dict(row) for row in database.execute("SELECT id, workflow, status, result FROM run")}
        entries = {tuple(row) for row in database.execute("SELECT run_id, seq, at, kind FROM entry")}
    studio.start()
    top = [row["id"] for row in studio.rows("SELECT id FROM run WHERE parent_id IS NULL")]
    by_status = {(before[run_id]["workflow"], before[run_id]["status"]): run_id for run_id in top}
    assert studio.run(by_status["Chain", "completed"])["result"] == [3, 3]
    assert studio.ended(by_status["Chain", "running"])["result"] == [8, 8]
    assert studio.ended(by_status["Fan", "running"])["result"] == SQUARES
    if nest := by_status.get(("Nest", "running")):  # there were none at 0001
        assert studio.ended(nest)["result"] == [5, 5]
        assert len(studio.rows("SELECT id FROM run WHERE parent_id = ?", nest)) == 1
    prompt = studio.prompt(by_status["Ask", "waiting"])
    assert studio.ask("POST", prompt["url"] + "/response", {"response": "41"}).status == 201
    assert studio.ended(by_status["Ask", "waiting"])["result"] == 42
    held = by_status["Chain", "held"]
    assert studio.run(held)["status"] == "held"
    assert studio.ask("POST", f"/runs/{held}/release", {}).status == 202
    assert studio.ended(held)["result"] == [2, 2]
    for run_id in before:
        assert studio.ask("GET", f"/runs/{run_id}").status == 200
    with studio.reading() as database:
        assert entries <= {tuple(row) for row in database.execute("SELECT run_id, seq, at, kind FROM entry")}
    assert studio.stop() == 0
    code, said = studio.check()
    assert code == 0, said


def test_old_database_is_copied_before_it_is_migrated(studio: Studio) -> None:
    """The copy beside it is what it was, at its old schema."""
    revision = studio.rows("SELECT version_num FROM alembic_version")[0][0]
    runs = [tuple(row) for row in studio.rows("SELECT id, status FROM run ORDER BY id")]
    studio.start()
    assert studio.rows("SELECT version_num FROM alembic_version")[0][0] != revision
    copies = [path for path in studio.folder.rglob("treadle*") if path.suffix not in (".db-wal", ".db-shm", ".lock")]
    (copy,) = [path for path in copies if path != studio.database and path.is_file()]
    with sqlite3.connect(copy) as database:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert database.execute("SELECT version_num FROM alembic_version").fetchone()[0] == revision
        assert database.execute("SELECT id, status FROM run ORDER BY id").fetchall() == runs
    database.close()
