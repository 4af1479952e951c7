"""Scales: what the entries of one run weigh, and what of it cannot be kept: found before anything follows from it."""

from __future__ import annotations

import json
from typing import Any

from treadle.engine import ticks
from treadle.engine.holdings import Loss, still_held
from treadle.engine.limits import Limits, check_run, told, warnings
from treadle.engine.record import Record
from treadle.engine.records import to_record
from treadle.engine.serializers import EventTypes
from treadle.engine.state import RunState
from treadle.engine.ticks import Tick
from treadle.engine.values.weighing import weight_of
from treadle.errors import LimitExceeded, ValueNotStorable
from treadle.store.splices import Splicer
from treadle.store.texts import ContextTexts

_STEPS_DOING = frozenset({
    ticks.StepFinished, ticks.EventSent, ticks.EventStreamed, ticks.EventsCollected, ticks.WaitStarted,
    ticks.ResultKept, ticks.ChildStarted, ticks.ContextChanged,
})  # fmt: skip
"""What a run that is too large is refused; how it ends is always kept."""
_NOTHING = "{}"


class Scales:
    """Makes the records of one run's ticks. `types` are the event classes that go by their names,
    `texts` remember what is said of the context.
    """

    def __init__(self, types: EventTypes | None, limits: Limits, texts: ContextTexts) -> None:
        self._types = types
        self._limits = limits
        self._ready: tuple[Tick, Record, list[Loss]] | None = None
        self._losses: list[tuple[Loss, dict[str, Any]]] = []
        self._context: dict[str, int] | None = None
        self._told: str | None = None
        self._texts = texts
        self.splicer = Splicer()

    def admit(self, state: RunState, tick: Tick) -> None:
        """Make the record of what is about to happen. Raises LimitExceeded, RunTooLarge when it must not."""
        if type(tick) in _STEPS_DOING and state.outcome is None:
            check_run(state, self._limits)
        losses: list[Loss] = []
        record = to_record(state.seq + 1, tick, self._types, losses, self._limits)
        if type(tick) is ticks.ContextChanged:
            self._weigh_context(state, tick, record)
        elif type(tick) is ticks.ContextRemoved and self._context is not None:
            self._context.pop(tick.key, None)
        self._ready = (tick, record, losses)

    def record(self, state: RunState, seq: int, tick: Tick) -> Record:
        """The record of `tick`, now that it has happened as entry `seq`."""
        ready, self._ready = self._ready, None
        if ready is None or ready[0] is not tick:
            losses: list[Loss] = []
            ready = (tick, to_record(seq, tick, self._types, losses, self._limits), losses)
        _, record, losses = ready
        assert record.seq == seq
        if type(tick) is ticks.ContextChanged:
            self._texts.note(tick, record, whole=not losses)
            record = self.splicer.shorten(record)
        if self._told is None:
            self._told = "" if seq > 1 else _NOTHING
        state.size += record.size
        self._losses += [(loss, _facts(record, tick, loss[1])) for loss in losses]
        return record

    def remarks(self, state: RunState) -> str | None:
        """What the run's page is to say, as JSON; None when it says that already."""
        if self._losses:
            held = {id(loss) for loss in still_held([loss for loss, _ in self._losses], state)}
            self._losses = [(loss, facts) for loss, facts in self._losses if id(loss) in held]
        found = warnings(state, self._limits)
        text = _NOTHING
        if found or self._losses:
            text = json.dumps({"warnings": found, "not_resumable": self._losses[0][1] if self._losses else None})
        if text == self._told:
            return None
        self._told = text
        return text

    def _weigh_context(self, state: RunState, tick: ticks.ContextChanged, record: Record) -> None:
        size = len(record.payload or "")
        if self._context is None:
            self._context = self._weights(state)
        others = sum(self._context.values()) - self._context.get(tick.key, 0)
        if others + size > self._limits.context:
            self._context = self._weights(state)  # what failed attempts took back is counted no more
            self._context.pop(tick.key, None)
            others = sum(self._context.values())
        if others + size > self._limits.context:
            largest, weight = max([*self._context.items(), (tick.key, size)], key=lambda item: item[1])
            by = f", set by step {tick.delivery[1]}" if tick.delivery is not None else ""
            raise LimitExceeded(
                f"Context{by}: with {tick.key} ({told(size)}) it would take {told(others + size)}, the largest part"
                f" {largest} ({told(weight)}), and no more than {told(self._limits.context)} is kept of one run's"
                " context. Keep large data in a file and its path here, or make it a resource.",
                path=tick.key,
            )
        self._context[tick.key] = size

    def _weights(self, state: RunState) -> dict[str, int]:
        return {key: weight_of(value, limit=self._limits.context) for key, value in state.context.items()}


def _facts(record: Record, tick: Tick, error: ValueNotStorable) -> dict[str, Any]:
    key = tick.key if isinstance(tick, ticks.ContextChanged | ticks.ResultKept) else None
    return {
        "entry": record.seq, "step": record.step, "event": record.event_type, "key": key, "path": error.path,
        "type": error.kind, "message": str(error),
    }  # fmt: skip
