"""Forms of Python's own values and containers: how each is written, and beside it how it is read."""

from __future__ import annotations

import base64
import re
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID, SafeUUID
from zoneinfo import ZoneInfo

from treadle.engine.values.classes import class_ref
from treadle.engine.values.coding import TAG, Read, Reader, Write, Writer
from treadle.errors import RecordedError

PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
"""Two lone surrogates that JSON would read as one character."""
BETWEEN = re.compile("(?<=[\ud800-\udbff])(?=[\udc00-\udfff])")
_PURE = {kind.__name__: kind for kind in (PurePosixPath, PureWindowsPath)}
_HERE = type(Path())
_TEXT = {str}


def _sequence(writer: Writer, value: Collection[Any], depth: int) -> list[Any]:
    writer.enter(value, len(value), depth)
    if writer.plain(value, depth):
        return list(value)
    encoded = []
    for index, item in enumerate(value):
        writer.at(index, depth)
        encoded.append(writer.encode(item, depth + 1))
    return encoded


def _members(writer: Writer, value: Collection[Any], depth: int) -> list[Any]:
    writer.enter(value, len(value), depth)
    if writer.plain(value, depth):
        return list(value)
    encoded = []
    for item in value:
        writer.at(item, depth)
        encoded.append(writer.encode(item, depth + 1))
    return encoded


def _dict(writer: Writer, value: dict[Any, Any], depth: int) -> Any:
    if not value or (set(map(type, value)) == _TEXT and TAG not in value and _are_exact(value)):
        return writer.items(value, value, depth)
    return {TAG: "dict", "v": _pairs(writer, value, depth)}


def _are_exact(texts: Collection[str]) -> bool:
    return all(map(str.isascii, texts)) or not any(map(PAIR.search, texts))


def _pairs(writer: Writer, value: Mapping[Any, Any], depth: int) -> list[Any]:
    writer.enter(value, len(value) * 3, depth)
    pairs = []
    for key, item in value.items():
        writer.at(key, depth)
        pairs.append([writer.encode(key, depth + 1), writer.encode(item, depth + 1)])
    return pairs


def _ordered(writer: Writer, value: OrderedDict[Any, Any], depth: int) -> Any:
    return {TAG: "OrderedDict", "v": _pairs(writer, value, depth)}


def _defaulting(writer: Writer, value: defaultdict[Any, Any], depth: int) -> Any:
    factory = value.default_factory
    ref = class_ref(factory) if isinstance(factory, type) else None
    if ref is None and factory is not None:
        raise writer.problem(
            value, depth, "whose default_factory is not a class found by its name", "use one like list, or a plain dict"
        )
    return {TAG: "defaultdict", "f": ref, "v": _pairs(writer, value, depth)}


def _read_dict(reader: Reader, data: Mapping[str, Any]) -> dict[Any, Any]:
    return {reader.decode(key): reader.decode(item) for key, item in data["v"]}


def _read_defaulting(reader: Reader, data: Mapping[str, Any]) -> defaultdict[Any, Any]:
    factory = reader.class_named(data["f"]) if data["f"] is not None else None
    return defaultdict(factory, _read_dict(reader, data))


