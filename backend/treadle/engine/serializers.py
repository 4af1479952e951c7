"""Values as JSON and back, exactly: an equal value of the same type, or an error that says which, where and why.

What JSON has no form for is wrapped as {"$": form, "v": ...}. What is not kept: that two references lead to one object
(they come back as two equal ones), what cached_property remembers, the traceback of a recorded exception.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from treadle.engine.events import BASE_TYPES, Event
from treadle.engine.limits import LIMITS
from treadle.engine.values.coding import TAG, EventTypes, Unreadable, Unstored, shown
from treadle.engine.values.decoding import Decoder, unreadable
from treadle.engine.values.encoding import Encoder
from treadle.engine.values.forms import PAIR
from treadle.engine.values.objects import read_model, write_model
from treadle.errors import ValueNotStorable

__all__ = [
    "EventTypes", "Unstored", "decode", "decode_event", "dumps", "encode", "encode_event", "event_text", "from_json",
    "model_fields", "plain_text", "read_event", "shown", "to_json",
]  # fmt: skip

E = TypeVar("E", bound=Event)
T = TypeVar("T")
_SMALL = 1 << 32
_NUMBERS = frozenset({int, float, bool, type(None)})

dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False, check_circular=False).encode
"""Plain JSON data as compact ASCII."""


def encode(value: Any, path: str = "", *, outer: bool = False, types: EventTypes | None = BASE_TYPES) -> Any:
    """`value`, found at `path`, as plain JSON data, whatever its size.

    Raises ValueNotStorable naming the path to what has no exact form, and its type; LimitExceeded when it is nested
    too deep. In an `outer` one, like a context, each value may be as deep as a value may be. `types` are the event
    classes that go by their names alone; None: those that would not be found otherwise.
    """
    encoder = Encoder(types, name=path, outer=outer, room=sys.maxsize)
    return _careful_if_needed(lambda _: encoder.encode(value), None)


def decode(data: Any, path: str = "", *, types: EventTypes = BASE_TYPES) -> Any:
    """The value `encode` was given. Raises ValueNotStorable when its class is gone, or does not fit it any more."""
    return Decoder(types).value(data, name=path)


def to_json(
    value: Any,
    path: str = "",
    *,
    where: str = "",
    outer: bool = False,
    room: int = LIMITS.blob,
    types: EventTypes | None = BASE_TYPES,
    lost: list[ValueNotStorable] | None = None,
) -> str:
    """`encode` as compact JSON text. Raises LimitExceeded when it has no `room`; errors also say `where` the path is.

    With `lost`, what has no exact form is told to that list, and its place in the text says so.
    """
    kind = type(value)
    if (kind is str and len(value) < _SMALL and value.isascii()) or (kind is int and -_SMALL < value < _SMALL):
        return dumps(value)

    def written(careful: bool) -> str:
        encoder = Encoder(types, name=path, where=where, outer=outer, room=room, careful=careful, lost=lost)
        return dumps(encoder.encode(value))

    return _careful_if_needed(written, lost)


def from_json(text: str, path: str = "", *, types: EventTypes = BASE_TYPES) -> Any:
    """What `to_json` was given."""
    data = json.loads(text)
    return Decoder(types).value(data, name=path) if '"$"' in text else data


def event_text(
    event: Event,
    *,
    where: str = "",
    room: int = LIMITS.blob,
    types: EventTypes | None = None,
    lost: list[ValueNotStorable] | None = None,
) -> tuple[str, dict[str, Any]]:
    """The fields of an event as JSON text, and as JSON data what `read_event` needs beside them, mostly nothing."""

    def written(careful: bool) -> tuple[str, dict[str, Any]]:
        data = _event(event, Encoder(types, where=where, outer=True, room=room, careful=careful, lost=lost))
        return dumps(data.pop("v")), data

    return plain_text(event) or _careful_if_needed(written, lost)


def plain_text(event: Event) -> tuple[str, dict[str, Any]] | None:
    """What `event_text` says of an event that has nothing but short texts and numbers; None of any other."""
    fields, extra = event.__dict__, event.__pydantic_extra__
    if event.__pydantic_private__ is not None or fields.keys() != type(event).__pydantic_fields__.keys():
        return None
    if extra:
        fields = {**fields, **extra}
    for item in fields.values():
        kind = type(item)
        if kind is str:
            if len(item) > LIMITS.inline or not (item.isascii() or PAIR.search(item) is None):
                return None
        elif kind not in _NUMBERS:
            return None
    if TAG in fields or not all(map(str.isascii, fields)):
        return None
    try:
        text = dumps(fields)
    except ValueError:  # NaN and the like
        return None
    given = event.__pydantic_fields_set__
    return text, {} if given == fields.keys() else {"set": sorted(given)}


def encode_event(event: Event) -> dict[str, Any]:
    """The fields of an event as JSON data, `v`, with what `read_event` needs beside them, whatever their size."""
    return _event(event, Encoder(None, where=f"{type(event).__name__}:", outer=True, room=sys.maxsize))


def decode_event(kind: type[E], data: Any, parts: Mapping[str, Any], *, types: EventTypes) -> E:
    """The event of class `kind` that `encode_event` told as `data` (its `v`) and the other `parts`."""
    decoder = Decoder(types)
    try:
        event: E = read_model(kind, decoder.decode(data), parts, decoder)
    except Unreadable as error:
        raise unreadable(error, where=f"{kind.__name__}:") from None
    return event


def read_event(kind: type[E], text: str, parts: Mapping[str, Any], decoder: Decoder) -> E:
    """The event of class `kind` that `event_text` told as `text` and `parts`. Raises Unreadable."""
    data = json.loads(text)
    event: E = decoder.whole(read_model(kind, decoder.decode(data) if '"$"' in text else data, parts, decoder))
    return event


def model_fields(model: BaseModel) -> dict[str, Any]:
    """All fields of a Pydantic model as they are, declared and extra."""
    return {**model.__dict__, **(model.__pydantic_extra__ or {})}


def _event(event: Event, encoder: Encoder) -> dict[str, Any]:
    parts = write_model(encoder, event, 0)
    fields = parts["v"]
    if TAG in fields or not all(map(str.isascii, fields)):
        parts["v"] = {TAG: "dict", "v": [[encoder.encode(name), item] for name, item in fields.items()]}
    return parts


def _careful_if_needed(write: Callable[[bool], T], lost: list[ValueNotStorable] | None) -> T:
    """What `write` makes; once more, looking at every number, where json refuses one."""
    try:
        try:
            return write(False)
        except ValueError:
            if lost is not None:
                lost.clear()
            return write(True)
    except ValueNotStorable as error:
        raise error.with_traceback(None) from None  # the path it names says all that the frames on its way would
