"""The writer: one thread that commits what all runs of a worker have queued, a group at a time.

The loop's thread puts a group together when the writer is free; the next one gathers meanwhile.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import OperationalError

from treadle.engine.commands import ClosePrompt, Command, OpenPrompt
from treadle.engine.records import Record, event_payload
from treadle.engine.summary import Summary
from treadle.errors import RunInterrupted, ValueNotStorable
from treadle.store.database import Database
from treadle.store.tables import Entry, Inbox, Prompt, Run, Snapshot

_runs, _entries, _prompts = Run.__table__, Entry.__table__, Prompt.__table__  # type: ignore[attr-defined]
_inbox, _snapshots = Inbox.__table__, Snapshot.__table__  # type: ignore[attr-defined]

_INSERT_ENTRY = insert(_entries)
_UPDATE_RUN = (
    update(_runs)
    .where(_runs.c.id == bindparam("run"))
    .values({
        name: bindparam(f"new_{name}")
        for name in ("status", "held", "entries", "started_at", "ended_at", "counts", "queue", "result", "error",
                     "lease_owner")
    })
)  # fmt: skip
_UPDATE_INBOX = update(_inbox).where(_inbox.c.id == bindparam("inbox")).values(handled_at=bindparam("at"))
_INSERT_PROMPT = insert(_prompts)
_CLOSE_PROMPT = (
    update(_prompts)
    .where(_prompts.c.run_id == bindparam("run"), _prompts.c.id == bindparam("prompt"))
    .where(_prompts.c.status == "open")
    .values(
        status=bindparam("new_status"),
        answered_at=bindparam("at"),
        response=bindparam("new_response"),
        response_type=bindparam("kind"),
    )
)


@dataclass(slots=True)
class Share:
    """What one run adds to a group: its entries and what goes with them, under the epoch it holds."""

    run_id: str
    epoch: int
    entries: list[dict[str, Any]] = field(default_factory=list)
    opened: list[dict[str, Any]] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)
    handled: list[dict[str, Any]] = field(default_factory=list)
    summary: Summary | None = None
    owner: str | None = None
    context: str | None = None
    kept: asyncio.Future[None] | None = None

    def add(self, record: Record, commands: Sequence[Command]) -> None:
        """Take one entry and the prompts its commands open and close."""
        self.entries.append({
            "run_id": self.run_id, "seq": record.seq, "at": record.at, "kind": record.kind, "step": record.step,
            "event_type": record.event_type, "payload": record.payload, "cause": record.cause,
            "detail": record.detail,
        })  # fmt: skip
        for command in commands:
            if type(command) is OpenPrompt:
                self.opened.append({
                    "run_id": self.run_id, "id": command.prompt, "event_type": type(command.event).__name__,
                    "prefix": str(command.event.get("prefix", "")).encode(errors="replace").decode(),
                    "payload": record.payload or "{}",
                    "status": "open", "created_at": record.at,
                })  # fmt: skip
            elif type(command) is ClosePrompt:
                self.closed.append({
                    "run": self.run_id, "prompt": command.prompt, "at": record.at,
                    "new_status": "answered" if command.response is not None else "withdrawn",
                    "new_response": _shown(command.response),
                    "kind": type(command.response).__name__ if command.response is not None else None,
                })  # fmt: skip


def _shown(response: Any) -> str | None:
    if response is None:
        return None
    try:
        return event_payload(response)
    except ValueNotStorable:
        return "{}"


class Writer:
    """Commits groups. `submit` on the loop's thread; each share's future is done once it is on disk."""

    def __init__(self, database: Database, *, committed: Callable[[list[str]], None]) -> None:
        self._database = database
        self._committed = committed
        self._gather: list[Callable[[], Share]] = []
        self._busy = False
        self._scheduled = False
        self._loop = asyncio.get_running_loop()
        self._work: queue.SimpleQueue[list[Share] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="treadle-writer", daemon=True)
        self._thread.start()

    def submit(self, share: Callable[[], Share]) -> None:
        """Have `share` called when the next group is put together."""
        self._gather.append(share)
        if not self._busy and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._hand_over)

    async def close(self) -> None:
        """Commit what is queued, then end the thread."""
        while self._busy or self._gather:
            done: asyncio.Future[None] = self._loop.create_future()
            self._waiting = done
            await done
        self._work.put(None)

    _waiting: asyncio.Future[None] | None = None

    def _hand_over(self) -> None:
        self._scheduled = False
        if self._gather and not self._busy:
            self._busy = True
            gather, self._gather = self._gather, []
            self._work.put([share() for share in gather])

    def _run(self) -> None:
        while (group := self._work.get()) is not None:
            self._loop.call_soon_threadsafe(self._done, group, self._try(group))

    def _try(self, group: list[Share]) -> dict[str, BaseException]:
        """Commit the group; what went wrong, by run. One run's bad entry does not take the others with it."""
        try:
            fenced = self._commit(group)
        except OperationalError as error:  # the database, not what we write: it may work again later
            return {share.run_id: RunInterrupted(f"The journal could not be written: {error}") for share in group}
        except BaseException as error:
            if len(group) == 1:
                return {group[0].run_id: error}
            return {run_id: failure for share in group for run_id, failure in self._try([share]).items()}
        return {run_id: RunInterrupted(f"Run {run_id} was taken over by another worker.") for run_id in fenced}

    def _commit(self, group: list[Share]) -> set[str]:
        for attempt in range(100):
            try:
                with self._database.write() as connection:
                    return _write(connection, group)
            except OperationalError as error:
                if "locked" not in str(error) or attempt == 99:
                    raise
                time.sleep(0.05)
        raise AssertionError("unreachable")

    def _done(self, group: list[Share], errors: dict[str, BaseException]) -> None:
        self._busy = False
        for share in group:
            kept = share.kept
            if kept is None or kept.done():
                continue
            if share.run_id in errors:
                kept.set_exception(errors[share.run_id])
            else:
                kept.set_result(None)
        if written := [share.run_id for share in group if share.run_id not in errors]:
            self._committed(written)
        self._hand_over()
        if not self._busy and self._waiting is not None:
            self._waiting.set_result(None)
            self._waiting = None


