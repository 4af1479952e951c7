"""Leases: which worker owns which run. The lease says when to take over, the epoch makes taking over safe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.engine import Dialect

from treadle.store.database import Database
from treadle.store.prepared import Prepared
from treadle.store.tables import Entry, Run, Worker

LIVE = ("running", "held", "waiting")
"""States a run goes on from by itself."""
LEASE = 10.0
"""Seconds after which a silent worker's runs may be taken over."""
PROMPTLY = 0.4
"""Seconds after which a run that was given to a worker and has not begun may be taken by another, once."""

_runs, _workers, _entries = Run.__table__, Worker.__table__, Entry.__table__  # type: ignore[attr-defined]
# Few runs are live, and the index on the status finds them. Were these two columns named as they are, SQLite would
# choose an index on one of them and look through every run that ever was.
_NOTHING: ColumnElement[str] = literal_column("''")
_TOP_LEVEL = func.coalesce(_runs.c.parent_id, _NOTHING) == _NOTHING
_WORKFLOW = func.coalesce(_runs.c.workflow, _NOTHING)
_BEGUN = _runs.c.entries > literal_column("0")
_IS_LIVE = _runs.c.status.in_([literal_column(f"'{status}'") for status in LIVE])


@dataclass(frozen=True, slots=True)
class Claim:
    """A run this worker now owns; `last_exit` is how the worker ended that had it before, if it did."""

    run_id: str
    workflow: str
    epoch: int
    entries: int
    last_exit: str | None


class Claims:
    """How one worker, `owner`, claims runs of `workflows`; its statements are put together once.

    Nested runs come with the run around them and never by themselves: who owns a run owns its family. `limits` says of
    which workflows no more than so many runs may go on at a time, whoever owns them; the others wait for their turn.
    """

    def __init__(
        self, dialect: Dialect, owner: str, *, workflows: Collection[str], limits: Mapping[str, int] | None = None
    ) -> None:
        self._owner = owner
        self._limits = dict(limits or {})
        names, self._workflows = _each("workflow", workflows or [""])
        limited, self._limited = _each("limited", self._limits)
        closed, _ = _each("closed", self._limits)
        # It blocks, or has too much to do. Only once, or two slow workers would take it from each other for ever.
        not_begun = and_(
            _runs.c.epoch == literal_column("1"), _runs.c.entries == literal_column("0"),
            _runs.c.lease_until < bindparam("promptly"), _runs.c.lease_owner != bindparam("owner"),
        )  # fmt: skip
        owned = and_(_runs.c.lease_owner.is_not(None), _runs.c.lease_until >= bindparam("now"))
        going_on = select(_runs.c.workflow).where(_IS_LIVE, _WORKFLOW.in_(limited), _TOP_LEVEL, or_(_BEGUN, owned))
        claimable = (
            select(_runs.c.id, _runs.c.workflow, _runs.c.epoch, _runs.c.entries, _workers.c.exit)
            .outerjoin(_workers, _workers.c.id == _runs.c.lease_owner)
            .where(
                _IS_LIVE,
                _WORKFLOW.in_(names),
                or_(_runs.c.lease_owner.is_(None), _runs.c.lease_until < bindparam("now"), not_begun),
                _TOP_LEVEL,
                or_(_BEGUN, _WORKFLOW.not_in(closed)) if limited else true(),
            )
            .order_by(_runs.c.created_at)
            .limit(bindparam("most"))
        )
        lease: dict[str, Any] = {
            "lease_owner": bindparam("owner"), "lease_until": bindparam("until"),
            "epoch": _runs.c.epoch + literal_column("1"),
        }  # fmt: skip
        take = update(_runs).values(lease)
        self._going_on = Prepared(going_on, dialect)
        self._claimable = Prepared(claimable, dialect)
        self._take = Prepared(take.where(_runs.c.id == bindparam("run")), dialect)
        inside = select(family(bindparam("run")).c.id)
        self._take_family = Prepared(take.where(_runs.c.id.in_(inside)), dialect)

    def claim(self, database: Database, *, now: float, seconds: float, limit: int) -> list[Claim]:
        """Take up to `limit` runs that nobody owns, for `seconds`; oldest first."""
        with database.write() as connection, closing(connection.connection.cursor()) as cursor:
            found = [Claim(run, workflow, epoch + 1, entries, how) for run, workflow, epoch, entries, how
                     in self._look(cursor, now=now, seconds=seconds, limit=limit)]  # fmt: skip
            lease = {"owner": self._owner, "until": now + seconds}
            self._take.many(cursor, [{**lease, "run": claim.run_id} for claim in found])
            self._take_family.many(cursor, [{**lease, "run": claim.run_id} for claim in found if claim.entries])
        return found

    def any(self, database: Database, *, now: float, seconds: float) -> bool:
        """Whether there is something to claim; on the thread that glances."""
        with database.glance() as cursor:
            return bool(self._look(cursor, now=now, seconds=seconds, limit=1))

    def _look(self, cursor: Any, *, now: float, seconds: float, limit: int) -> list[Any]:
        room = self._room(cursor, now=now)
        # A name that no workflow has stands for one that is open.
        closed = {f"closed_{n}": name if room[name] <= 0 else "" for n, name in enumerate(self._limits)}
        taken = []
        given = {"now": now, "promptly": now + seconds - PROMPTLY, "owner": self._owner, "most": limit}
        for row in self._claimable.all(cursor, {**self._workflows, **closed, **given}):
            _, workflow, _, entries, _ = row
            if not entries and workflow in room:  # who has begun has his place already
                room[workflow] -= 1
                if room[workflow] < 0:
                    continue
            taken.append(row)
        return taken

    def _room(self, cursor: Any, *, now: float) -> dict[str, int]:
        """How many more runs of each limited workflow may begin."""
        if not self._limits:
            return {}
        going_on = Counter(workflow for (workflow,) in self._going_on.all(cursor, {**self._limited, "now": now}))
        return {name: most - going_on[name] for name, most in self._limits.items()}


def _each(word: str, names: Collection[str]) -> tuple[list[Any], dict[str, str]]:
    """A parameter for each name, and what they are."""
    given = {f"{word}_{n}": name for n, name in enumerate(names)}
    return [bindparam(parameter) for parameter in given], given


def family(run: str | BindParameter[str]) -> CTE:
    """The runs that this one started, and those that they started, as far as they are not over."""
    open_ended: list[ColumnElement[str]] = [literal_column(f"'{status}'") for status in (*LIVE, "interrupted")]
    first = select(_runs.c.id).where(_runs.c.parent_id == run, _runs.c.status.in_(open_ended))
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