def _bytes(tag: str) -> Write:
    def write(writer: Writer, value: bytes | bytearray, depth: int) -> Any:
        writer.spend(len(value) * 4 // 3, depth)
        return {TAG: tag, "v": base64.b64encode(value).decode()}

    return write


def _numbers(tag: str, *names: str) -> Write:
    def write(writer: Writer, value: Any, depth: int) -> Any:
        return {TAG: tag, "v": [writer.encode(getattr(value, name), depth) for name in names]}

    return write


def _uuid(writer: Writer, value: UUID, depth: int) -> Any:
    form: dict[str, Any] = {TAG: "uuid", "v": str(value)}
    if value.is_safe is not SafeUUID.unknown:
        form["safe"] = value.is_safe.name
    return form


def _path(writer: Writer, value: PurePath, depth: int) -> Any:
    text = str(value)
    if type(value)(text) != value:  # PureWindowsPath("//:/") and the like
        raise writer.problem(value, depth, f"which is not what its text says: {text}", "keep the text")
    form = {TAG: "path", "v": writer.encode(text, depth)}
    return form if type(value) is _HERE else {**form, "k": type(value).__name__}


def _error(writer: Writer, value: RecordedError, depth: int) -> Any:
    return {TAG: "error", "v": [writer.encode(value.type, depth), writer.encode(value.message, depth)]}


def _clock(tag: str) -> Write:
    """`datetime` and `time` in ISO format, which knows an offset, but no zone, nor the second of two equal hours."""

    def write(writer: Writer, value: datetime | time, depth: int) -> Any:
        form: dict[str, Any] = {TAG: tag}
        zone = value.tzinfo
        if zone is not None and not _is_iso(zone):
            form["z"] = _zone(writer, zone, depth)
            value = value.replace(tzinfo=None)
        form["v"] = value.isoformat()
        if value.fold:
            form["fold"] = 1
        return form

    return write


def _is_iso(zone: tzinfo) -> bool:
    """Whether ISO format tells all of a zone; Python does not read every offset it writes."""
    if type(zone) is not timezone:
        return False
    offset, *name = zone.__getinitargs__()  # type: ignore[attr-defined]
    return not name and not offset % timedelta(minutes=1)


def _zone(writer: Writer, value: Any, depth: int) -> Any:
    if type(value) is timezone:
        offset, *name = value.__getinitargs__()  # type: ignore[attr-defined]
        return {TAG: "timezone", "v": _span(offset), **({"name": writer.encode(name[0], depth)} if name else {})}
    if type(value) is ZoneInfo and value.key is not None:
        return {TAG: "zone", "v": value.key}
    raise writer.problem(value, depth, "which is not found again by its name", "use zoneinfo.ZoneInfo or timezone")


def _read_clock(kind: Any) -> Read:
    def read(reader: Reader, data: Mapping[str, Any]) -> Any:
        value = kind.fromisoformat(data["v"])
        if "z" in data:
            value = value.replace(tzinfo=reader.decode(data["z"]))
        return value.replace(fold=1) if "fold" in data else value

    return read


def _read_zone(reader: Reader, data: Mapping[str, Any]) -> timezone:
    offset = timedelta(*data["v"])
    return timezone(offset, reader.decode(data["name"])) if "name" in data else timezone(offset)


def _span(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _text(parse: Callable[[str], Any]) -> Read:
    return lambda reader, data: parse(reader.decode(data["v"]))


def _series(make: Callable[[list[Any]], Any]) -> Read:
    return lambda reader, data: make(reader.sequence(data["v"]))


def _read_uuid(reader: Reader, data: Mapping[str, Any]) -> UUID:
    return UUID(data["v"], is_safe=SafeUUID[data.get("safe", "unknown")])


def _read_path(reader: Reader, data: Mapping[str, Any]) -> PurePath:
    kind = _PURE[data["k"]] if "k" in data else Path
    return kind(reader.decode(data["v"]))


WRITE: dict[type, Write] = {
    list: _sequence,
    dict: _dict,
    tuple: lambda writer, value, depth: {TAG: "tuple", "v": _sequence(writer, value, depth)},
    set: lambda writer, value, depth: {TAG: "set", "v": _members(writer, value, depth)},
    frozenset: lambda writer, value, depth: {TAG: "frozenset", "v": _members(writer, value, depth)},
    deque: lambda writer, value, depth: {TAG: "deque", "v": _sequence(writer, value, depth), "n": value.maxlen},
    OrderedDict: _ordered,
    defaultdict: _defaulting,
    bytes: _bytes("bytes"),
    bytearray: _bytes("bytearray"),
    Decimal: lambda writer, value, depth: {TAG: "decimal", "v": str(value)},
    Fraction: _numbers("fraction", "numerator", "denominator"),
    complex: _numbers("complex", "real", "imag"),
    range: _numbers("range", "start", "stop", "step"),
    UUID: _uuid,
    date: lambda writer, value, depth: {TAG: "date", "v": value.isoformat()},
    time: _clock("time"),
    datetime: _clock("datetime"),
    timedelta: lambda writer, value, depth: {TAG: "timedelta", "v": _span(value)},
    timezone: _zone,
    ZoneInfo: _zone,
    RecordedError: _error,
    **dict.fromkeys((_HERE, *_PURE.values()), _path),
}

READ: dict[str, Read] = {
    "dict": _read_dict,
    "tuple": _series(tuple),
    "set": _series(set),
    "frozenset": _series(frozenset),
    "deque": lambda reader, data: deque(reader.sequence(data["v"]), data["n"]),
    "OrderedDict": lambda reader, data: OrderedDict(_read_dict(reader, data)),
    "defaultdict": _read_defaulting,
    "bytes": _text(base64.b64decode),
    "bytearray": _text(lambda text: bytearray(base64.b64decode(text))),
    "str": lambda reader, data: "".join(data["v"]),
    "int": _text(lambda text: int(text, 16)),
    "float": _text(float),
    "decimal": _text(Decimal),
    "fraction": _series(lambda parts: Fraction(*parts)),
    "complex": _series(lambda parts: complex(*parts)),
    "range": _series(lambda parts: range(*parts)),
    "uuid": _read_uuid,
    "date": _text(date.fromisoformat),
    "time": _read_clock(time),
    "datetime": _read_clock(datetime),
    "timedelta": _series(lambda parts: timedelta(*parts)),
    "timezone": _read_zone,
    "zone": _text(ZoneInfo),
    "path": _read_path,
    "error": _series(lambda parts: RecordedError(*parts)),
}
