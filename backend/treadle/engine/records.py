"""Records: ticks as rows of text, and back. What a person reads goes into `payload`, the rest into `detail`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from treadle.engine import ticks
from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from treadle.engine.serializers import decode, encode, from_json, model_fields, shown, to_json
from treadle.engine.ticks import ErrorFacts, Key, Tick
from treadle.errors import ValueNotStorable

EventTypes = Mapping[str, type[Event]]
BASE_TYPES: EventTypes = {
    kind.__name__: kind for kind in (Event, StartEvent, StopEvent, InputRequiredEvent, HumanResponseEvent)
}


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a journal as stored; `cause` is the seq of the entry whose event led to it."""

    seq: int
    at: float
    kind: str
    step: str | None = None
    event_type: str | None = None
    payload: str | None = None
    cause: int | None = None
    detail: str | None = None


def to_record(seq: int, tick: Tick) -> Record:
    """The record of `tick` as entry `seq`. Raises ValueNotStorable, naming step and path."""
    return _WRITERS[type(tick)](seq, tick)


def from_record(record: Record, types: EventTypes) -> Tick:
    """The tick of a record; `types` are the event classes by name. Raises ValueNotStorable."""
    return _READERS[record.kind](record, types)


def event_payload(event: Event, step: str | None = None) -> str:
    """The fields of an event as JSON. Raises ValueNotStorable naming event, step and field."""
    name = type(event).__name__ + (f" from step {step}" if step is not None else "")
    try:
        return to_json(model_fields(event))
    except ValueNotStorable as error:
        raise ValueNotStorable(f"{name}: {error}") from None


def _event(record: Record, types: EventTypes) -> Event:
    kind = types.get(record.event_type or "")
    if kind is None:
        raise ValueNotStorable(f"Entry {record.seq} carries a {record.event_type}, and no such event class is loaded.")
    if record.detail and "not_stored" in (detail := _detail(record)):
        raise ValueNotStorable(f"Entry {record.seq} was not stored: {detail['not_stored']}")
    return kind.model_construct(**from_json(record.payload or "{}"))


def _json(**detail: Any) -> str:
    return json.dumps(detail, separators=(",", ":"))


def _detail(record: Record) -> dict[str, Any]:
    return json.loads(record.detail) if record.detail else {}


def _key(record: Record) -> Key:
    return (record.cause or 0, record.step or "")


def _carrying(
    seq: int, at: float, kind: str, step: str | None, event: Event, cause: int | None, detail: dict[str, Any]
) -> Record:
    """A record that carries an event. One without an exact form is shown, and the run cannot be resumed past it."""
    try:
        payload = event_payload(event, step)
    except ValueNotStorable as error:
        payload = _json(shown=shown(event), not_stored=str(error))
        detail = {**detail, "not_stored": str(error)}
    text = json.dumps(detail, separators=(",", ":")) if detail else None
    return Record(seq, at, kind, step, type(event).__name__, payload, cause, text)


def _write_started(seq: int, tick: ticks.RunStarted) -> Record:
    detail: dict[str, Any] = {"held": tick.held}
    try:
        detail["context"] = encode(tick.context, "context")
    except ValueNotStorable as error:
        detail["not_stored"] = str(error)
    return _carrying(seq, tick.at, "run_started", None, tick.event, None, detail)


def _write_sent(seq: int, tick: ticks.EventSent) -> Record:
    cause, step = tick.source if tick.source is not None else (tick.prompt, None)
    kind = "response_received" if tick.prompt is not None else "event_sent"
    detail = {"target": tick.target, "index": tick.index} if tick.target is not None or tick.index else {}
    return _carrying(seq, tick.at, kind, step, tick.event, cause, detail)


def _write_streamed(seq: int, tick: ticks.EventStreamed) -> Record:
    cause, step = tick.source if tick.source is not None else (None, None)
    detail = {"prompt": True} if isinstance(tick.event, InputRequiredEvent) else {}
    return _carrying(seq, tick.at, "event_streamed", step, tick.event, cause, detail)


def _write_finished(seq: int, tick: ticks.StepFinished) -> Record:
    cause, step = tick.delivery
    if tick.event is None:
        return Record(seq, tick.at, "step_finished", step, None, None, cause)
    return _carrying(seq, tick.at, "step_finished", step, tick.event, cause, {})


def _write_failed(seq: int, tick: ticks.StepFailed) -> Record:
    cause, step = tick.delivery
    payload = _json(error=asdict(tick.error), retry_at=tick.retry_at)
    return Record(seq, tick.at, "step_failed", step, None, payload, cause)


def _write_collected(seq: int, tick: ticks.EventsCollected) -> Record:
    cause, step = tick.delivery
    detail = _json(expected=tick.expected) if tick.expected is not None else None
    return Record(seq, tick.at, "collected", step, None, None, cause, detail)


