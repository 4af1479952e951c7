"""Leases: which worker owns which run. The lease says when to take over, the epoch makes taking over safe."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select, update

from treadle.store.database import Database
from treadle.store.tables import Run, Worker

LIVE = ("running", "held", "waiting")
"""States a run goes on from by itself."""

_runs, _workers = Run.__table__, Worker.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Claim:
    """A run this worker now owns; `last_exit` is how the worker ended that had it before, if it did."""

    run_id: str
    workflow: str
    epoch: int
    entries: int
    last_exit: str | None


def claim(
    database: Database, owner: str, *, workflows: Collection[str], now: float, seconds: float, limit: int
) -> list[Claim]:
    """Take up to `limit` runs of `workflows` that nobody owns, for `seconds`; oldest first."""
    free = and_(
        _runs.c.workflow.in_(workflows),
        _runs.c.status.in_(LIVE),
        or_(_runs.c.lease_owner.is_(None), _runs.c.lease_until < now),
    )
    columns = (_runs.c.id, _runs.c.workflow, _runs.c.epoch, _runs.c.entries, _workers.c.exit)
    query = (
        select(*columns)
        .outerjoin(_workers, _workers.c.id == _runs.c.lease_owner)
        .where(free)
        .order_by(_runs.c.created_at)
        .limit(limit)
    )
    with database.read() as connection:
        if connection.execute(query.limit(1)).first() is None:
            return []
    with database.write() as connection:
        rows = connection.execute(query).all()
        if rows:
            connection.execute(
                update(_runs)
                .where(_runs.c.id.in_([row.id for row in rows]))
                .values(lease_owner=owner, lease_until=now + seconds, epoch=_runs.c.epoch + 1)
            )
    return [Claim(row.id, row.workflow, row.epoch + 1, row.entries, row.exit) for row in rows]


def drop_leases(database: Database, owner: str | None = None) -> None:
    """Let the runs of `owner` be taken over at once; without an owner, those of everybody."""
    statement = update(_runs).where(_runs.c.lease_owner.is_not(None)).values(lease_until=0.0)
    if owner is not None:
        statement = statement.where(_runs.c.lease_owner == owner)
    with database.write() as connection:
        connection.execute(statement)


def settle(database: Database, claim: Claim, **values: Any) -> None:
    """Change the row of a claimed run that has no loop: it could not be started, or not be resumed."""
    with database.write() as connection:
        connection.execute(
            update(_runs)
            .where(_runs.c.id == claim.run_id, _runs.c.epoch == claim.epoch)
            .values(lease_owner=None, **values)
        )
