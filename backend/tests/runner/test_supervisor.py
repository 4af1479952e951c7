"""A supervisor whose database takes nothing says so in a sentence, and starts the next worker all the same."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing, contextmanager

from treadle.runner.supervisor import Supervisor
from treadle.store.database import Database


class Locked(Database):
    """Refuses what is to be written, in SQLite's own words."""

    @contextmanager
    def write(self):
        with closing(sqlite3.connect(self.file, isolation_level=None)) as one, closing(
            sqlite3.connect(self.file, isolation_level=None, timeout=0)
        ) as other:
            one.execute("BEGIN IMMEDIATE")
            other.execute("BEGIN IMMEDIATE")
        yield


async def test_end_of_a_worker_that_cannot_be_written_is_told_without_a_traceback(bench, caplog):
    locked, ends = Locked(bench.database.url), asyncio.Queue()
    command = [sys.executable, "-c", ""]
    supervisor = Supervisor(locked, lambda *_: command, count=1, changed=lambda: ends.put_nowait(None))
    async with asyncio.timeout(20), supervisor:
        for _ in range(2):
            await ends.get()
    locked.close()
    told = [record for record in caplog.records if "could not be written" in record.message]
    assert len(told) >= 2
    assert "worker 1 could not be written: database is locked (SQLITE_BUSY); its runs go on" in told[0].message
    assert all(record.exc_info is None for record in told)
