"""Claims: a worker takes what nobody owns, oldest first, and of a limited workflow no more than its places."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from treadle.resources import MIGRATIONS
from treadle.store.database import Database
from treadle.store.leases import PROMPTLY, Claims
from treadle.store.migrations import migrate

COLUMNS = "id, workflow, status, created_at, entries, parent_id, lease_owner, lease_until, epoch"
REST = "held, counts, queue, fingerprint"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'treadle.db'}")
    migrate(made, MIGRATIONS)
    return made


def add(database: Database, run_id: str, workflow: str = "Two", **facts: object) -> None:
    row = {
        "id": run_id, "workflow": workflow, "status": "running", "created_at": float(run_id[1:]), "entries": 0,
        "parent_id": None, "lease_owner": None, "lease_until": 0.0, "epoch": 0, **facts,
    }  # fmt: skip
    values = ", ".join(f":{name}" for name in COLUMNS.split(", "))
    with database.write() as connection:
        connection.execute(text(f"INSERT INTO run ({COLUMNS}, {REST}) VALUES ({values}, 0, '{{}}', '[]', '')"), row)


def claims(database: Database, owner: str = "w", **limits: int) -> Claims:
    return Claims(database.dialect, owner, workflows=["One", "Two"], limits=limits)


def taken(database: Database, by: Claims, *, now: float = 100.0, limit: int = 10) -> list[str]:
    return [claim.run_id for claim in by.claim(database, now=now, seconds=10.0, limit=limit)]


def test_oldest_runs_that_nobody_owns_come_first(database):
    for number in (3, 1, 2):
        add(database, f"r{number}")
    add(database, "r4", lease_owner="other", lease_until=101.0)
    add(database, "r5", status="completed")
    add(database, "r6", "Unknown")
    mine = claims(database)
    assert mine.any(database, now=100.0, seconds=10.0)
    assert taken(database, mine, limit=2) == ["r1", "r2"]
    assert taken(database, mine) == ["r3"]
    assert not mine.any(database, now=100.5, seconds=10.0)
    assert taken(database, mine, now=101.5) == ["r4"], "its owner has been silent for too long"


def test_run_that_its_worker_does_not_begin_promptly_goes_to_another_once(database):
    add(database, "r1", lease_owner="blocked", lease_until=110.0, epoch=1)
    add(database, "r2", lease_owner="blocked", lease_until=110.0, epoch=1, entries=1)
    first, second = claims(database, "first"), claims(database, "second")
    late = 100.0 + PROMPTLY + 0.1
    assert taken(database, first, now=100.0 + PROMPTLY - 0.1) == []
    assert taken(database, claims(database, "blocked"), now=late) == [], "it has it already"
    assert taken(database, first, now=late) == ["r1"]
    assert taken(database, second, now=late + 5.0) == [], "or two slow ones would take it from each other for ever"


def test_limited_workflow_has_no_more_than_its_places_whoever_owns_them(database):
    for number in (1, 2, 3):
        add(database, f"r{number}")
    add(database, "r4", "One")
    assert taken(database, claims(database, "v", Two=2), limit=1) == ["r1"]
    mine = claims(database, "w", Two=2)
    assert taken(database, mine) == ["r2", "r4"]
    assert not mine.any(database, now=100.0, seconds=10.0)
    with database.write() as connection:
        connection.execute(text("UPDATE run SET status = 'completed', lease_owner = NULL WHERE id = 'r1'"))
    assert taken(database, mine) == ["r3"]


def test_run_that_has_begun_keeps_its_place(database):
    for number in (1, 2, 3):
        add(database, f"r{number}", entries=5)
    add(database, "r4")
    assert taken(database, claims(database, Two=2)) == ["r1", "r2", "r3"]


def test_family_comes_with_the_run_that_has_begun(database):
    add(database, "r1", entries=5, lease_owner="dead")
    add(database, "r2", "Two", parent_id="r1", lease_owner="dead", lease_until=200.0)
    add(database, "r3", "Unknown", parent_id="r2", lease_owner="dead")
    add(database, "r4", "Two", parent_id="r2", lease_owner="dead", status="failed")
    assert taken(database, claims(database)) == ["r1"]
    with database.read() as connection:
        rows = connection.execute(text("SELECT id, lease_owner, epoch FROM run ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [("r1", "w", 1), ("r2", "w", 1), ("r3", "w", 1), ("r4", "dead", 0)]


def test_worker_without_workflows_claims_nothing(database):
    add(database, "r1")
    assert taken(database, Claims(database.dialect, "w", workflows=[])) == []
