"""Lineage: the runs that steps of other runs started, from their birth to the end of those whose parent is over."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from treadle.engine.records import Record, to_record
from treadle.engine.reducer import apply
from treadle.engine.state import Routes, RunState
from treadle.engine.summary import summarize
from treadle.engine.ticks import RunCancelled
from treadle.store.database import Database
from treadle.store.leases import LIVE
from treadle.store.tables import Entry, Prompt, Run

_runs, _entries, _prompts = Run.__table__, Entry.__table__, Prompt.__table__  # type: ignore[attr-defined]

BORN_WITH = (
    "id", "workflow", "fingerprint", "status", "held", "created_at", "entries", "counts", "queue", "parent_id",
    "parent_seq", "parent_step", "parent_call", "lease_owner", "lease_until", "epoch",
)  # fmt: skip
"""The columns a nested run is inserted with."""
AT_ONCE = 200
"""Orphans ended in one transaction."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a nested run belongs: a delivery of its parent, and the number of the call in its step."""

    parent: str
    seq: int
    step: str
    call: int


@dataclass(frozen=True, slots=True)
class Birth:
    """What the first commit of a nested run adds beside its entries, if its parent is still at `parent_epoch`."""

    place: Place
    parent_epoch: int
    workflow: str
    fingerprint: str
    owner: str
    at: float
    lease: float
    version: dict[str, Any] | None = None
    """The row of the version it runs with, where nobody has published that."""

    def row(self, run_id: str) -> dict[str, Any]:
        """The run as it is born; the summary of the same commit says the rest."""
        return {
            "id": run_id, "workflow": self.workflow, "fingerprint": self.fingerprint, "status": "running",
            "held": False, "created_at": self.at, "entries": 0, "counts": "{}", "queue": "[]",
            "parent_id": self.place.parent, "parent_seq": self.place.seq, "parent_step": self.place.step,
            "parent_call": self.place.call, "lease_owner": self.owner, "lease_until": self.at + self.lease, "epoch": 1,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Nested:
    """A nested run as it is stored; `start` is the class of its start event and its fields as JSON."""

    id: str
    place: Place
    workflow: str
    status: str
    epoch: int
    owner: str | None
    start: tuple[str | None, str | None]

    @property
    def over(self) -> bool:
        return self.status == "completed" or self.unsuccessful

    @property
    def unsuccessful(self) -> bool:
        return self.status in ("failed", "cancelled", "timed_out")


# Made once: every run that is taken up again asks, and most have nothing inside.
_NESTED = (
    select(
        _runs.c.id, _runs.c.parent_seq, _runs.c.parent_step, _runs.c.parent_call, _runs.c.workflow, _runs.c.status,
        _runs.c.epoch, _runs.c.lease_owner, _entries.c.event_type, _entries.c.payload,
    )
    .outerjoin(
        _entries, and_(_entries.c.run_id == _runs.c.id, _entries.c.kind == "run_started", _entries.c.seq == 1)
    )
    .where(_runs.c.parent_id == bindparam("parent"))
    .order_by(_runs.c.created_at, _runs.c.parent_call)
)  # fmt: skip
_GOING_ON_INSIDE = _NESTED.where(_runs.c.status.in_(LIVE))
_OF_DELIVERY = _NESTED.where(_runs.c.parent_seq == bindparam("seq"), _runs.c.parent_step == bindparam("step"))


def nested_runs(database: Database, parent: str, *, seq: int | None = None, step: str | None = None) -> list[Nested]:
    """The runs that `parent` started, oldest first: all that go on, or, of the delivery (`seq`, `step`), all."""
    given: dict[str, Any] = {"parent": parent}
    query = _GOING_ON_INSIDE
    if step is not None:
        query = _OF_DELIVERY
        given |= {"seq": seq, "step": step}
    with database.read() as connection:
        rows = connection.execute(query, given).all()
    return [
        Nested(
            row.id, Place(parent, row.parent_seq, row.parent_step, row.parent_call), row.workflow, row.status,
            row.epoch, row.lease_owner, (row.event_type, row.payload),
        )
        for row in rows
    ]  # fmt: skip


def step_failed_after(database: Database, nested: Nested) -> bool:
    """Whether the step that started `nested` has failed since: its next attempt is another one, not the same again.

    So it is when the run around them had ended, and was opened to be tried again.
    """
    place = nested.place
    mine = and_(_entries.c.run_id == place.parent, _entries.c.cause == place.seq, _entries.c.step == place.step)
    started = select(func.min(_entries.c.seq)).where(
        mine, _entries.c.kind == "child_started", _entries.c.payload.contains(nested.id, autoescape=True)
    )
    with database.read() as connection:
        since = connection.execute(started).scalar() or place.seq
        failed = and_(mine, _entries.c.kind == "step_failed")
        retried = and_(
            _entries.c.run_id == place.parent, _entries.c.kind == "reopened", _entries.c.payload.contains('"retry"')
        )
        query = select(_entries.c.seq).where(or_(failed, retried), _entries.c.seq > since).limit(1)
        return connection.execute(query).first() is not None


def end_orphans(database: Database, owner: str, *, driven: Collection[str], now: float) -> list[str]:
    """End the runs whose parent is over and that nobody drives; their ids. `driven` are those `owner` drives.

    They are cancelled, as their parent's end would have done; under an interrupted parent they are interrupted too.
    """
    parents = _runs.alias("parent")
    orphan = and_(
        _runs.c.status.in_(LIVE),
        parents.c.status.not_in(LIVE),
        or_(_runs.c.lease_owner.is_(None), _runs.c.lease_until < now, _runs.c.lease_owner == owner),
    )
    query = (
        select(_runs.c.id, _runs.c.entries, _runs.c.counts, parents.c.status, parents.c.id)
        .join(parents, parents.c.id == _runs.c.parent_id)
        .where(orphan)
        .limit(AT_ONCE)
    )
    ended: list[str] = []
    while True:
        with database.read() as connection:
            if all(row[0] in driven for row in connection.execute(query)):
                return ended
        with database.write() as connection:
            for run_id, entries, counts, status, parent in connection.execute(query).all():
                if run_id not in driven:
                    end_stored(connection, run_id, entries, counts, status, parent, now)
                    ended.append(run_id)


def end_stored(
    connection: Connection, run_id: str, entries: int, counts: str, status: str, parent: str, now: float
) -> None:
    """End a nested run that nobody drives as its parent ended, whose `status` that is."""
    changes: dict[str, Any]
    if status == "interrupted":
        message = f"Run {parent}, whose step started it, is interrupted."
        error = {"type": "RunInterrupted", "message": message, "step": None, "traceback": ""}
        changes = {"status": "interrupted", "error": json.dumps(error)}
    else:
        # The same tick, told the same way, as where a worker cancels it; its other state is of no more consequence.
        tick, state = RunCancelled(now), RunState(Routes({}, {}))
        apply(state, tick)
        record = to_record(entries + 1, tick)
        add_last(connection, run_id, record)
        told = summarize(state)
        changes = {"status": told.status, "error": told.error, "ended_at": now, "entries": record.seq}
    changes["counts"] = at_rest(counts, over=status != "interrupted")
    connection.execute(
        update(_runs).where(_runs.c.id == run_id).values(lease_owner=None, epoch=_runs.c.epoch + 1, **changes)
    )


def add_last(connection: Connection, run_id: str, record: Record) -> None:
    """Add the entry that ends a run nobody drives, and withdraw what it asks people."""
    connection.execute(
        insert(_entries).values(
            run_id=run_id, seq=record.seq, at=record.at, kind=record.kind, step=record.step, payload=record.payload
        )
    )
    connection.execute(
        update(_prompts)
        .where(_prompts.c.run_id == run_id, _prompts.c.status == "open")
        .values(status="withdrawn", answered_at=record.at)
    )


def at_rest(counts: str, *, over: bool) -> str:
    """The counts of a run in which nothing goes on any more; in one that is `over`, nothing inside it either."""
    told = json.loads(counts)
    for step in told.get("steps", {}).values():
        step |= {"running": 0, "waiting": 0}
    for child in told.get("children", ()) if over else ():
        if child["status"] in ("running", "waiting"):
            child["status"] = "cancelled"
    return json.dumps(told | {"prompts": 0}, separators=(",", ":"))
