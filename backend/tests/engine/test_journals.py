"""What every journal must do: keep the ticks in order, and let nothing follow before they are kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from treadle import Event, StartEvent, StopEvent, Workflow, step
from treadle.engine.journal import MemoryJournal
from treadle.engine.loop import RunLoop
from treadle.engine.records import BASE_TYPES, to_record
from treadle.engine.replay import fold_records
from treadle.resources import MIGRATIONS
from treadle.store.database import Database
from treadle.store.journal import StoredJournal, read_records
from treadle.store.leases import claim
from treadle.store.migrations import migrate
from treadle.store.writer import Writer


class Link(Event):
    n: int


class Chain(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> Link:
        return Link(n=0)

    @step
    async def go_on(self, ev: Link) -> Link | StopEvent:
        return StopEvent(result=ev.n) if ev.n == 5 else Link(n=ev.n + 1)


TYPES = {**BASE_TYPES, "Link": Link}


class Memory:
    def __init__(self) -> None:
        self.journal = MemoryJournal()

    def records(self):
        return [to_record(seq, tick) for seq, tick in enumerate(self.journal.ticks, start=1)]


class Stored:
    def __init__(self, database: Database, writer: Writer) -> None:
        self.database = database
        (claimed,) = claim(database, "w", workflows=["Chain"], now=time.time(), seconds=60, limit=1)
        self.journal = StoredJournal(writer, claimed.run_id, epoch=claimed.epoch, owner="w")

    def records(self):
        return read_records(self.database, "r")


@pytest.fixture(params=["memory", "sqlite"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Memory | Stored]:
    if request.param == "memory":
        yield Memory()
        return
    database = Database(f"sqlite:///{tmp_path / 'treadle.db'}")
    migrate(database, MIGRATIONS)
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO run (id, workflow, fingerprint, status, held, created_at, entries, counts, queue,"
                " lease_until, epoch) VALUES ('r', 'Chain', '', 'running', 0, 0, 0, '{}', '[]', 0, 0)"
            )
        )
    writer = Writer(database, committed=lambda runs: None)
    yield Stored(database, writer)
    await writer.close()


async def drive(kept: Memory | Stored, workflow: Workflow) -> RunLoop:
    ended = asyncio.get_running_loop().create_future()
    loop = RunLoop(
        workflow.table, clock=time.time, ended=lambda outcome, error: ended.set_result(outcome), journal=kept.journal
    )
    kept.journal.state = loop.state  # type: ignore[union-attr]
    loop.start(StartEvent(), context={"a": (1, 2)})
    assert (await ended).status == "completed"
    return loop


async def test_journal_keeps_every_tick_in_order(kept):
    await drive(kept, Chain())
    records = kept.records()
    assert [record.seq for record in records] == list(range(1, 9))
    assert [record.kind for record in records] == ["run_started"] + ["step_finished"] * 7
    assert records[-1].event_type == "StopEvent"


async def test_journal_folds_into_the_live_state(kept):
    loop = await drive(kept, Chain())
    folded = fold_records(kept.records(), loop.table.routes, TYPES)
    assert (folded.status, folded.context, folded.steps) == ("completed", {"a": (1, 2)}, loop.state.steps)


async def test_nothing_follows_before_the_tick_is_kept(kept):
    """When the run has ended for its caller, its last entry is there to be read."""
    seen = []

    class Watching(Chain):
        @step
        async def go_on(self, ev: Link) -> Link | StopEvent:
            seen.append(len(kept.records()))
            return StopEvent(result=ev.n) if ev.n == 5 else Link(n=ev.n + 1)

    await drive(kept, Watching())
    assert seen == [2, 3, 4, 5, 6, 7]
