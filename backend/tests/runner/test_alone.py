"""A run that goes on alone commits each step at once, and is in nobody's way: nor is anybody in its."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, contextmanager
from itertools import pairwise

import pytest

from treadle.store.database import BRIEF, Database
from treadle.store.journal import StoredJournal

LONG = 100_000


@pytest.fixture
def at_once(monkeypatch):
    """How many entries were on disk as soon as they were appended, and how many were not."""
    seen = {True: 0, False: 0}
    append = StoredJournal.append

    def watched(journal, *entry):
        kept = append(journal, *entry)
        seen[kept is None] += 1
        return kept

    monkeypatch.setattr(StoredJournal, "append", watched)
    return seen


def seqs(bench, run_id):
    return [entry["seq"] for entry in bench.entries(run_id)]


async def test_steps_of_a_run_alone_are_on_disk_when_they_end(bench, at_once):
    async with bench.working():
        run = await bench.ended(bench.requests.start("Chain", {"length": 20}).run_id)
    assert run["result"] == [20, 20]
    assert at_once[True] >= 20  # of 21 steps


async def test_others_get_their_turn_while_a_run_goes_on_alone(bench):
    seen = []

    async def look_at_every_turn():
        while True:
            await asyncio.sleep(0)
            seen.extend(live.loop.state.seq for live in bench.host.runs.values())

    async with bench.working():
        looking = asyncio.create_task(look_at_every_turn())
        run_id = bench.requests.start("Dwells", {"length": 1000}).run_id
        await bench.until(run_id, lambda _: seen and seen[-1] > 1000)
        looking.cancel()
    assert max(after - before for before, after in pairwise(seen)) < 150


async def test_run_that_comes_while_another_goes_on_alone_shares_its_commits_and_does_not_wait_for_its_end(bench):
    async with bench.working():
        groups = []
        writer = bench.host._driver._writer
        told = writer._committed
        writer._committed = lambda runs: (groups.append(tuple(sorted(runs))), told(runs))
        long = bench.requests.start("Chain", {"length": LONG}).run_id
        await bench.until(long, lambda _: len(groups) > 50)
        short = bench.requests.start("Chain", {"length": 20}).run_id
        assert (await bench.ended(short))["result"] == [20, 20]
        assert long in bench.host.runs
    together = groups.count(tuple(sorted((long, short))))
    assert together >= 20
    assert seqs(bench, long) == list(range(1, len(seqs(bench, long)) + 1))


class BusyNowAndThen(Database):
    """Refuses every seventh transaction of its journal, in SQLite's own words."""

    tries = 0

    @contextmanager
    def journal(self, *, seconds=BRIEF):
        self.tries += 1
        if self.tries % 7 == 0:
            with closing(sqlite3.connect(self.file, isolation_level=None)) as one, closing(
                sqlite3.connect(self.file, isolation_level=None, timeout=0)
            ) as other:
                one.execute("BEGIN IMMEDIATE")
                other.execute("BEGIN IMMEDIATE")
        with super().journal(seconds=seconds) as cursor:
            yield cursor


async def test_commit_that_the_loop_is_refused_is_made_by_the_thread_and_the_run_waits_for_it(bench, at_once):
    busy = BusyNowAndThen(bench.database.url)
    bench.database.close()
    bench.database = busy
    async with bench.working():
        run = await bench.ended(bench.requests.start("Chain", {"length": 50}).run_id)
    assert run["result"] == [50, 50]
    assert seqs(bench, run["id"]) == list(range(1, run["entries"] + 1))
    assert at_once[True] > 20
    assert busy.tries >= 50
    busy.close()


async def test_run_that_was_taken_over_stops_at_its_next_step(bench):
    async with bench.working():
        run_id = bench.requests.start("Dwells", {"length": LONG}).run_id
        await bench.until(run_id, lambda _: bench.host.runs and bench.host.runs[run_id].loop.state.seq > 100)
        live = bench.host.runs[run_id]
        with bench.database.write() as connection:
            connection.exec_driver_sql("UPDATE run SET epoch = epoch + 1, lease_owner = 'w_other', lease_until = 9e9")
            last = connection.exec_driver_sql("SELECT max(seq) FROM entry").scalar()
        await bench.until(run_id, lambda _: live.loop.over)
        assert run_id not in bench.host.runs
    assert live.loop.state.seq == last + 1
    assert seqs(bench, run_id) == list(range(1, last + 1))
