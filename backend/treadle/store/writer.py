"""The writer: commits what all runs of a worker have queued, a group at a time.

The loop's thread puts a group together when the writer is free; the next one gathers meanwhile. A commit that may take
its time does so in a thread of its own; a small one that waits for nothing, or for a quick disk, is over before that is.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import zlib
from collections.abc import Callable
from time import perf_counter
from typing import Any

from sqlalchemy import bindparam, delete, insert, literal_column, null, select, update
from sqlalchemy.dialects.sqlite import insert as insert_unless
from sqlalchemy.engine import Dialect

from treadle.engine.summary import Summary
from treadle.errors import RunInterrupted
from treadle.store.database import BRIEF, Database
from treadle.store.failing import Kind, kind_of, reason
from treadle.store.lineage import BORN_WITH
from treadle.store.prepared import Prepared
from treadle.store.share import Mark, Share
from treadle.store.tables import Blob, Entry, Inbox, Prompt, Run, SavedState, Snapshot, Version

_runs, _entries, _prompts = Run.__table__, Entry.__table__, Prompt.__table__  # type: ignore[attr-defined]
_inbox, _snapshots, _versions = Inbox.__table__, Snapshot.__table__, Version.__table__  # type: ignore[attr-defined]
_blobs, _states = Blob.__table__, SavedState.__table__  # type: ignore[attr-defined]

log = logging.getLogger("treadle.writer")

SHORTLY, LATER = 0.05, 1.0
"""Seconds between two tries to commit, at first and at most."""
QUICK, SLOW = 0.003, 0.1
"""Seconds the loop may wait for the disk by itself, on average, and how long it does not after it had to wait longer."""
FEW = 128
"""Entries the loop writes by itself at most: more of them take it longer than that."""
LAG = 0.05
"""Seconds the row of a run that goes on may be behind its journal."""

_INDEXED = ("status", "lease_owner")
_FACTS = ("held", "entries", "started_at", "ended_at", "counts", "queue", "result", "error")
_SOME = tuple(f"run_{n}" for n in range(32))


class _Statements:
    """What the writer says to its database."""

    def __init__(self, dialect: Dialect) -> None:
        entry = [column.name for column in _entries.columns]
        mine = (_runs.c.id == bindparam("run"), _runs.c.epoch == bindparam("its_epoch"))
        facts: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _FACTS}
        indexed: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _INDEXED}
        as_before = (_runs.c[name] == value for name, value in indexed.items())
        still_open = (
            _prompts.c.run_id == bindparam("run"), _prompts.c.id == bindparam("prompt"),
            _prompts.c.status == literal_column("'open'"),
        )  # fmt: skip
        answer: dict[str, Any] = {
            "status": bindparam("new_status"), "answered_at": bindparam("at"),
            "response": bindparam("new_response"), "response_type": bindparam("kind"),
        }  # fmt: skip
        handled = update(_inbox).where(_inbox.c.id == bindparam("inbox")).values(handled_at=bindparam("at"))
        version = [column.name for column in _versions.columns]
        self.insert_run = Prepared(insert(_runs), dialect, BORN_WITH)
        self.insert_version = Prepared(insert_unless(_versions).on_conflict_do_nothing(), dialect, version)
        self.insert_entry = Prepared(insert(_entries), dialect, entry)
        self.go_on = Prepared(update(_runs).where(*mine, *as_before).values(facts), dialect)
        self.update_run = Prepared(update(_runs).where(*mine).values(facts | indexed), dialect)
        self.is_mine = Prepared(select(_runs.c.id).where(*mine).with_for_update(), dialect)
        some = _runs.c.id.in_([bindparam(name) for name in _SOME])
        self.epochs = Prepared(select(_runs.c.id, _runs.c.epoch).where(some).with_for_update(), dialect)
        opened = ["run_id", "id", "event_type", "prefix", "payload", "status", "created_at", "expects"]
        # The number of one that a run withdrew at its end is taken: it asks again when the run is opened again.
        again: dict[str, Any] = {
            "status": literal_column("'open'"), "created_at": literal_column("excluded.created_at"),
            "answered_at": null(), "response": null(), "response_type": null(),
        }  # fmt: skip
        reopened = insert_unless(_prompts).on_conflict_do_update(
            index_elements=[_prompts.c.run_id, _prompts.c.id], set_=again,
            where=_prompts.c.status == literal_column("'withdrawn'"),
        )  # fmt: skip
        self.open_prompt = Prepared(reopened, dialect, opened)
        self.close_prompt = Prepared(update(_prompts).where(*still_open).values(answer), dialect)
        self.handle = Prepared(handled, dialect)
        blob = [column.name for column in _blobs.columns]
        self.keep_blob = Prepared(insert_unless(_blobs).on_conflict_do_nothing(), dialect, blob)
        self.remark = Prepared(update(_runs).where(mine[0]).values(remarks=bindparam("new_remarks")), dialect)
        self.drop_snapshot = Prepared(delete(_snapshots).where(_snapshots.c.run_id == bindparam("run")), dialect)
        self.keep_snapshot = Prepared(insert(_snapshots), dialect, ["run_id", "seq", "context"])
        self.drop_state = Prepared(delete(_states).where(_states.c.run_id == bindparam("run")), dialect)
        self.keep_state = Prepared(insert(_states), dialect, ["run_id", "seq", "bytes"])


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
        self._say = _Statements(database.dialect)
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

    def _call_late(self) -> None:
        due = self._loop.time() + LAG / 10  # those who come next may come along
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
            late, self._late = self._late, {}
            for act in late:
                act()
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
        if sum(len(share.entries) for share in group) > FEW or any(share.large or share.state for share in group):
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
            return _write(self._say, cursor, group)

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


def _write(say: _Statements, cursor: Any, group: list[Share]) -> set[Mark]:
    """Write the shares whose epoch still holds; return the marks of the others."""
    known = _known(say, cursor, group)
    mine = [
        share
        for share in group
        if share.mark in known or (_bear(say, cursor, share) and _touch(say, cursor, share))
    ]
    for share in mine:
        share.take_out_blobs()
    say.keep_blob.many(cursor, [blob for share in mine for blob in share.blobs])
    say.insert_entry.many(cursor, [entry for share in mine for entry in share.entries])
    say.open_prompt.many(cursor, [row for share in mine for row in share.opened])
    say.close_prompt.many(cursor, [row for share in mine for row in share.closed])
    say.handle.many(cursor, [row for share in mine for row in share.handled])
    for share in mine:
        if share.context is not None:
            say.drop_snapshot.one(cursor, {"run": share.run_id})
            if share.context:  # there is none of what cannot be stored, and what an earlier entry said is no more true
                values = {"run_id": share.run_id, "seq": share.seq, "context": share.context}
                say.keep_snapshot.one(cursor, values)
        if share.state is not None:
            say.drop_state.one(cursor, {"run": share.run_id})
            if share.state:
                packed = zlib.compress(share.state.encode("ascii"), 1)
                say.keep_state.one(cursor, {"run_id": share.run_id, "seq": share.seq, "bytes": packed})
        if share.remarks is not None:
            say.remark.one(cursor, {"run": share.run_id, "new_remarks": share.remarks})
    return {share.mark for share in group} - {share.mark for share in mine} if len(mine) < len(group) else set()


def _known(say: _Statements, cursor: Any, group: list[Share]) -> set[Mark]:
    """The runs whose epoch still holds, of those that need no more than that; they are asked for many at a time."""
    quiet = [share.run_id for share in group if share.summary is None and share.birth is None]
    found: set[Mark] = set()
    if len(quiet) > 1:  # of one `_touch` asks
        for n in range(0, len(quiet), len(_SOME)):
            asked = dict.fromkeys(_SOME, quiet[n]) | dict(zip(_SOME, quiet[n:], strict=False))
            found.update(say.epochs.all(cursor, asked))
    return found


def _bear(say: _Statements, cursor: Any, share: Share) -> bool:
    """Add the row of a run that is born with this share, if its parent is still this worker's."""
    birth = share.birth
    if birth is None:
        return True
    if not say.is_mine.finds(cursor, {"run": birth.place.parent, "its_epoch": birth.parent_epoch}):
        return False
    if birth.version is not None:
        say.insert_version.one(cursor, birth.version)
    say.insert_run.one(cursor, birth.row(share.run_id))
    return True


def _touch(say: _Statements, cursor: Any, share: Share) -> bool:
    """Whether the epoch of the run still holds; then its row is brought up to date, if the share has its summary."""
    held = {"run": share.run_id, "its_epoch": share.epoch}
    if share.summary is None:
        return say.is_mine.finds(cursor, held)
    values = {**held, **_run_values(share, share.summary)}
    # Setting a column, even to what it is, writes every index it is in: three pages more for the disk to take.
    if say.go_on.one(cursor, values) == 1:
        return True
    return say.is_mine.finds(cursor, held) if share.late else say.update_run.one(cursor, values) == 1


def _run_values(share: Share, summary: Summary) -> dict[str, Any]:
    return {
        "new_status": summary.status, "new_held": summary.held, "new_entries": summary.entries,
        "new_started_at": summary.started_at, "new_ended_at": summary.ended_at, "new_counts": summary.counts,
        "new_queue": summary.queue, "new_result": summary.result, "new_error": summary.error,
        "new_lease_owner": share.owner,
    }  # fmt: skip
