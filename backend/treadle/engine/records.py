"""Records: ticks as rows of text. `from_record` reads them back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from treadle.engine import ticks
from treadle.engine.events import Event, InputRequiredEvent
from treadle.engine.holdings import Loss
from treadle.engine.limits import LIMITS, Limits, told
from treadle.engine.readers import from_record
from treadle.engine.record import Record
from treadle.engine.serializers import EventTypes, dumps, event_text, model_fields, plain_text, to_json
from treadle.engine.ticks import Key, Tick
from treadle.engine.values.classes import class_ref, name_of
from treadle.engine.values.coding import TAG, Overflow
from treadle.engine.values.weighing import heaviest
from treadle.errors import LimitExceeded, ValueNotStorable

__all__ = ["EventTypes", "Record", "event_payload", "from_record", "to_record"]


def to_record(
    seq: int,
    tick: Tick,
    types: EventTypes | None = None,
    losses: list[Loss] | None = None,
    limits: Limits = LIMITS,
) -> Record:
    """The record of `tick` as entry `seq`; `types` are the event classes its reader knows by name, None: all.

    What has no exact form is told to `losses`, and its place in the record says so. Raises LimitExceeded, naming step,
    event and path, for a value that is nested too deep or too large.
    """
    return _WRITERS[type(tick)](seq, tick, _Pen(types, [] if losses is None else losses, limits))


def event_payload(event: Event, step: str | None = None) -> str:
    """The fields of an event as JSON. Raises ValueNotStorable naming event, step and field."""
    return event_text(event, where=_where(event, step))[0]


_facts = json.JSONEncoder(separators=(",", ":")).encode
"""What Treadle itself says, as JSON."""


class _Pen:
    """What a record is written with."""

    __slots__ = ("_limit", "_losses", "_types")

    def __init__(self, types: EventTypes | None, losses: list[Loss], limits: Limits) -> None:
        self._types = types
        self._losses = losses
        self._limit = limits.blob

    def carrying(
        self, seq: int, at: float, kind: str, step: str | None, event: Event, cause: int | None, detail: dict[str, Any]
    ) -> Record:
        """A record that carries an event."""
        name = type(event).__name__
        payload, parts = plain_text(event) or self._written(event, step)
        if len(payload) > self._limit:
            raise self._too_large(_where(event, step), "event", model_fields(event), payload)
        if parts:
            detail = {**detail, **parts}
        if self._types is not None and self._types.get(name) is not type(event):
            detail = {**detail, **self._class_of(event, _where(event, step))}
        return Record(seq, at, kind, step, name, payload, cause, _facts(detail) if detail else None)

    def _written(self, event: Event, step: str | None) -> tuple[str, dict[str, Any]]:
        """The payload of an event of any kind, and what is beside it."""
        where = _where(event, step)
        lost: list[ValueNotStorable] = []
        try:
            payload, parts = event_text(event, where=where, room=self._limit, types=self._types, lost=lost)
        except Overflow:
            raise self._too_large(where, "event", model_fields(event), None) from None
        self._losses += [(event, error) for error in lost]
        return payload, parts

    def _class_of(self, event: Event, where: str) -> dict[str, Any]:
        """What a record says of an event whose class does not go by its name alone."""
        kind = type(event)
        ref = class_ref(kind)
        if ref is not None:
            return {"class": ref}
        trouble = ValueNotStorable(
            f"{where} its class {name_of(kind)} is not found by its name; define it at the top level of a file, not"
            " inside a function.",
            kind=name_of(kind),
        )
        self._losses.append((None, trouble))
        return {"not_stored": str(trouble)}

    def named(self, key: str, value: Any, where: str, what: str) -> str:
        """The payload of a named value."""
        return f'{{"key":{to_json(key)},"value":{self._value(str(key), value, where, what)}}}'

    def values(self, values: Mapping[str, Any], where: str, what: str) -> str:
        """Named values as JSON text."""
        if all(type(key) is str and key.isascii() and key != TAG for key in values):
            pairs = (f"{dumps(key)}:{self._value(key, value, where, what)}" for key, value in values.items())
            return f"{{{','.join(pairs)}}}"
        lost: list[ValueNotStorable] = []
        text = to_json(dict(values), where=where, outer=True, types=self._types, lost=lost)
        self._losses += [(value, error) for error in lost for value in values.values()]
        return text

    def _value(self, key: str, value: Any, where: str, what: str) -> str:
        lost: list[ValueNotStorable] = []
        try:
            text = to_json(value, key, where=where, room=self._limit, types=self._types, lost=lost)
        except Overflow:
            text = None
        if text is None or len(text) > self._limit:
            raise self._too_large(where, what, {key: value}, text)
        if lost:
            self._losses += [(value, error) for error in lost]
        return text

    def _too_large(self, where: str, what: str, parts: Mapping[str, Any], text: str | None) -> LimitExceeded:
        path, weight = heaviest(parts, limit=self._limit if text is None else len(text))
        size = told(len(text)) if text is not None else f"more than {told(self._limit)}"
        part = f"more than {told(self._limit)}" if text is None and weight > self._limit else told(weight)
        return LimitExceeded(
            f"{where} it takes {size}, most of it {path} ({part}), and no more than {told(self._limit)} is kept of one"
            f" {what}. Keep large data in a file and pass its path.",
            path=path,
        )


def _where(event: Event, step: str | None) -> str:
    return f"Event {type(event).__name__}" + (f" from step {step}:" if step is not None else ":")


def _key(delivery: Key | None) -> tuple[int | None, str | None]:
    return delivery if delivery is not None else (None, None)


def _started(seq: int, tick: ticks.RunStarted, pen: _Pen) -> Record:
    facts: dict[str, Any] = {"held": tick.held}
    if tick.deadline is not None:
        facts["deadline"] = tick.deadline
    record = pen.carrying(seq, tick.at, "run_started", None, tick.event, None, facts)
    context = pen.values(tick.context, "Context at the start:", "context value")
    assert record.detail is not None
    return record._replace(detail=f'{record.detail[:-1]},"context":{context}}}')


def _sent(seq: int, tick: ticks.EventSent, pen: _Pen) -> Record:
    cause, step = tick.source if tick.source is not None else (tick.prompt, None)
    kind = "response_received" if tick.prompt is not None else "event_sent"
    detail = {"target": tick.target, "index": tick.index} if tick.target is not None or tick.index else {}
    return pen.carrying(seq, tick.at, kind, step, tick.event, cause, detail)


def _streamed(seq: int, tick: ticks.EventStreamed, pen: _Pen) -> Record:
    cause, step = _key(tick.source)
    detail = {"prompt": True} if isinstance(tick.event, InputRequiredEvent) else {}
    return pen.carrying(seq, tick.at, "event_streamed", step, tick.event, cause, detail)


def _finished(seq: int, tick: ticks.StepFinished, pen: _Pen) -> Record:
    cause, step = tick.delivery
    if tick.event is None:
        return Record(seq, tick.at, "step_finished", step, None, None, cause)
    return pen.carrying(seq, tick.at, "step_finished", step, tick.event, cause, {"handed": True} if tick.handed else {})


def _wait(seq: int, tick: ticks.WaitStarted, pen: _Pen) -> Record:
    cause, step = tick.delivery
    facts = {"expected": tick.expected, "due": tick.due, "human": tick.human}
    if tick.event is None:
        record = Record(seq, tick.at, "wait_started", step, None, None, cause, _facts(facts))
    else:
        record = pen.carrying(seq, tick.at, "wait_started", step, tick.event, cause, facts)
    requirements = pen.values(tick.requirements, f"Requirements of wait_for_event in step {step}:", "requirement")
    assert record.detail is not None
    return record._replace(detail=f'{record.detail[:-1]},"requirements":{requirements}}}')


def _result(seq: int, tick: ticks.ResultKept, pen: _Pen) -> Record:
    cause, step = tick.delivery
    payload = pen.named(tick.key, tick.value, f"Result of run_once in step {step}:", "result")
    return Record(seq, tick.at, "result_kept", step, None, payload, cause)


def _child(seq: int, tick: ticks.ChildStarted | ticks.ChildChanged | ticks.ChildEnded, pen: _Pen) -> Record:
    cause, step = tick.delivery
    if isinstance(tick, ticks.ChildStarted):
        payload = _facts({"call": tick.call, "workflow": tick.workflow, "run_id": tick.run_id})
        return Record(seq, tick.at, "child_started", step, None, payload, cause)
    payload = _facts({"call": tick.call, "status": tick.status})
    kind = "child_ended" if isinstance(tick, ticks.ChildEnded) else "child_changed"
    return Record(seq, tick.at, kind, step, None, payload, cause)


def _failed(seq: int, tick: ticks.StepFailed, pen: _Pen) -> Record:
    facts = {"error": asdict(tick.error), "retry_at": tick.retry_at}
    return _of_delivery(seq, tick, "step_failed", _facts(facts | _conflicts(tick)))


def _collected(seq: int, tick: ticks.EventsCollected, pen: _Pen) -> Record:
    cause, step = tick.delivery
    detail = _facts({"expected": tick.expected}) if tick.expected is not None else None
    return Record(seq, tick.at, "collected", step, None, None, cause, detail)


def _context(seq: int, tick: ticks.ContextChanged, pen: _Pen) -> Record:
    where = f"Context, set by step {tick.delivery[1]}:" if tick.delivery is not None else "Context:"
    return _of_delivery(seq, tick, "context_changed", pen.named(tick.key, tick.value, where, "context value"))


def _of_delivery(seq: int, tick: Any, kind: str, payload: str | None = None) -> Record:
    cause, step = _key(tick.delivery)
    return Record(seq, tick.at, kind, step, None, payload, cause)


def _of_run(kind: str) -> Callable[[int, Any, _Pen], Record]:
    return lambda seq, tick, pen: Record(seq, tick.at, kind)


def _resumed(seq: int, tick: ticks.RunResumed, pen: _Pen) -> Record:
    facts = {"worker": tick.worker, "reason": tick.reason, "crashed": tick.crashed}
    return Record(seq, tick.at, "resumed", None, None, _facts(facts | _conflicts(tick) | _version(tick)))


def _conflicts(tick: ticks.StepFailed | ticks.RunResumed) -> dict[str, Any]:
    return {"conflicts": tick.conflicts} if tick.conflicts else {}


def _version(tick: ticks.RunResumed | ticks.RunReopened) -> dict[str, Any]:
    return {"version": tick.version} if tick.version is not None else {}


def _reopened(seq: int, tick: ticks.RunReopened, pen: _Pen) -> Record:
    cause, step = _key(tick.delivery)
    facts = {"decision": tick.decision} | _version(tick)
    if tick.event is None:
        return Record(seq, tick.at, "reopened", step, None, _facts(facts), cause)
    return pen.carrying(seq, tick.at, "reopened", step, tick.event, cause, facts)


def _timed_out(seq: int, tick: ticks.RunTimedOut, pen: _Pen) -> Record:
    facts = {"timeout": tick.timeout, "deadline": tick.deadline}
    known = {name: value for name, value in facts.items() if value is not None}
    return Record(seq, tick.at, "run_timed_out", detail=_facts(known))


def _ended_badly(kind: str) -> Callable[[int, Any, _Pen], Record]:
    return lambda seq, tick, pen: Record(
        seq, tick.at, kind, tick.step, None, _facts({"error": asdict(tick.error)})
    )


_WRITERS: Mapping[type, Callable[[int, Any, _Pen], Record]] = {
    ticks.RunStarted: _started,
    ticks.EventSent: _sent,
    ticks.EventStreamed: _streamed,
    ticks.StepFinished: _finished,
    ticks.StepFailed: _failed,
    ticks.StepRetried: lambda seq, tick, pen: _of_delivery(seq, tick, "step_retried"),
    ticks.EventsCollected: _collected,
    ticks.WaitStarted: _wait,
    ticks.WaitTimedOut: lambda seq, tick, pen: _of_delivery(seq, tick, "wait_timed_out"),
    ticks.ResultKept: _result,
    ticks.ChildStarted: _child,
    ticks.ChildChanged: _child,
    ticks.ChildEnded: _child,
    ticks.ContextChanged: _context,
    ticks.ContextRemoved: lambda seq, tick, pen: _of_delivery(
        seq, tick, "context_removed", f'{{"key":{to_json(tick.key)}}}'
    ),
    ticks.RunHeld: _of_run("held"),
    ticks.StepAllowed: lambda seq, tick, pen: _of_delivery(seq, tick, "step_allowed"),
    ticks.RunReleased: _of_run("released"),
    ticks.RunResumed: _resumed,
    ticks.RunReopened: _reopened,
    ticks.RunGivenUp: _ended_badly("given_up"),
    ticks.RunCancelled: _of_run("run_cancelled"),
    ticks.RunTimedOut: _timed_out,
    ticks.RunFailed: _ended_badly("run_failed"),
}
