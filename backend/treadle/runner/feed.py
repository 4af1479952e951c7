"""The feed of a run: its journal read live, in batches, from any entry on.

It reads the rows, waits for a nudge, reads again. A nudge that is lost costs half a second, never an entry.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import anyio

from treadle.runner.signals import Signals
from treadle.store.database import Database
from treadle.store.prompts import PromptRow, count_open, prompts_of
from treadle.store.runs import EntryRow, RunDetail, entries_after, find_run
from treadle.store.superseded import superseded_by
from treadle.store.workers import WorkerRow, live_workers

BATCH = 500
FLUSH_SECONDS = 0.1
PATIENCE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Batch:
    """What a reader has not seen yet: entries, and the run and its prompts as they stand after them."""

    run: RunDetail
    prompts: tuple[PromptRow, ...]
    entries: tuple[EntryRow, ...]
    workers: tuple[WorkerRow, ...]
    waiting: int
    """How many prompts of all runs are open."""
    superseded: tuple[int, ...]
    """The seqs of earlier entries that these ones have superseded."""
    last: bool
    """True when the run has ended and every entry was told."""


async def follow(
    run_id: str,
    *,
    database: Database,
    signals: Signals,
    after: int,
    threads: anyio.CapacityLimiter | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncGenerator[Batch]:
    """Yield batches after the entry `after`; the first at once, even when it is empty, the last when the run has ended.

    `threads` bounds how many feeds read at the same moment: open pages must not starve the routes of their threads.
    """
    told: tuple[object, ...] | None = None
    while True:
        started = clock()
        batch = await anyio.to_thread.run_sync(_read, database, run_id, after, limiter=threads)
        if batch is None:
            return
        state = (batch.run, batch.waiting, [(worker.name, worker.busy_step) for worker in batch.workers])
        news = bool(batch.entries) or state != told
        if news:
            told = state
            after = batch.entries[-1].seq if batch.entries else after
            yield batch
        if batch.last:
            return
        if len(batch.entries) == BATCH:
            continue
        if not news:
            # Only when there was nothing to tell: what is written while a batch is told is found by the next reading.
            await signals.wait(run_id, timeout=PATIENCE_SECONDS)
        await anyio.sleep(max(0.0, FLUSH_SECONDS - (clock() - started)))


def _read(database: Database, run_id: str, after: int) -> Batch | None:
    with database.read() as db:
        # The run is read before its entries: once it has ended, every entry it will ever have is there to be read.
        run = find_run(db, run_id)
        if run is None:
            return None
        entries = entries_after(db, run_id, after=after, limit=BATCH)
        workers = live_workers(db, now=time.time())
        over = superseded_by(db, run_id, {entry.kind for entry in entries}, after=after)
        last = run.final and len(entries) < BATCH
        return Batch(run, prompts_of(db, run_id), entries, workers, count_open(db), over, last)
