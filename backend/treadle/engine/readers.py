"""Readers: records as the ticks they were made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from treadle.engine import ticks
from treadle.engine.events import Event
from treadle.engine.later import Later
from treadle.engine.record import Record
from treadle.engine.serializers import EventTypes, read_event
from treadle.engine.ticks import ErrorFacts, Key, Tick
from treadle.engine.values.coding import Unreadable
from treadle.engine.values.decoding import Decoder, unreadable
from treadle.errors import ValueNotStorable


def from_record(record: Record, types: EventTypes) -> Tick:
    """The tick of a record; `types` are the event classes by name.

    Raises ValueNotStorable for a value that was not stored, or whose class is gone or does not fit it any more.
    """
    return read(record, Decoder(types))


def read(record: Record, decoder: Decoder) -> Tick:
    """`from_record` with a decoder for many."""
    return _READERS[record.kind](record, decoder)


LARGE = 2048
"""Characters of a context value that is worth being read only if the run still has it at the end of a fold."""


def read_later(record: Record, decoder: Decoder) -> Tick:
    """`read`, but that a large context value is a `Later`."""
    payload = record.payload
    if record.kind != "context_changed" or payload is None or len(payload) < LARGE:
        return read(record, decoder)
    key = decoder.value(_plain.raw_decode(payload, len('{"key":'))[0])
    value = Later(lambda: _value(record, decoder, "context value")[1])
    return ticks.ContextChanged(record.at, _owner(record), key, value)


_plain = json.JSONDecoder()


def _event(record: Record, decoder: Decoder) -> Event:
    detail = _detail(record)
    if "not_stored" in detail:
        raise ValueNotStorable(detail["not_stored"])
    try:
        kind: type[Event] = decoder.event_class(detail.get("class", record.event_type))
        return read_event(kind, record.payload or "{}", detail, decoder)
    except Unreadable as error:
        raise unreadable(error, where=f"Entry {record.seq}: event {record.event_type}") from None


def _detail(record: Record) -> dict[str, Any]:
    return json.loads(record.detail) if record.detail else {}


def _payload(record: Record) -> dict[str, Any]:
    return json.loads(record.payload) if record.payload else {}


def _key(record: Record) -> Key:
    return (record.cause or 0, record.step or "")


def _owner(record: Record) -> Key | None:
    return _key(record) if record.step is not None else None


def _value(record: Record, decoder: Decoder, what: str) -> tuple[str, Any]:
    payload = _payload(record)
    if record.detail and "not_stored" in (detail := _detail(record)):
        raise ValueNotStorable(detail["not_stored"])
    key: str = decoder.value(payload["key"])
    data = payload["value"]
    if type(data) is int or type(data) is str:
        return key, data
    return key, decoder.value(data, name=str(key), where=f"Entry {record.seq}: the {what}")


def _started(record: Record, decoder: Decoder) -> Tick:
    detail = _detail(record)
    event = _event(record, decoder)
    context = decoder.values(detail["context"], where=f"Entry {record.seq}: the context value")
    return ticks.RunStarted(record.at, event, context, detail["held"], detail.get("deadline"))


def _sent(record: Record, decoder: Decoder) -> Tick:
    detail = _detail(record)
    answered = record.kind == "response_received"
    source = _key(record) if record.step is not None else None
    prompt = record.cause if answered else None
    event = _event(record, decoder)
    return ticks.EventSent(record.at, event, detail.get("target"), source, detail.get("index", 0), prompt)


def _streamed(record: Record, decoder: Decoder) -> Tick:
    event = _event(record, decoder) if _detail(record).get("prompt") else Event()  # nothing follows from the others
    return ticks.EventStreamed(record.at, event, _owner(record))


def _finished(record: Record, decoder: Decoder) -> Tick:
    event = _event(record, decoder) if record.event_type else None
    return ticks.StepFinished(record.at, _key(record), event, _detail(record).get("handed", False))


def _failed(record: Record, decoder: Decoder) -> Tick:
    payload = _payload(record)
    error, conflicts = ErrorFacts(**payload["error"]), tuple(payload.get("conflicts", ()))
    return ticks.StepFailed(record.at, _key(record), error, payload["retry_at"], conflicts=conflicts)


def _resumed(record: Record, decoder: Decoder) -> Tick:
    payload = _payload(record)
    return ticks.RunResumed(record.at, **{**payload, "conflicts": tuple(payload.get("conflicts", ()))})


def _collected(record: Record, decoder: Decoder) -> Tick:
    expected = _detail(record).get("expected")
    runs = [(name, count) for name, count in expected] if expected is not None else None
    return ticks.EventsCollected(record.at, _key(record), runs)


def _wait(record: Record, decoder: Decoder) -> Tick:
    detail = _detail(record)
    event = _event(record, decoder) if record.event_type else None
    requirements = decoder.values(detail["requirements"], where=f"Entry {record.seq}: the requirement")
    human = detail.get("human", False)
    return ticks.WaitStarted(record.at, _key(record), detail["expected"], requirements, detail["due"], event, human)


def _result(record: Record, decoder: Decoder) -> Tick:
    return ticks.ResultKept(record.at, _key(record), *_value(record, decoder, "kept result"))


def _context(record: Record, decoder: Decoder) -> Tick:
    return ticks.ContextChanged(record.at, _owner(record), *_value(record, decoder, "context value"))


def _reopened(record: Record, decoder: Decoder) -> Tick:
    event = _event(record, decoder) if record.event_type else None
    told = _detail(record) if event is not None else _payload(record)
    return ticks.RunReopened(record.at, told["decision"], _owner(record), event, told.get("version"))


def _ended_badly(kind: Callable[..., Tick]) -> Callable[[Record, Decoder], Tick]:
    return lambda record, decoder: kind(record.at, ErrorFacts(**_payload(record)["error"]), record.step)


_READERS: Mapping[str, Callable[[Record, Decoder], Tick]] = {
    "run_started": _started,
    "event_sent": _sent,
    "response_received": _sent,
    "event_streamed": _streamed,
    "step_finished": _finished,
    "step_failed": _failed,
    "step_retried": lambda record, decoder: ticks.StepRetried(record.at, _key(record)),
    "collected": _collected,
    "wait_started": _wait,
    "wait_timed_out": lambda record, decoder: ticks.WaitTimedOut(record.at, _key(record)),
    "result_kept": _result,
    "child_started": lambda record, decoder: ticks.ChildStarted(record.at, _key(record), **_payload(record)),
    "child_changed": lambda record, decoder: ticks.ChildChanged(record.at, _key(record), **_payload(record)),
    "child_ended": lambda record, decoder: ticks.ChildEnded(record.at, _key(record), **_payload(record)),
    "context_changed": _context,
    "context_removed": lambda record, decoder: ticks.ContextRemoved(
        record.at, _owner(record), decoder.value(_payload(record)["key"])
    ),
    "held": lambda record, decoder: ticks.RunHeld(record.at),
    "step_allowed": lambda record, decoder: ticks.StepAllowed(record.at, _owner(record)),
    "released": lambda record, decoder: ticks.RunReleased(record.at),
    "resumed": _resumed,
    "reopened": _reopened,
    "given_up": _ended_badly(ticks.RunGivenUp),
    "run_cancelled": lambda record, decoder: ticks.RunCancelled(record.at),
    "run_timed_out": lambda record, decoder: ticks.RunTimedOut(record.at, **{"timeout": None, **_detail(record)}),
    "run_failed": _ended_badly(ticks.RunFailed),
}
