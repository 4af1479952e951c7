"""Values as they are stored, told as plain data: a journal is folded without the classes of whoever wrote them."""

from __future__ import annotations

import json
from typing import Any

TAG = "$"
WORDING = frozenset({"why"})
"""What a form tells people: not part of the value."""


def plain(data: Any) -> Any:
    """Stored JSON data in which the form of a value is a dictionary like any other; it decodes to itself.

    Two stored values are equal just when they are in this form.
    """
    if isinstance(data, list):
        return [plain(item) for item in data]
    if not isinstance(data, dict):
        return data
    if TAG not in data:
        return {key: plain(value) for key, value in data.items()}
    return {"form" if key == TAG else key: plain(value) for key, value in data.items() if key not in WORDING}


def plain_text(text: str | None) -> str | None:
    """`plain` for JSON text; it is parsed only if it has such values."""
    if text is None or f'"{TAG}"' not in text:
        return text
    return json.dumps(plain(json.loads(text)), separators=(",", ":"))