def _write(connection: Connection, group: list[Share]) -> set[str]:
    """Write the shares whose epoch still holds; return the ids of the runs of the others."""
    wanted = {share.run_id: share.epoch for share in group}
    rows = connection.execute(select(_runs.c.id, _runs.c.epoch).where(_runs.c.id.in_(wanted)))
    held = {row.id for row in rows if row.epoch == wanted[row.id]}
    mine = [share for share in group if share.run_id in held]
    entries = [entry for share in mine for entry in share.entries]
    if entries:
        connection.execute(_INSERT_ENTRY, entries)
    for statement, parameters in (
        (_INSERT_PROMPT, [row for share in mine for row in share.opened]),
        (_CLOSE_PROMPT, [row for share in mine for row in share.closed]),
        (_UPDATE_INBOX, [row for share in mine for row in share.handled]),
        (_UPDATE_RUN, [_run_values(share, share.summary) for share in mine if share.summary is not None]),
    ):
        if parameters:
            connection.execute(statement, parameters)
    for share in mine:
        if share.context is not None and share.summary is not None:
            connection.execute(_snapshots.delete().where(_snapshots.c.run_id == share.run_id))
            values = {"run_id": share.run_id, "seq": share.summary.entries, "context": share.context}
            connection.execute(insert(_snapshots), values)
    return set(wanted) - held


def _run_values(share: Share, summary: Summary) -> dict[str, Any]:
    return {
        "run": share.run_id, "new_status": summary.status, "new_held": summary.held, "new_entries": summary.entries,
        "new_started_at": summary.started_at, "new_ended_at": summary.ended_at, "new_counts": summary.counts,
        "new_queue": summary.queue, "new_result": summary.result, "new_error": summary.error,
        "new_lease_owner": share.owner,
    }  # fmt: skip
