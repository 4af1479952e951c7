"""Values as JSON and back, exactly: what JSON has no form for is wrapped as {"$": kind, "v": ...}.

Decoding never imports: a class is found only if its module is already loaded.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import json
import math
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from treadle.errors import ValueNotStorable

_TAG = "$"
_DEPTH = 100

_SIMPLE: dict[type, tuple[str, Callable[[Any], Any]]] = {
    bytes: ("bytes", lambda value: base64.b64encode(value).decode()),
    Decimal: ("decimal", str),
    UUID: ("uuid", str),
    datetime: ("datetime", datetime.isoformat),
    date: ("date", date.isoformat),
    time: ("time", time.isoformat),
    timedelta: ("timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
}
_PARSERS: dict[str, Callable[[Any], Any]] = {
    "bytes": base64.b64decode,
    "decimal": Decimal,
    "uuid": UUID,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda value: timedelta(*value),
    "float": float,
    "path": Path,
}


def encode(value: Any, path: str = "", depth: int = 0) -> Any:
    """`value` as plain JSON data. Raises ValueNotStorable naming the path and the type that has no exact form."""
    kind = type(value)
    if value is None or kind is str or kind is bool or kind is int:
        return value
    if kind is float:
        return value if math.isfinite(value) else {_TAG: "float", "v": repr(value)}
    if depth > _DEPTH:
        raise ValueNotStorable(f"{path or 'value'} is nested deeper than {_DEPTH} levels; flatten it.")
    if kind is list:
        return [encode(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    if kind is dict:
        return _encode_dict(value, path, depth)
    if kind in (tuple, set, frozenset):
        items = [encode(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
        return {_TAG: kind.__name__, "v": items}
    if kind in _SIMPLE:
        tag, form = _SIMPLE[kind]
        return {_TAG: tag, "v": form(value)}
    if isinstance(value, enum.Enum):
        return {_TAG: "enum", "c": _class_name(kind), "v": value.name}
    if isinstance(value, PurePath):
        return {_TAG: "path", "v": str(value)}
    if isinstance(value, BaseModel):
        return {_TAG: "model", "c": _class_name(kind), "v": _encode_dict(model_fields(value), path, depth)}
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {_TAG: "dataclass", "c": _class_name(kind), "v": _encode_dict(fields, path, depth)}
    raise ValueNotStorable(
        f"{path or 'value'} is a {kind.__module__}.{kind.__qualname__}, which has no exact form on disk;"
        " keep what is needed to build it again instead."
    )


def decode(data: Any) -> Any:
    """The value `encode` was given. Raises ValueNotStorable when its class is no longer there."""
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    if _TAG not in data:
        return {key: decode(value) for key, value in data.items()}
    tag, value = data[_TAG], data["v"]
    if tag == "dict":
        return {decode(key): decode(item) for key, item in value}
    if tag in ("tuple", "set", "frozenset"):
        return {"tuple": tuple, "set": set, "frozenset": frozenset}[tag](decode(item) for item in value)
    if tag in _PARSERS:
        return _PARSERS[tag](value)
    kind: Any = _loaded_class(*data["c"].split(":"))
    if tag == "enum" and issubclass(kind, enum.Enum):
        return kind[value]
    if tag == "model" and issubclass(kind, BaseModel):
        return kind.model_construct(**decode(value))
    if tag == "dataclass" and dataclasses.is_dataclass(kind):
        restored: Any = object.__new__(kind)  # type: ignore[arg-type]
        for name, item in decode(value).items():
            object.__setattr__(restored, name, item)
        return restored
    raise ValueNotStorable(f"A stored value has the unknown kind {tag!r} ({data['c']}).")


def model_fields(model: BaseModel) -> dict[str, Any]:
    """All fields of a Pydantic model as they are, declared and extra."""
    return {**model.__dict__, **(model.__pydantic_extra__ or {})}


def to_json(value: Any, path: str = "") -> str:
    """`encode` as compact JSON text."""
    return json.dumps(encode(value, path), separators=(",", ":"), ensure_ascii=True)


def from_json(text: str) -> Any:
    """What `to_json` was given."""
    return decode(json.loads(text))


def _encode_dict(value: dict[Any, Any], path: str, depth: int) -> Any:
    if _TAG not in value and all(type(key) is str for key in value):
        return {key: encode(item, f"{path}.{key}" if path else key, depth + 1) for key, item in value.items()}
    pairs = [[encode(k, path, depth + 1), encode(v, f"{path}[{k!r}]", depth + 1)] for k, v in value.items()]
    return {_TAG: "dict", "v": pairs}


def _class_name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _loaded_class(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise ValueNotStorable(f"A stored value is a {module}.{name}, and no such class is loaded.")
    return found


def shown(value: Any) -> str:
    """What a person sees of a value without an exact form: user code makes it, so it may be long, or fail."""
    try:
        return repr(value)[:2000]
    except Exception as error:  # noqa: BLE001 - a `__repr__` may raise anything
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"
