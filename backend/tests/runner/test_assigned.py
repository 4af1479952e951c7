"""Assigned runs: who accepts a run gives it to a worker that is free, and no worker has to claim it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from treadle.resources import MIGRATIONS
from treadle.runner.requests import Requests
from treadle.store.database import Database
from treadle.store.leases import LEASE, PROMPTLY
from treadle.store.migrations import migrate
from treadle.store.presence import arrive, bury, heartbeat, leave

LIMITED = '''
from treadle import StartEvent, StopEvent, Workflow, step


class Limited(Workflow):
    @step
    async def only(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result="done")


workflow = Limited(num_concurrent_runs=1)
'''


def come(database: Database, *workers: str, able: Sequence[str] = ("Chain", "Ask", "Limited", "W")) -> None:
    for worker in workers:
        arrive(database, worker, name=worker, pid=1, workflows=able, now=time.time())


def owner(run: dict[str, Any]) -> tuple[str | None, int]:
    return run["lease_owner"], run["epoch"]


@pytest.fixture
async def published(bench):
    """The bench once its workflows were shown, without a worker."""
    async with bench.working():
        pass
    return bench


async def test_runs_go_to_the_free_workers_in_turn(published):
    come(published.database, "w_1", "w_2", "w_busy", "w_gone", "w_silent")
    now = time.time()
    heartbeat(published.database, "w_busy", now=now, lease=LEASE, busy=(now, None, None))
    leave(published.database, "w_gone", now=now, how="stopped")
    heartbeat(published.database, "w_silent", now=now - LEASE - 1, lease=LEASE, busy=None)
    accepted = [published.requests.start("Chain", {}) for _ in range(4)]
    assert [run.worker for run in accepted] == ["w_1", "w_2", "w_1", "w_2"]
    assert [owner(published.run(run.run_id)) for run in accepted] == [(run.worker, 1) for run in accepted]


async def test_worker_that_does_not_listen_is_given_nothing(published):
    come(published.database, "w_1", "w_far")
    near = Requests(published.database, nudge=lambda *_: None, listeners=lambda: ["w_1", "w_unknown"])
    nobody = Requests(published.database, nudge=lambda *_: None, listeners=list)
    assert [near.start("Chain", {}).worker for _ in range(3)] == ["w_1"] * 3
    assert nobody.start("Chain", {}).worker is None


async def test_worker_is_given_what_it_can_run(published):
    come(published.database, "w_1")
    come(published.database, "w_2", able=["Ask"])
    come(published.database, "w_3", able=[])
    given = [published.requests.start(name, {}).worker for name in ("Chain", "Ask", "Chain", "Ask", "Fan")]
    assert given == ["w_1", "w_2", "w_1", "w_2", None]


async def test_run_begins_without_being_claimed(bench):
    come(bench.database, "w_test")
    async with bench.working() as host:
        accepted = bench.requests.start("Ask", {})
        assert accepted.worker == "w_test"
        run = await bench.until(accepted.run_id, lambda row: row["status"] == "waiting")
        assert owner(run) == ("w_test", 1)
        assert host.runs[accepted.run_id].claim.epoch == 1


async def test_run_of_a_worker_that_does_not_begin_it_goes_to_another(bench):
    come(bench.database, "w_blocked")
    async with bench.working("w_idle"):
        accepted = bench.requests.start("Chain", {"length": 2})
        assert accepted.worker == "w_blocked"
        heartbeat(bench.database, "w_blocked", now=time.time(), lease=LEASE, busy=None)
        run = await bench.ended(accepted.run_id)
    assert run["result"] == [2, 2]
    assert run["epoch"] == 2
    assert run["started_at"] - run["created_at"] >= PROMPTLY


async def test_run_of_a_worker_that_has_gone_goes_to_another_at_once(published):
    come(published.database, "w_1")
    accepted = published.requests.start("Chain", {"length": 2})
    leave(published.database, "w_1", now=time.time(), how="signal 9")
    async with published.working("w_2"):
        assert (await published.ended(accepted.run_id))["status"] == "completed"


async def test_workers_of_an_earlier_server_get_nothing(published):
    come(published.database, "w_before")
    bury(published.database, now=time.time())
    accepted = published.requests.start("Chain", {})
    assert accepted.worker is None
    assert owner(published.run(accepted.run_id)) == (None, 0)


async def test_runs_of_a_limited_workflow_are_claimed_one_at_a_time(bench, tmp_path: Path):
    file = tmp_path / "limited.py"
    file.write_text(LIMITED)
    bench.flows = [file]
    come(bench.database, "w_test")
    async with bench.working():
        accepted = [bench.requests.start("Limited", {}) for _ in range(3)]
        assert [run.worker for run in accepted] == [None] * 3
        for run in accepted:
            assert (await bench.ended(run.run_id))["result"] == "done"


async def test_worker_without_the_workflow_leaves_the_run_to_another(bench, tmp_path: Path):
    async with bench.working("w_knows"):
        pass
    file = tmp_path / "limited.py"
    file.write_text(LIMITED)
    come(bench.database, "w_other")
    known, bench.flows = bench.flows, [file]
    async with bench.working("w_other") as other:
        accepted = bench.requests.start("Chain", {"length": 2})
        await other.sweep()
        assert not other.runs
    bench.flows = known
    leave(bench.database, "w_other", now=time.time(), how="stopped")
    async with bench.working("w_knows"):
        assert (await bench.ended(accepted.run_id))["result"] == [2, 2]


def test_heartbeat_does_not_hold_what_was_not_begun(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'treadle.db'}")
    migrate(database, MIGRATIONS)
    come(database, "w")
    with database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO workflow (name, file, title, doc, fingerprint, published_at) VALUES ('W', '', '', '', '', 0)"
        )
    requests = Requests(database, nudge=lambda *_: None)
    fresh, begun = (requests.start("W", {}).run_id for _ in range(2))
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE run SET entries = 1 WHERE id = ?", (begun,))
    later = time.time() + 100
    heartbeat(database, "w", now=later, lease=LEASE, busy=None)
    with database.read() as connection:
        found = dict(list(connection.exec_driver_sql("SELECT id, lease_until FROM run")))
    assert found[begun] == later + LEASE
    assert found[fresh] < later
    database.close()
