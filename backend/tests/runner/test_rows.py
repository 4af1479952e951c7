"""The row of a run says what its journal says: at once when the run comes to rest, else a moment later at most."""

from __future__ import annotations

import asyncio
import functools
import json
from contextlib import closing

import pytest

from treadle.store.care.fsck import check
from treadle.store.care.readonly import ReadOnly
from treadle.store.leases import Claim, settle
from treadle.store.versions import Versions

LENGTH = 20
ENTRIES = LENGTH + 2
NEVER = 3600.0


def watch(bench):
    """Have the database write down every change of a run's row."""
    with bench.database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE told (entries INTEGER, status TEXT)")
        connection.exec_driver_sql(
            "CREATE TRIGGER tell AFTER UPDATE OF entries ON run BEGIN"
            " INSERT INTO told VALUES (new.entries, new.status); END"
        )


def told(bench):
    with bench.database.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM told ORDER BY rowid")]


async def dwell(bench):
    """A run that has come to the step it stays in."""
    run_id = bench.requests.start("Dwells", {"length": LENGTH}).run_id
    await bench.until(run_id, lambda _: len(bench.entries(run_id)) == ENTRIES)
    return run_id


@pytest.fixture
def never(monkeypatch):
    """No moment ever passes."""
    monkeypatch.setattr("treadle.store.journal.LAG", NEVER)
    monkeypatch.setattr("treadle.store.writer.LAG", NEVER)


@pytest.mark.usefixtures("never")
async def test_row_is_written_when_a_run_begins_and_when_it_ends_and_not_at_every_entry_between(bench):
    watch(bench)
    async with bench.working():
        await bench.ended(bench.requests.start("Chain", {"length": LENGTH}).run_id)
        (_, first), *rest = told(bench)
    assert first == "running"
    assert [status for _, status in rest] == ["completed"]


async def test_row_catches_up_although_nothing_more_happens(bench):
    async with bench.working():
        run_id = await dwell(bench)
        run = await bench.until(run_id, lambda row: row["entries"] == ENTRIES)
    assert run["status"] == "running"
    assert json.loads(run["counts"])["steps"]["go_on"] == {
        "started": LENGTH + 1, "running": 1, "done": LENGTH, "failed": 0, "waiting": 0,
    }  # fmt: skip


@pytest.mark.usefixtures("never")
async def test_worker_that_stops_leaves_rows_that_are_true(bench):
    async with bench.working():
        run_id = await dwell(bench)
        assert bench.run(run_id)["entries"] < ENTRIES
    assert bench.run(run_id)["entries"] == ENTRIES


@pytest.mark.usefixtures("never")
async def test_check_takes_a_row_that_is_behind_for_what_it_was_and_not_for_more(bench):
    async with bench.working():
        run_id = await dwell(bench)
        with bench.database.write() as connection:
            (behind,) = connection.exec_driver_sql("SELECT entries FROM run").one()
        assert behind < ENTRIES
        assert findings(bench) == []
        with bench.database.write() as connection:
            connection.exec_driver_sql("UPDATE run SET counts = json_set(counts, '$.steps.go_on.done', 7)")
        assert findings(bench) == ["summary"]
        assert run_id in bench.host.runs


@pytest.mark.usefixtures("never")
async def test_run_that_is_parked_while_its_row_is_behind_stays_so_and_can_be_given_up(bench):
    async with bench.working():
        run_id = await dwell(bench)
        run = bench.run(run_id)
        parked = Claim(run_id, "Dwells", run["epoch"], run["entries"], None)
        settle(bench.database, parked, status="interrupted", error=json.dumps({"type": "TreadleError", "message": "!"}))
    run = bench.run(run_id)
    assert (run["status"], run["entries"]) == ("interrupted", ENTRIES)
    assert findings(bench) == []
    bench.requests.give_up(run_id)
    run = bench.run(run_id)
    assert (run["status"], run["entries"]) == ("failed", ENTRIES + 1)
    assert findings(bench) == []


def findings(bench):
    with closing(ReadOnly(bench.database.file)) as database:
        return [finding.check for finding in check(database, Versions()).findings]


async def test_each_row_is_behind_for_as_long_as_it_may_be_whatever_other_rows_are(bench, monkeypatch):
    monkeypatch.setattr("treadle.store.writer.LAG", 0.2)
    times = {}
    async with bench.working():
        loop = asyncio.get_running_loop()
        writer = bench.host._driver._writer

        both = asyncio.Event()

        def note(name):
            times.setdefault(name, []).append(loop.time())
            if len(times.get("second", ())) == 2:
                both.set()

        for name in ("first", "second"):
            note(name)
            writer.call_later(functools.partial(note, name))
            asked = asyncio.Event()
            loop.call_later(0.1, asked.set)
            await asked.wait()
        async with asyncio.timeout(20):
            await both.wait()
    assert all(came - asked >= 0.15 for asked, came in times.values())