def _write_context(seq: int, tick: ticks.ContextChanged) -> Record:
    cause, step = tick.delivery if tick.delivery is not None else (None, None)
    try:
        payload = json.dumps({"key": tick.key, "value": encode(tick.value, tick.key)}, separators=(",", ":"))
        detail = None
    except ValueNotStorable as error:
        payload = _json(key=tick.key, shown=shown(tick.value), not_stored=str(error))
        detail = _json(not_stored=str(error))
    return Record(seq, tick.at, "context_changed", step, None, payload, cause, detail)


def _write_allowed(seq: int, tick: ticks.StepAllowed) -> Record:
    cause, step = tick.delivery if tick.delivery is not None else (None, None)
    return Record(seq, tick.at, "step_allowed", step, None, None, cause)


def _write_resumed(seq: int, tick: ticks.RunResumed) -> Record:
    payload = _json(worker=tick.worker, reason=tick.reason, crashed=tick.crashed)
    return Record(seq, tick.at, "resumed", None, None, payload)


def _read_started(record: Record, types: EventTypes) -> Tick:
    detail = _detail(record)
    return ticks.RunStarted(record.at, _event(record, types), decode(detail["context"]), detail["held"])


def _read_sent(record: Record, types: EventTypes) -> Tick:
    detail = _detail(record)
    answered = record.kind == "response_received"
    source = _key(record) if record.step is not None else None
    prompt = record.cause if answered else None
    return ticks.EventSent(
        record.at, _event(record, types), detail.get("target"), source, detail.get("index", 0), prompt
    )


def _read_streamed(record: Record, types: EventTypes) -> Tick:
    event = _event(record, types) if _detail(record).get("prompt") else Event()  # nothing follows from the others
    return ticks.EventStreamed(record.at, event, _key(record) if record.step is not None else None)


def _read_finished(record: Record, types: EventTypes) -> Tick:
    return ticks.StepFinished(record.at, _key(record), _event(record, types) if record.event_type else None)


def _read_failed(record: Record, types: EventTypes) -> Tick:
    payload = json.loads(record.payload or "{}")
    return ticks.StepFailed(record.at, _key(record), ErrorFacts(**payload["error"]), payload["retry_at"])


def _read_collected(record: Record, types: EventTypes) -> Tick:
    expected = _detail(record).get("expected")
    runs = [(name, count) for name, count in expected] if expected is not None else None
    return ticks.EventsCollected(record.at, _key(record), runs)


def _read_context(record: Record, types: EventTypes) -> Tick:
    if record.detail:
        raise ValueNotStorable(f"The context value {_detail(record)['not_stored']}")
    payload = json.loads(record.payload or "{}")
    owner = _key(record) if record.step is not None else None
    return ticks.ContextChanged(record.at, owner, payload["key"], decode(payload["value"]))


def _read_allowed(record: Record, types: EventTypes) -> Tick:
    return ticks.StepAllowed(record.at, _key(record) if record.step is not None else None)


def _read_resumed(record: Record, types: EventTypes) -> Tick:
    return ticks.RunResumed(record.at, **json.loads(record.payload or "{}"))


_WRITERS: Mapping[type, Callable[[int, Any], Record]] = {
    ticks.RunStarted: _write_started,
    ticks.EventSent: _write_sent,
    ticks.EventStreamed: _write_streamed,
    ticks.StepFinished: _write_finished,
    ticks.StepFailed: _write_failed,
    ticks.StepRetried: lambda seq, tick: Record(
        seq, tick.at, "step_retried", tick.delivery[1], None, None, tick.delivery[0]
    ),
    ticks.EventsCollected: _write_collected,
    ticks.ContextChanged: _write_context,
    ticks.StepAllowed: _write_allowed,
    ticks.RunReleased: lambda seq, tick: Record(seq, tick.at, "released"),
    ticks.RunResumed: _write_resumed,
    ticks.RunCancelled: lambda seq, tick: Record(seq, tick.at, "run_cancelled"),
    ticks.RunTimedOut: lambda seq, tick: Record(seq, tick.at, "run_timed_out", detail=_json(timeout=tick.timeout)),
}
_READERS: Mapping[str, Callable[[Record, EventTypes], Tick]] = {
    "run_started": _read_started,
    "event_sent": _read_sent,
    "response_received": _read_sent,
    "event_streamed": _read_streamed,
    "step_finished": _read_finished,
    "step_failed": _read_failed,
    "step_retried": lambda record, types: ticks.StepRetried(record.at, _key(record)),
    "collected": _read_collected,
    "context_changed": _read_context,
    "step_allowed": _read_allowed,
    "released": lambda record, types: ticks.RunReleased(record.at),
    "resumed": _read_resumed,
    "run_cancelled": lambda record, types: ticks.RunCancelled(record.at),
    "run_timed_out": lambda record, types: ticks.RunTimedOut(record.at, _detail(record)["timeout"]),
}
