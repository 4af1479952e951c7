"""Presence: the rows by which worker processes show themselves, and keep their leases while they live."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import insert, update

from treadle.store.database import Database
from treadle.store.tables import Run, Worker

_runs, _workers = Run.__table__, Worker.__table__  # type: ignore[attr-defined]


def arrive(
    database: Database, worker_id: str, *, name: str, pid: int, workflows: Collection[str], now: float
) -> None:
    """Show a worker that is new, or that a studio took for gone when it started, and what it can run."""
    able = json.dumps(sorted(workflows))
    with database.write() as connection:
        known = update(_workers).where(_workers.c.id == worker_id)
        if connection.execute(known.values(heartbeat_at=now, ended_at=None, exit=None)).rowcount == 0:
            values = {"id": worker_id, "name": name, "pid": pid, "started_at": now, "heartbeat_at": now}
            connection.execute(insert(_workers).values(values | {"workflows": able}))


def heartbeat(
    database: Database,
    worker_id: str,
    *,
    now: float,
    lease: float,
    busy: tuple[float, str | None, str | None] | None,
) -> None:
    """Say that the worker lives, renew its leases for `lease` seconds, name the step that blocks it.

    Not those of runs that it has not begun: while it is blocked another may.
    """
    since, run, step = busy if busy is not None else (None, None, None)
    with database.write() as connection:
        connection.execute(
            update(_workers)
            .where(_workers.c.id == worker_id)
            .values(heartbeat_at=now, busy_since=since, busy_run=run, busy_step=step)
        )
        connection.execute(
            update(_runs)
            .where(_runs.c.lease_owner == worker_id, _runs.c.lease_until > 0.0, _runs.c.entries > 0)
            .values(lease_until=now + lease)
        )


def bury(database: Database, *, now: float) -> None:
    """Say of all workers that were here before that they have ended; nobody knows how."""
    with database.write() as connection:
        ended = update(_workers).where(_workers.c.ended_at.is_(None))
        connection.execute(ended.values(ended_at=now, busy_since=None, busy_run=None, busy_step=None))


def leave(database: Database, worker_id: str, *, now: float, how: str) -> bool:
    """Say how a worker ended, and let its runs be taken over at once; what it said itself stands.

    Whether it had shown itself and not said so yet.
    """
    with database.write() as connection:
        ended = connection.execute(
            update(_workers)
            .where(_workers.c.id == worker_id, _workers.c.ended_at.is_(None))
            .values(ended_at=now, exit=how, busy_since=None, busy_run=None, busy_step=None)
        )
        connection.execute(update(_runs).where(_runs.c.lease_owner == worker_id).values(lease_until=0.0))
    return bool(ended.rowcount)
