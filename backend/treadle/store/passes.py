"""Passes: what followed from one execution of a step, until it came to that step again. In a loop: one iteration."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, distinct, func, select

from treadle.store.tables import Entry

_entries = Entry.__table__.c  # type: ignore[attr-defined]
_OF_STEPS = _entries.step.is_not(None) & _entries.cause.is_not(None)


@dataclass(slots=True)
class Pass:
    """The steps that ran in one pass, and the ways events went: (step, event) sent, (event, step) taken.

    `answered` are pairs of an event that asked a person and the one that answered.
    """

    steps: set[str] = field(default_factory=set)
    sent: set[tuple[str, str]] = field(default_factory=set)
    taken: set[tuple[str, str]] = field(default_factory=set)
    answered: set[tuple[str, str]] = field(default_factory=set)


def count_passes(db: Connection, run_id: str, step: str) -> int:
    """How many executions of `step` have left something in the journal."""
    query = select(func.count(distinct(_entries.cause))).where(_entries.run_id == run_id, _entries.step == step)
    return int(db.execute(query.where(_OF_STEPS)).scalar() or 0)


def pass_of(db: Connection, run_id: str, step: str, number: int) -> Pass | None:
    """The pass that the execution `number` of `step` began, counted from 1 in the order of what it was called for."""
    journal = _Journal(db, run_id)
    begun = sorted(cause for cause, name in journal.done if name == step)
    if not 1 <= number <= len(begun):
        return None
    found = Pass()
    ahead = [(begun[number - 1], step)]
    seen = set(ahead)
    while ahead:
        cause, name = ahead.pop()
        found.steps.add(name)
        if event := journal.events.get(cause):
            found.taken.add((event, name))
        for seq, event in journal.done[cause, name]:
            found.sent.add((name, event))
            for came in (seq, *journal.answers.get(seq, ())):
                if came != seq:
                    found.answered.add((event, journal.events[came]))
                for taker in journal.takers.get(came, ()):
                    found.taken.add((journal.events[came], taker))
                    if taker != step and (came, taker) not in seen:
                        seen.add((came, taker))
                        ahead.append((came, taker))
    return found


class _Journal:
    """Who did what for which event, without what was in it."""

    def __init__(self, db: Connection, run_id: str) -> None:
        self.events: dict[int, str] = {}
        self.done: defaultdict[tuple[int, str], list[tuple[int, str]]] = defaultdict(list)
        self.takers: defaultdict[int, set[str]] = defaultdict(set)
        self.answers: defaultdict[int, list[int]] = defaultdict(list)
        query = select(_entries.seq, _entries.kind, _entries.step, _entries.event_type, _entries.cause)
        for row in db.execute(query.where(_entries.run_id == run_id).order_by(_entries.seq)):
            self._read(row)

    def _read(self, row: Any) -> None:
        if row.event_type is not None:
            self.events[row.seq] = row.event_type
        if row.cause is None:
            return
        if row.step is None:
            if row.kind == "response_received":
                self.answers[row.cause].append(row.seq)
            return
        done = self.done[row.cause, row.step]
        self.takers[row.cause].add(row.step)
        if row.event_type is not None:
            done.append((row.seq, row.event_type))
