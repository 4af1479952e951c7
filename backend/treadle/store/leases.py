"""Leases: which worker owns which run. The lease says when to take over, the epoch makes taking over safe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, Connection, and_, bindparam, func, literal_column, or_, select, update

from treadle.store.database import Database
from treadle.store.tables import Entry, Run, Worker

LIVE = ("running", "held", "waiting")
"""States a run goes on from by itself."""

_runs, _workers, _entries = Run.__table__, Worker.__table__, Entry.__table__  # type: ignore[attr-defined]
# Few runs are live, and the index on the status finds them. Were these two columns named as they are, SQLite would
# choose an index on one of them and look through every run that ever was.
_TOP_LEVEL = func.coalesce(_runs.c.parent_id, "") == ""
_WORKFLOW = func.coalesce(_runs.c.workflow, "")
_IS_LIVE = _runs.c.status.in_([literal_column(f"'{status}'") for status in LIVE])

# Made once: to put a statement together costs several times what it takes to execute it.
_CLAIMABLE = (
    select(_runs.c.id, _runs.c.workflow, _runs.c.epoch, _runs.c.entries, _workers.c.exit)
    .outerjoin(_workers, _workers.c.id == _runs.c.lease_owner)
    .where(
        _IS_LIVE,
        _WORKFLOW.in_(bindparam("workflows", expanding=True)),
        or_(_runs.c.lease_owner.is_(None), _runs.c.lease_until < bindparam("now")),
        _TOP_LEVEL,
    )
    .order_by(_runs.c.created_at)
    .limit(bindparam("most"))
)
_CLAIMABLE_UNLESS = _CLAIMABLE.where(or_(_runs.c.entries > 0, _WORKFLOW.not_in(bindparam("closed", expanding=True))))
_GOING_ON = select(_runs.c.workflow).where(
    _IS_LIVE,
    _WORKFLOW.in_(bindparam("workflows", expanding=True)),
    _TOP_LEVEL,
    or_(_runs.c.entries > 0, and_(_runs.c.lease_owner.is_not(None), _runs.c.lease_until >= bindparam("now"))),
)
_TAKE = update(_runs).values(
    lease_owner=bindparam("owner"), lease_until=bindparam("until"), epoch=_runs.c.epoch + 1
)  # fmt: skip
_TAKE_THESE = _TAKE.where(_runs.c.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Claim:
    """A run this worker now owns; `last_exit` is how the worker ended that had it before, if it did."""

    run_id: str
    workflow: str
    epoch: int
    entries: int
    last_exit: str | None


def claim(
    database: Database,
    owner: str,
    *,
    workflows: Collection[str],
    limits: Mapping[str, int] | None = None,
    now: float,
    seconds: float,
    limit: int,
) -> list[Claim]:
    """Take up to `limit` runs of `workflows` that nobody owns, for `seconds`; oldest first.

    Nested runs come with the run around them and never by themselves: who owns a run owns its family. `limits` says of
    which workflows no more than so many runs may go on at a time, whoever owns them; the others wait for their turn.
    """
    with database.read() as connection:
        if not _claimable(connection, workflows, limits or {}, now=now, limit=1):
            return []
    with database.write() as connection:
        rows = _claimable(connection, workflows, limits or {}, now=now, limit=limit)
        lease = {"owner": owner, "until": now + seconds}
        if rows:
            connection.execute(_TAKE_THESE, {**lease, "ids": [row.id for row in rows]})
        if begun := [row.id for row in rows if row.entries]:
            connection.execute(_TAKE.where(_runs.c.id.in_(select(family(begun).c.id))), lease)
    return [Claim(row.id, row.workflow, row.epoch + 1, row.entries, row.exit) for row in rows]


def _claimable(
    connection: Connection, workflows: Collection[str], limits: Mapping[str, int], *, now: float, limit: int
) -> list[Any]:
    given: dict[str, Any] = {"workflows": list(workflows), "now": now, "most": limit}
    room = _room(connection, limits, now=now) if limits else {}
    closed = [name for name, places in room.items() if places <= 0]
    query = _CLAIMABLE
    if closed:
        query, given["closed"] = _CLAIMABLE_UNLESS, closed
    taken = []
    for row in connection.execute(query, given):
        if not row.entries and row.workflow in room:  # who has begun has his place already
            room[row.workflow] -= 1
            if room[row.workflow] < 0:
                continue
        taken.append(row)
    return taken


def _room(connection: Connection, limits: Mapping[str, int], *, now: float) -> dict[str, int]:
    """How many more runs of each limited workflow may begin."""
    going_on = Counter(connection.execute(_GOING_ON, {"workflows": list(limits), "now": now}).scalars())
    return {name: most - going_on[name] for name, most in limits.items()}


def family(ids: Sequence[str]) -> CTE:
    """The runs that these ones started, and those that they started, as far as they are not over."""
    open_ended = (*LIVE, "interrupted")
    first = select(_runs.c.id).where(_runs.c.parent_id.in_(ids), _runs.c.status.in_(open_ended))
    nested = first.cte("family", recursive=True)
    deeper = select(_runs.c.id).join(nested, _runs.c.parent_id == nested.c.id)
    return nested.union_all(deeper.where(_runs.c.status.in_(open_ended)))


def drop_leases(database: Database, owner: str | None = None) -> None:
    """Let the runs of `owner` be taken over at once; without an owner, those of everybody."""
    statement = update(_runs).where(_runs.c.lease_owner.is_not(None)).values(lease_until=0.0)
    if owner is not None:
        statement = statement.where(_runs.c.lease_owner == owner)
    with database.write() as connection:
        connection.execute(statement)


def settle(database: Database, claim: Claim, **values: Any) -> None:
    """Change the row of a claimed run that has no loop: it could not be started, or not be resumed.

    It may have been behind its journal; with another status, it counts all of its entries.
    """
    if "status" in values:
        last = select(func.coalesce(func.max(_entries.c.seq), 0)).where(_entries.c.run_id == claim.run_id)
        values["entries"] = last.scalar_subquery()
    with database.write() as connection:
        connection.execute(
            update(_runs)
            .where(_runs.c.id == claim.run_id, _runs.c.epoch == claim.epoch)
            .values(lease_owner=None, **values)
        )
