"""Starting: the transaction behind a 201. What it commits, a worker will do: mostly the one it is given to at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Dialect

from treadle.errors import IdempotencyConflict, RunNotFound, WorkflowValidationError
from treadle.store.database import Database
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
_LIVES = (_workers.c.ended_at.is_(None), _workers.c.heartbeat_at >= bindparam("since"))
_FREE = select(_workers.c.id).where(*_LIVES, _workers.c.busy_since.is_(None)).order_by(_workers.c.id)
_RUN = (
    "id", "workflow", "fingerprint", "status", "held", "created_at", "entries", "counts", "queue", "idempotency_key",
    "request_digest", "continued_from", "lease_owner", "lease_until", "epoch",
)  # fmt: skip
_REQUEST = ("run_id", "kind", "body", "created_at")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that will be done, by `worker` if it was given to one.

    `created` is False when the idempotency key had started it before.
    """

    run_id: str
    created: bool
    worker: str | None = None


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
    """Accepts starts, from any thread; those that come at the same time share a commit."""

    def __init__(self, database: Database, listeners: Callable[[], Collection[str]] | None = None) -> None:
        self._database = database
        self._listeners = listeners
        self._say = _Statements(database.dialect)
        self._together = Together(database)
        self._turns = count()

    def accept(
        self, run_id: str, body: dict[str, Any], *, digest: str, idempotency_key: str | None, now: float
    ) -> Accepted:
        """Add the run `run_id` and the request to start it with `body` (workflow, fields, held, continued_from).

        It is given to one of the workers that are free and listen, in turn: none has to claim it then. Where a workflow
        allows only so many runs at a time, the workers see to that.
        """
        row = {
            "id": run_id, "workflow": body["workflow"], "status": "held" if body["held"] else "running",
            "held": body["held"], "created_at": now, "entries": 0, "counts": "{}", "queue": "[]",
            "idempotency_key": idempotency_key, "request_digest": digest, "continued_from": body["continued_from"],
            "lease_owner": None, "lease_until": 0.0, "epoch": 0,
        }  # fmt: skip
        request = {"run_id": run_id, "kind": "start", "body": json.dumps(body), "created_at": now}
        accepted = self._together.write(lambda cursor: self._accept(cursor, row, request))
        if accepted is None:
            with self._database.read() as connection:
                raise absent(connection, body["workflow"])
        return accepted

    def _accept(self, cursor: Any, row: dict[str, Any], request: dict[str, Any]) -> Accepted | None:
        """None: there is no such workflow."""
        say, workflow, now = self._say, row["workflow"], row["created_at"]
        if row["idempotency_key"] is not None:
            for earlier, digest in say.started_by.all(cursor, {"key": row["idempotency_key"]}):
                if digest != row["request_digest"]:
                    raise IdempotencyConflict(row["idempotency_key"], earlier)
                return Accepted(earlier, created=False)
        cards = say.card.all(cursor, {"workflow": workflow})
        if not cards:
            return None
        ((fingerprint, error, limit),) = cards
        if error is not None:
            raise WorkflowValidationError(f"{workflow} cannot be run: {json.loads(error)['message']}")
        if row["continued_from"] is not None and not say.found.finds(cursor, {"run": row["continued_from"]}):
            raise RunNotFound(row["continued_from"])
        worker: str | None = None
        if limit is None and (free := self._free(cursor, now)):
            worker = free[next(self._turns) % len(free)]
            row |= {"lease_owner": worker, "lease_until": now + LEASE, "epoch": 1}
        say.add_run.one(cursor, row | {"fingerprint": fingerprint})
        say.add_request.one(cursor, request)
        return Accepted(row["id"], created=True, worker=worker)

    def _free(self, cursor: Any, now: float) -> list[str]:
        found = [worker for (worker,) in self._say.free.all(cursor, {"since": now - LEASE})]
        if self._listeners is None:
            return found
        listeners = self._listeners()
        return [worker for worker in found if worker in listeners]
