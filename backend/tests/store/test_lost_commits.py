"""A worker that is told to stop while the database takes nothing: what it leaves has no gaps."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from treadle.engine.events import StartEvent
from treadle.engine.state import Routes, RunState
from treadle.engine.ticks import RunHeld, RunReleased, RunStarted
from treadle.errors import RunInterrupted
from treadle.resources import MIGRATIONS
from treadle.store.database import BRIEF, Database
from treadle.store.journal import StoredJournal
from treadle.store.migrations import migrate
from treadle.store.writer import Writer


class BusyForOne(Database):
    """Refuses the second commit of its journal, as if somebody else had the lock; the later ones it takes."""

    tries = 0

    @contextmanager
    def journal(self, *, seconds: float = BRIEF) -> Iterator[Any]:
        self.tries += 1
        if self.tries in (2, 3):  # the loop's own, and that of the thread after it
            self.file_is_locked()
        with super().journal(seconds=seconds) as cursor:
            yield cursor

    def file_is_locked(self) -> None:
        """What SQLite says then, in its own words."""
        assert self.file is not None
        one = sqlite3.connect(self.file, isolation_level=None)
        other = sqlite3.connect(self.file, isolation_level=None, timeout=0)
        try:
            one.execute("BEGIN IMMEDIATE")
            other.execute("BEGIN IMMEDIATE")
        finally:
            one.close()
            other.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[BusyForOne]:
    made = BusyForOne(f"sqlite:///{tmp_path / 'treadle.db'}")
    migrate(made, MIGRATIONS)
    with made.write() as connection:
        connection.execute(text(
            "INSERT INTO run (id, workflow, fingerprint, status, held, created_at, entries, counts, queue, lease_owner,"
            " lease_until, epoch) VALUES ('r', 'W', '', 'running', 0, 0, 0, '{}', '[]', 'w', 0, 1)"
        ))  # fmt: skip
    yield made
    made.close()


async def test_what_follows_a_lost_commit_of_a_run_is_lost_too(database: BusyForOne) -> None:
    writer = Writer(database, committed=lambda runs: None)
    journal = StoredJournal(writer, "r", epoch=1, owner="w")
    journal.state = RunState(Routes({}, {}))
    await journal.append(1, RunStarted(1.0, StartEvent(), {}), [])
    second = journal.append(2, RunHeld(2.0), [])
    closing = asyncio.ensure_future(writer.close())
    await asyncio.sleep(0)  # the second is on its way, and the third gathers behind it
    third = journal.append(3, RunReleased(3.0), [])
    for lost in (second, third):
        with pytest.raises(RunInterrupted):
            await lost
    await closing
    with database.read() as connection:
        assert list(connection.execute(text("SELECT seq FROM entry")).scalars()) == [1]


async def test_loop_waits_for_no_thread_that_writes(database: BusyForOne) -> None:
    """The heartbeat, say, which waits for another process: runs go on meanwhile, their commits come after it."""
    writer = Writer(database, committed=lambda runs: None)
    journal = StoredJournal(writer, "r", epoch=1, owner="w")
    journal.state = RunState(Routes({}, {}))
    turned = asyncio.Event()
    with database._writing:
        first = journal.append(1, RunStarted(1.0, StartEvent(), {}), [])
        asyncio.get_running_loop().call_later(0.01, turned.set)
        async with asyncio.timeout(10):
            await turned.wait()
        assert not first.done()
    async with asyncio.timeout(10):
        await first
    await writer.close()
