"""The inbox: requests committed before they are acknowledged, until a worker has turned them into entries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from treadle.store.database import Database
from treadle.store.leases import LIVE
from treadle.store.tables import Inbox, Run

_inbox, _runs = Inbox.__table__, Run.__table__  # type: ignore[attr-defined]

# Made once: to put a statement together costs several times what it takes to execute it.
_PUT = insert(_inbox)
_PENDING = (
    select(_inbox.c.id, _inbox.c.run_id, _inbox.c.kind, _inbox.c.body)
    .join(_runs, _runs.c.id == _inbox.c.run_id)
    .where(_inbox.c.handled_at.is_(None), _runs.c.lease_owner == bindparam("owner"))
    .order_by(_inbox.c.id)
    .limit(1000)
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one run: start, response, cancellation, step or release."""

    id: int
    run_id: str
    kind: str
    body: dict[str, Any]


def put(
    connection: Connection, run_id: str, kind: str, body: dict[str, Any], *, now: float, dedupe: str | None = None
) -> None:
    """Add a request inside the caller's transaction. A second one with the same `dedupe` is an IntegrityError."""
    row = {"run_id": run_id, "kind": kind, "dedupe": dedupe, "body": json.dumps(body), "created_at": now}
    connection.execute(_PUT, row)


def drop(connection: Connection, inbox_id: int, *, now: float) -> None:
    """Set a request aside inside the caller's transaction; another may take its place."""
    connection.execute(update(_inbox).where(_inbox.c.id == inbox_id).values(handled_at=now, dedupe=None))


def pending(database: Database, owner: str) -> list[Request]:
    """Requests for the runs `owner` holds that are not handled yet, in the order they came."""
    with database.read() as connection:
        rows = connection.execute(_PENDING, {"owner": owner}).all()
    return [Request(row.id, row.run_id, row.kind, json.loads(row.body)) for row in rows]


def clear_ended(database: Database, *, now: float) -> None:
    """Set aside requests for runs that have ended: they came too late."""
    late = (
        select(_inbox.c.id)
        .join(_runs, _runs.c.id == _inbox.c.run_id)
        .where(_inbox.c.handled_at.is_(None), _runs.c.status.not_in(LIVE))
    )
    with database.read() as connection:
        ids = list(connection.execute(late).scalars())
    if ids:
        with database.write() as connection:
            connection.execute(update(_inbox).where(_inbox.c.id.in_(ids)).values(handled_at=now))
