"""Moments: what a run had done when an entry was written, folded again from its journal with the engine's own rules.

No workflow is loaded for it: the recorded version tells where events go. Values that count for nothing are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, literal, select

from treadle.engine import ticks
from treadle.engine.events import BASE_TYPES, Event
from treadle.engine.records import Record, from_record
from treadle.engine.reducer import apply
from treadle.engine.replay import change_version
from treadle.engine.state import RunState
from treadle.engine.summary import counts
from treadle.engine.ticks import Tick
from treadle.errors import ValueNotStorable
from treadle.store.blobs import record_of
from treadle.store.routing import Routing
from treadle.store.tables import Entry, Prompt
from treadle.store.unloaded import event_parts, readable
from treadle.store.versions import Versions

_entries = Entry.__table__.c  # type: ignore[attr-defined]
_prompts = Prompt.__table__.c  # type: ignore[attr-defined]

_LAST = 2**62
_VALUES = ("context_changed", "context_removed", "result_kept")
"""Entries that change what a run holds and nothing that is counted."""
_CARRIERS = ("run_started", "event_sent", "event_streamed", "step_finished")
"""Entries with an event, whose fields count only where a step waits for some of them."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A run as it was at the entry `seq`: its status, and `counts` as Run.counts has them."""

    seq: int
    at: float
    status: str
    counts: dict[str, Any]


def moment(db: Connection, run_id: str, workflow: str, fingerprint: str, *, seq: int) -> Moment | None:
    """The run after its first `seq` entries, or after all if it has fewer; None if its version is not remembered.

    What has not begun by then is waited for. A journal that a version cannot explain is folded by the next one.
    """
    records = list(_records(db, run_id, seq))
    prompts = set(db.execute(select(_prompts.id).where(_prompts.run_id == run_id)).scalars())
    for routing in Versions().of(db, workflow, fingerprint):
        state = _folded(records, routing.with_events(event_parts(records, prompts)))
        if state is not None:
            return Moment(state.seq, state.last_at, state.status, counts(state))
    return None


@dataclass(frozen=True, slots=True)
class Passage:
    """An entry and what it made of its run: `kind`, `step` and `event` are the entry's, the rest is as after it."""

    at: float
    status: str
    counts: dict[str, Any]
    kind: str
    step: str | None
    event: str | None


def passages(
    db: Connection, run_id: str, workflow: str, fingerprint: str, *, seq: int | None = None
) -> Iterator[Passage]:
    """The first `seq` entries of a run, or all, each with what the run was after it.

    The journal is read now, and folded as far as somebody looks. There are none if no version explains it.
    """
    records = list(_records(db, run_id, seq if seq is not None else _LAST))
    prompts = set(db.execute(select(_prompts.id).where(_prompts.run_id == run_id)).scalars())
    for recorded in Versions().of(db, workflow, fingerprint):
        routing = recorded.with_events(event_parts(records, prompts))
        if _folded(records, routing) is not None:
            return _passages(records, routing)
    return iter(())


def _passages(records: list[Record], routing: Routing) -> Iterator[Passage]:
    state = RunState(routing.routes)
    for record in records:
        _apply(state, record, routing)
        told = {**counts(state), "events": dict(state.events)}
        yield Passage(state.last_at, state.status, told, record.kind, record.step, record.event_type)


def seq_at(db: Connection, run_id: str, at: float) -> int:
    """How many entries of a run there were at a time."""
    query = select(func.count()).where(_entries.run_id == run_id, _entries.at <= at)
    return int(db.execute(query).scalar() or 0)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What brought an entry about: `step` took `event`, which `sender` had sent, if a step had."""

    step: str
    event: str
    sender: str | None


def trigger_of(db: Connection, run_id: str, seq: int) -> Trigger | None:
    """The event to which the step of an entry owes that it ran."""
    query = select(_entries.step, _entries.event_type, _entries.cause).where(_entries.run_id == run_id)
    entry = db.execute(query.where(_entries.seq == seq)).first()
    if entry is None or entry.step is None or entry.cause is None:
        return None
    cause = db.execute(query.where(_entries.seq == entry.cause)).first()
    return Trigger(entry.step, cause.event_type, cause.step) if cause is not None and cause.event_type else None


def _records(db: Connection, run_id: str, seq: int) -> Iterator[Record]:
    mine = (_entries.run_id == run_id, _entries.seq <= seq)
    waits = db.execute(select(literal(1)).where(*mine, _entries.kind == "wait_started").limit(1)).scalar()
    spare = _entries.kind.in_(_VALUES)
    if not waits:
        own = _entries.event_type.in_(BASE_TYPES)  # their fields are told apart by more than their names
        spare = spare | (_entries.kind.in_(_CARRIERS) & ~own)
    payload = case((spare, None), else_=_entries.payload).label("payload")
    detail = case((_entries.kind.in_(_VALUES), None), else_=_entries.detail).label("detail")
    query = select(
        _entries.seq, _entries.at, _entries.kind, _entries.step, _entries.event_type, payload, _entries.cause, detail
    )
    for row in db.execute(query.where(*mine).order_by(_entries.seq)):
        yield record_of(db, run_id, row)


def _folded(records: list[Record], routing: Routing) -> RunState | None:
    state = RunState(routing.routes)
    try:
        for record in records:
            _apply(state, record, routing)
    except (ValueNotStorable, LookupError, AssertionError, AttributeError, TypeError, ValueError):
        return None
    return state


def _apply(state: RunState, record: Record, routing: Routing) -> None:
    tick = _tick(record, routing)
    change_version(state, tick, routing.versions.get)
    apply(state, tick)


def _tick(record: Record, routing: Routing) -> Tick:
    if record.kind in _VALUES:
        return ticks.EventStreamed(record.at, Event())
    return from_record(readable(record), routing.types)
