"""The inbox: requests committed before they are acknowledged, until a worker has turned them into entries."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, literal_column, select, update
from sqlalchemy.engine import Dialect

from treadle.store.database import Database
from treadle.store.leases import LIVE
from treadle.store.prepared import Prepared, Preparing
from treadle.store.tables import Inbox, Prompt, Run

_inbox, _runs = Inbox.__table__, Run.__table__  # type: ignore[attr-defined]
_prompts = Prompt.__table__  # type: ignore[attr-defined]

# Made once: to put a statement together costs several times what it takes to execute it.
_PUT = insert(_inbox)
_PENDING = (
    select(_inbox.c.id, _inbox.c.run_id, _inbox.c.kind, _inbox.c.body, _runs.c.epoch)
    .join(_runs, _runs.c.id == _inbox.c.run_id)
    .where(_inbox.c.handled_at.is_(None), _runs.c.lease_owner == bindparam("owner"))
    .order_by(_inbox.c.id)
    .limit(literal_column("1000"))
)
_REOPENING = (
    select(_inbox.c.id, _inbox.c.body)
    .where(
        _inbox.c.run_id == bindparam("run"), _inbox.c.kind == literal_column("'reopening'"),
        _inbox.c.handled_at.is_(None),
    )
    .limit(literal_column("1"))
)  # fmt: skip
_GLANCED = Preparing(_REOPENING)


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one run: start, response, cancellation, step, release or reopening.

    `epoch` is that of the run, for the worker that owns it.
    """

    id: int
    run_id: str
    kind: str
    body: dict[str, Any]
    epoch: int | None = None


def put(
    connection: Connection, run_id: str, kind: str, body: dict[str, Any], *, now: float, dedupe: str | None = None
) -> None:
    """Add a request inside the caller's transaction. A second one with the same `dedupe` is an IntegrityError."""
    row = {"run_id": run_id, "kind": kind, "dedupe": dedupe, "body": json.dumps(body), "created_at": now}
    connection.execute(_PUT, row)


def drop(connection: Connection, inbox_id: int, *, now: float) -> None:
    """Set a request aside inside the caller's transaction; another may take its place."""
    connection.execute(update(_inbox).where(_inbox.c.id == inbox_id).values(handled_at=now, dedupe=None))


class Pending:
    """The requests that wait for one worker, `owner`; the query is put together once."""

    def __init__(self, dialect: Dialect, owner: str) -> None:
        self._owner = owner
        self._query = Prepared(_PENDING, dialect)

    def beside(self, database: Database, taken: Collection[int]) -> tuple[set[int], list[Request]]:
        """Requests for the runs it holds that are not handled yet, in the order they came; for who glances.

        Of those that are `taken` already, which are on their way to the disk, only the numbers.
        """
        with database.glance() as cursor:
            rows = self._query.all(cursor, {"owner": self._owner})
        return {row[0] for row in rows if row[0] in taken}, [
            Request(number, run_id, kind, json.loads(body), epoch)
            for number, run_id, kind, body, epoch in rows
            if number not in taken
        ]


def reopening(database: Database, run_id: str) -> Request | None:
    """The request by which a person lets a stopped run go on, if no worker has done so yet; for who glances."""
    with database.glance() as cursor:
        rows = _GLANCED.on(database.dialect).all(cursor, {"run": run_id})
    return Request(rows[0][0], run_id, "reopening", json.loads(rows[0][1])) if rows else None


def pending_reopening(connection: Connection, run_id: str) -> Request | None:
    """`reopening` inside the caller's transaction."""
    row = connection.execute(_REOPENING, {"run": run_id}).first()
    return Request(row.id, run_id, "reopening", json.loads(row.body)) if row is not None else None


def clear_ended(database: Database, *, now: float) -> None:
    """Set aside requests for runs that have ended: they came too late. An answer among them was never given."""
    late = (
        select(_inbox.c.id, _inbox.c.run_id, _inbox.c.kind, _inbox.c.dedupe)
        .join(_runs, _runs.c.id == _inbox.c.run_id)
        .where(_inbox.c.handled_at.is_(None), _runs.c.status.not_in((*LIVE, "interrupted")))
    )
    with database.read() as connection:
        if connection.execute(late.limit(1)).first() is None:
            return
    with database.write() as connection:
        for row in connection.execute(late).all():
            drop(connection, row.id, now=now)
            if row.kind == "response" and row.dedupe is not None:
                prompt = (_prompts.c.run_id == row.run_id, _prompts.c.id == int(row.dedupe))
                connection.execute(
                    update(_prompts).where(*prompt, _prompts.c.status == "answered").values(status="withdrawn")
                )
