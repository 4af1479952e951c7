"""Weighing: which part of a value that is too large makes it so."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from treadle.engine.values.coding import Overflow, path_of
from treadle.engine.values.encoding import Encoder
from treadle.errors import LimitExceeded

_DEEPEST = 8


def weight_of(value: Any, *, limit: int) -> int:
    """How long `value` is as JSON text; `limit` and one more for whatever is longer."""
    encoder = Encoder(None, room=limit, outer=True, lost=[])
    try:
        return min(len(json.dumps(encoder.encode(value), separators=(",", ":"))), limit + 1)
    except Overflow:
        return limit + 1
    except LimitExceeded:  # too deep: that is another matter
        return 0


def heaviest(parts: Mapping[str, Any], *, limit: int) -> tuple[str, int]:
    """The path to the largest of `parts`, and its weight: followed down as long as one part makes up most of it."""
    keys: list[Any] = []
    inside: Iterable[tuple[Any, Any]] = parts.items()
    weight = 0
    while len(keys) < _DEEPEST:
        weighed = [(weight_of(item, limit=limit), key, item) for key, item in inside]
        heavy, key, item = max(weighed, key=lambda found: found[0], default=(0, None, None))
        if keys and heavy * 2 < weight:
            break
        keys.append(key)
        weight, inside = heavy, _parts(item)
        if not inside:
            break
    return path_of(keys), weight


def _parts(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if isinstance(value, BaseModel):
        return [*value.__dict__.items(), *(value.__pydantic_extra__ or {}).items()]
    if dataclasses.is_dataclass(value):
        return [(field.name, getattr(value, field.name, None)) for field in dataclasses.fields(value)]
    return []
