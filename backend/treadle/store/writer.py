"""The writer: commits what all runs of a worker have queued, a group at a time.

The loop's thread puts a group together when the writer is free; the next one gathers meanwhile. A commit that may take
its time does so in a thread of its own; a small one, that waits for a quick disk at most, is over before that is.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from math import inf
from time import perf_counter

from treadle.errors import RunInterrupted
from treadle.store.database import BRIEF, Database
from treadle.store.failing import Kind, kind_of, reason
from treadle.store.share import Mark, Share
from treadle.store.writing import Writing

log = logging.getLogger("treadle.writer")

SHORTLY, LATER = 0.05, 1.0
"""Seconds between two tries to commit, at first and at most."""
QUICK, SLOW = 0.003, 0.1
"""Seconds the loop may wait for the disk by itself, on average; how long it does not after it had to wait longer."""
FEW = 128
"""Entries the loop writes by itself at most: more of them take it longer than that."""
LAG = 0.05
"""Seconds the row of a run that goes on may be behind its journal."""

class Writer:
    """Commits groups. `submit` on the loop's thread; each share's future is done once it is on disk.

    While the database is busy or its disk full, the group in hand waits, and with it the runs it is of. `failed` is
    called on the loop's thread when the database can no longer be relied on.
    """

    def __init__(
        self,
        database: Database,
        *,
        committed: Callable[[list[str]], None],
        failed: Callable[[BaseException], object] = str,
    ) -> None:
        self._database = database
        self._writing = Writing(database.dialect)
        self._operational: type[Exception] = database.dialect.loaded_dbapi.OperationalError
        self._committed = committed
        self._failed = failed
        self._trouble: Kind | None = None
        self._lost: set[Mark] = set()
        self._closing = threading.Event()
        self._gather: list[Callable[[], Share]] = []
        self._late: dict[Callable[[], None], float] = {}
        self._timer: asyncio.TimerHandle
        self._alone: Callable[[], Share] | None = None
        self._busy = False
        self._scheduled = False
        self._slow_until = self._usual = 0.0
        self._loop = asyncio.get_running_loop()
        self._work: queue.SimpleQueue[list[Share] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="treadle-writer", daemon=True)
        self._thread.start()

    def submit(self, share: Callable[[], Share]) -> None:
        """Have `share` called when the next group is put together."""
        self._gather.append(share)
        self._hand_over_soon()

    def commit_alone(self, share: Callable[[], Share]) -> None:
        """Commit what has just been submitted here and now, if nobody else has anything, nor had the last time.

        A run that goes on alone then does its next step in the same turn of the loop; anybody else joins in with his
        first one.
        """
        if self._alone == share and len(self._gather) == 1 and not self._busy:
            self._take_up()

    def call_later(self, act: Callable[[], None]) -> None:
        """Have `act` called once, LAG seconds from now, or before this is closed."""
        if not self._late:
            self._timer = self._loop.call_later(LAG, self._call_late)
        self._late.setdefault(act, self._loop.time() + LAG)

    def _call_late(self, *, within: float = 0.1 * LAG) -> None:
        """Call those that are due `within` so many seconds, so that many come at once."""
        due = self._loop.time() + within
        acts = [act for act, at in self._late.items() if at <= due]
        for act in acts:
            del self._late[act]
        if self._late:
            self._timer = self._loop.call_at(next(iter(self._late.values())), self._call_late)
        for act in acts:
            act()

    async def close(self) -> None:
        """Commit what is queued, then end the thread; what the database will not take is left to the next owner."""
        if self._late:
            self._timer.cancel()
            self._call_late(within=inf)
        self._closing.set()
        while self._busy or self._gather:
            done: asyncio.Future[None] = self._loop.create_future()
            self._waiting = done
            await done
        self._work.put(None)

    _waiting: asyncio.Future[None] | None = None

    def _hand_over_soon(self) -> None:
        if self._gather and not self._busy and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._scheduled = False
        self._take_up()

    def _take_up(self) -> None:
        if self._gather and not self._busy:
            self._busy = True
            gather, self._gather = self._gather, []
            self._alone = gather[0] if len(gather) == 1 else None
            group = self._still_written([share() for share in gather])
            if not group:
                self._done(group, {})
                return
            if not self._may_commit(group):
                self._work.put(group)
                return
            began = perf_counter()
            try:
                fenced = self._attempt(group, seconds=0.0)
            except Exception:  # the thread tries again, as long as it takes, and tells what went wrong
                self._work.put(group)
            else:
                ended = perf_counter()
                self._usual += (ended - began - self._usual) / 8
                if self._usual > QUICK:
                    self._slow_until, self._usual = ended + SLOW, 0.0
                self._done(group, _taken_over(fenced))

    def _may_commit(self, group: list[Share]) -> bool:
        """Whether the loop may commit by itself: little, nothing to pack, and at most a quick disk to wait for."""
        entries = 0
        for share in group:
            entries += len(share.entries)
            if entries > FEW or share.large or share.state:
                return False
        return not self._database.full or perf_counter() >= self._slow_until

    def _still_written(self, group: list[Share]) -> list[Share]:
        """The shares of runs of which nothing is missing on disk; the loops of the others are about to hear of it."""
        if not self._lost:
            return group
        for share in group:
            if share.mark in self._lost and share.kept is not None and not share.kept.done():
                share.kept.settle(RunInterrupted(f"Run {share.run_id} is no longer written by this worker."))
        return [share for share in group if share.mark not in self._lost]

    def _run(self) -> None:
        while (group := self._work.get()) is not None:
            self._loop.call_soon_threadsafe(self._done, group, self._try(group))

    def _try(self, group: list[Share]) -> dict[Mark, BaseException]:
        """Commit the group; what went wrong, by run. One run's bad entry does not take the others with it."""
        try:
            fenced = self._commit(group)
        except BaseException as error:
            kind = kind_of(error)
            if kind == "io":
                self._loop.call_soon_threadsafe(self._failed, error)
            if kind != "other" or isinstance(error, self._operational):  # the database, not what we write
                return {
                    share.mark: RunInterrupted(f"The journal could not be written: {reason(error)}") for share in group
                }
            if len(group) == 1:
                return {group[0].mark: error}
            return {mark: failure for share in group for mark, failure in self._try([share]).items()}
        return _taken_over(fenced)

    def _commit(self, group: list[Share]) -> set[Mark]:
        """Commit the group as soon as the database takes it: a busy one is waited for, and a full disk."""
        pause = SHORTLY
        while True:
            try:
                fenced = self._attempt(group)
            except Exception as error:
                kind = kind_of(error)
                if kind not in ("busy", "full"):
                    raise
                self._tell(kind)
                if self._closing.wait(pause):
                    raise
                pause = min(2 * pause, LATER)
            else:
                self._tell(None)
                return fenced

    def _tell(self, trouble: Kind | None) -> None:
        """Say once that the disk is full, and once that it is not any more."""
        before, self._trouble = self._trouble, trouble
        if trouble == "full" != before:
            log.error("The disk of the database is full: runs wait until there is room.")
        elif before == "full" and trouble is None:
            log.warning("There is room on the disk of the database again: runs go on.")

    def _attempt(self, group: list[Share], *, seconds: float = BRIEF) -> set[Mark]:
        with self._database.journal(seconds=seconds) as cursor:
            return self._writing.write(cursor, group)

    def _done(self, group: list[Share], errors: dict[Mark, BaseException]) -> None:
        self._busy = False
        self._lost |= errors.keys()
        for share in group:
            if share.kept is not None and not share.kept.done():
                share.kept.settle(errors.get(share.mark) if errors else None)
        if written := [share.run_id for share in group if not errors or share.mark not in errors]:
            self._committed(written)
        if self._database.full:
            self._take_up()
        else:
            self._hand_over_soon()
        if not self._busy and self._waiting is not None:
            self._waiting.set_result(None)
            self._waiting = None


def _taken_over(fenced: set[Mark]) -> dict[Mark, BaseException]:
    return {mark: RunInterrupted(f"Run {mark[0]} was taken over by another worker.") for mark in fenced}
