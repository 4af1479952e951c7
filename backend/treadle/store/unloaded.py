"""Values as they are stored, told as plain data: a journal is folded without the classes of whoever wrote them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from treadle.engine.record import Record
from treadle.engine.values.encoding import LONG

TAG = "$"
SETS = ("set", "frozenset")
WORDING = frozenset({"why"})
"""What a form tells people: not part of the value."""


def plain(data: Any) -> Any:
    """Stored JSON data in which the form of a value is a dictionary like any other; it decodes to itself.

    Two stored values are equal just when they are in this form: members of a set come in one order here, whatever the
    order was in the process that wrote them, and a very long integer has one form, which JSON data does without as long
    as it can.
    """
    if type(data) is int:
        return data if -LONG < data < LONG else {"form": "int", "v": hex(data)}
    if isinstance(data, list):
        return [plain(item) for item in data]
    if not isinstance(data, dict):
        return data
    if TAG not in data:
        return {key: plain(value) for key, value in data.items()}
    told = {"form" if key == TAG else key: plain(value) for key, value in data.items() if key not in WORDING}
    if data[TAG] in SETS and isinstance(told.get("v"), list):
        told["v"].sort(key=json.dumps)
    return told


def plain_text(text: str | None) -> str | None:
    """`plain` for JSON text; it is parsed only if it has such values."""
    if text is None or f'"{TAG}"' not in text:
        return text
    return json.dumps(plain(json.loads(text)), separators=(",", ":"))


def readable(record: Record) -> Record:
    """The record without what only the classes of whoever wrote it can read."""
    detail = json.loads(plain_text(record.detail) or "{}")
    if "class" in detail:  # one of several classes of that name
        detail["class"] = str(detail["class"])
    detail.pop("private", None)
    told = json.dumps(detail) if record.detail is not None else None
    return record._replace(payload=plain_text(record.payload), detail=told)


def event_parts(records: Iterable[Record], asked: Collection[int]) -> dict[str, str]:
    """The part that events play which a journal mentions, as far as it shows; by name, or by what stands for it.

    `asked` are the entries that raised a prompt.
    """
    parts: dict[str, str] = {}
    for record in records:
        if record.event_type is not None:
            part = "response" if record.kind == "response_received" else "plain"
            known_as = json.loads(record.detail).get("class") if record.detail and '"class"' in record.detail else None
            parts.setdefault(str(known_as or record.event_type), "input" if record.seq in asked else part)
    return parts
