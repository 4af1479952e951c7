"""Starting: the transaction behind a 201. What it commits, a worker will do: mostly the one it is given to at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Dialect

from treadle.errors import (
    IdempotencyConflict,
    RunNotFound,
    TreadleError,
    WorkflowNotFound,
    WorkflowValidationError,
)
from treadle.store.database import PATIENCE, Database
from treadle.store.failing import answering
from treadle.store.leases import LEASE
from treadle.store.prepared import Prepared
from treadle.store.tables import Inbox, Run, Worker, Workflow
from treadle.store.together import Together
from treadle.store.workflows import absent

_runs, _inbox = Run.__table__, Inbox.__table__  # type: ignore[attr-defined]
_workflows, _workers = Workflow.__table__, Worker.__table__  # type: ignore[attr-defined]

_STARTED_BY = select(_runs.c.id, _runs.c.request_digest).where(_runs.c.idempotency_key == bindparam("key"))
_FOUND = select(_runs.c.id).where(_runs.c.id == bindparam("run"))
_CARD = select(_workflows.c.fingerprint, _workflows.c.error, _workflows.c.num_concurrent_runs).where(
    _workflows.c.name == bindparam("workflow")
)
_FREE = (
    select(_workers.c.id, _workers.c.workflows)
    .where(_workers.c.ended_at.is_(None), _workers.c.busy_since.is_(None))
    .where(_workers.c.heartbeat_at >= bindparam("since"))
    .order_by(_workers.c.id)
)
_RUN = (
    "id", "workflow", "fingerprint", "status", "held", "created_at", "entries", "counts", "queue", "idempotency_key",
    "request_digest", "continued_from", "lease_owner", "lease_until", "epoch",
)  # fmt: skip
_REQUEST = ("run_id", "kind", "body", "created_at")

_Row = dict[str, Any]
"""A run and the request to start it: what is written to both tables."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that will be done, by `worker` if it was given to one.

    `created` is False when the idempotency key had started it before.
    """

    run_id: str
    created: bool
    worker: str | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """What is asked for: `body` has workflow, fields, held, continued_from; `digest` tells one input from another."""

    run_id: str
    body: dict[str, Any]
    digest: str | None
    idempotency_key: str | None
    now: float

    def row(self) -> _Row:
        """The run, owned by nobody yet, and the request in the inbox."""
        body = self.body
        return {
            "id": self.run_id, "workflow": body["workflow"], "status": "held" if body["held"] else "running",
            "held": body["held"], "created_at": self.now, "entries": 0, "counts": "{}", "queue": "[]",
            "idempotency_key": self.idempotency_key, "request_digest": self.digest,
            "continued_from": body["continued_from"], "lease_owner": None, "lease_until": 0.0, "epoch": 0,
            "run_id": self.run_id, "kind": "start", "body": json.dumps(body),
        }  # fmt: skip


class _Statements:
    """What starting says to its database."""

    def __init__(self, dialect: Dialect) -> None:
        self.started_by = Prepared(_STARTED_BY, dialect)
        self.found = Prepared(_FOUND, dialect)
        self.card = Prepared(_CARD, dialect)
        self.free = Prepared(_FREE, dialect)
        self.add_run = Prepared(insert(_runs), dialect, _RUN)
        self.add_request = Prepared(insert(_inbox), dialect, _REQUEST)


class Starts:
    """Accepts starts; those that come at the same time share a commit.

    Afterwards `nudge` tells each worker that was given one, or by ("*", None) all that there are runs to claim;
    `listeners` are the workers that hear it.
    """

    def __init__(
        self,
        database: Database,
        *,
        nudge: Callable[[str, str | None], None],
        listeners: Callable[[], Collection[str]] | None = None,
    ) -> None:
        self._database = database
        self._nudge = nudge
        self._listeners = listeners
        self._say = _Statements(database.dialect)
        self._together: Together[_Row, Accepted] = Together(self._accept)
        self._turns = count()

    def accept(self, start: Start) -> Accepted:
        """Add the run and the request to start it, from any thread.

        It is given to one of the workers that are free and listen, in turn: none has to claim it then. Where a workflow
        allows only so many runs at a time, the workers see to that.
        """
        try:
            return self._together.ask(start.row())
        except WorkflowNotFound as error:
            raise self._absent(error.name) from None

    async def accept_soon(self, start: Start) -> Accepted:
        """The same for a loop."""
        try:
            return await self._together.ask_soon(start.row())
        except WorkflowNotFound as error:
            raise await asyncio.to_thread(self._absent, error.name) from None

    def _absent(self, workflow: str) -> Exception:
        with self._database.read() as connection:
            return absent(connection, workflow)

    def _accept(self, rows: Sequence[_Row]) -> list[Accepted | BaseException]:
        accepted: list[Accepted | BaseException] = []
        with answering(), self._database.journal(seconds=PATIENCE) as cursor:
            desk = _Desk(self._say, cursor, free=self._free(cursor, rows[-1]["created_at"]))
            for row in rows:
                try:
                    accepted.append(desk.accept(row, next(self._turns)))
                except TreadleError as refused:
                    accepted.append(refused)
            self._say.add_run.many(cursor, desk.added)
            self._say.add_request.many(cursor, desk.added)
        for worker, run_id in {row["lease_owner"]: row["id"] for row in desk.added}.items():
            self._nudge(run_id if worker is not None else "*", worker)
        return accepted

    def _free(self, cursor: Any, now: float) -> list[tuple[str, str | None]]:
        """The workers that a run may be given to, each with what it can run."""
        found: list[tuple[str, str | None]] = self._say.free.all(cursor, {"since": now - LEASE})
        if self._listeners is None:
            return found
        listeners = self._listeners()
        return [(worker, able) for worker, able in found if worker in listeners]


class _Desk:
    """Where the starts of one commit are looked at, one after the other; those to be `added` are given to `free`."""

    def __init__(self, say: _Statements, cursor: Any, *, free: Sequence[tuple[str, str | None]]) -> None:
        self.added: list[_Row] = []
        self._say = say
        self._cursor = cursor
        self._free = free
        self._cards: dict[str, tuple[str, int | None]] = {}
        self._able: dict[str, list[str]] = {}
        self._keys: dict[str, tuple[str, str]] = {}

    def accept(self, row: _Row, turn: int) -> Accepted:
        """Add it to what is added. Raises a TreadleError for one that is refused."""
        if row["idempotency_key"] is not None and (earlier := self._earlier(row)) is not None:
            return Accepted(earlier, created=False)
        row["fingerprint"], limit = self._card(row["workflow"])
        continued = row["continued_from"]
        if continued is not None and not self._say.found.finds(self._cursor, {"run": continued}):
            raise RunNotFound(continued)
        worker = None
        if limit is None and (able := self._workers_for(row["workflow"])):
            worker = able[turn % len(able)]
            row |= {"lease_owner": worker, "lease_until": row["created_at"] + LEASE, "epoch": 1}
        self.added.append(row)
        if row["idempotency_key"] is not None:
            self._keys[row["idempotency_key"]] = (row["id"], row["request_digest"])
        return Accepted(row["id"], created=True, worker=worker)

    def _earlier(self, row: _Row) -> str | None:
        """The run that was started with the same key before. Raises IdempotencyConflict if it was with other input."""
        key = row["idempotency_key"]
        found = [self._keys[key]] if key in self._keys else self._say.started_by.all(self._cursor, {"key": key})
        for earlier, digest in found:
            if digest != row["request_digest"]:
                raise IdempotencyConflict(key, earlier)
            return str(earlier)
        return None

    def _workers_for(self, workflow: str) -> list[str]:
        able = self._able.get(workflow)
        if able is None:
            free = ((worker, json.loads(told or "[]")) for worker, told in self._free)
            able = self._able[workflow] = [worker for worker, names in free if workflow in names]
        return able

    def _card(self, workflow: str) -> tuple[str, int | None]:
        """The fingerprint of a workflow, and how many of its runs may go on at a time."""
        card = self._cards.get(workflow)
        if card is None:
            rows = self._say.card.all(self._cursor, {"workflow": workflow})
            if not rows:
                raise WorkflowNotFound(workflow)
            ((fingerprint, error, limit),) = rows
            if error is not None:
                raise WorkflowValidationError(f"{workflow} cannot be run: {json.loads(error)['message']}")
            card = self._cards[workflow] = (fingerprint, limit)
        return card
