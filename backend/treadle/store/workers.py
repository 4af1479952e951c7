"""What pages read about workers: who is there and what keeps them busy."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlmodel import SQLModel

from treadle.store import tables

_WORKER = SQLModel.metadata.tables[str(tables.Worker.__tablename__)].c

SILENCE = 15.0
"""Seconds without a heartbeat after which a worker no longer counts as there."""


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker process as it last reported itself; times are seconds since the epoch."""

    id: str
    name: str
    pid: int
    started_at: float
    heartbeat_at: float
    ended_at: float | None
    exit: str | None
    busy_since: float | None
    busy_run: str | None
    busy_step: str | None


def live_workers(db: Connection, *, now: float) -> tuple[WorkerRow, ...]:
    """Workers that have not ended and are not silent at `now`, by name."""
    query = (
        select(*(_WORKER[name] for name in WorkerRow.__slots__))
        .where(_WORKER.ended_at.is_(None), _WORKER.heartbeat_at >= now - SILENCE)
        .order_by(_WORKER.name, _WORKER.started_at)
    )
    return tuple(WorkerRow(**row) for row in db.execute(query).mappings())


def last_death(db: Connection, *, since: float) -> WorkerRow | None:
    """The last worker that ended in a way worth telling after `since`, or None."""
    query = (
        select(*(_WORKER[name] for name in WorkerRow.__slots__))
        .where(_WORKER.ended_at >= since, _WORKER.exit.is_not(None), _WORKER.exit.not_in(("exit 0", "stopped")))
        .order_by(_WORKER.ended_at.desc())
        .limit(1)
    )
    row = db.execute(query).mappings().first()
    return None if row is None else WorkerRow(**row)
