"""Read the recorded counts of a run without trusting their shape: what is not there or not understood counts as 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from treadle.visualizer.status import ENDED


class Facts:
    """The counts of a run (`Run.counts`), its status, and how many prompts wait for an answer if that is known."""

    def __init__(self, counts: Mapping[str, Any] | None, status: str, prompts: int | None) -> None:
        known = counts or {}
        self.steps = table(known, "steps")
        self.events = table(known, "events")
        self.joins = table(known, "joins")
        self.carried = table(known, "edges")
        self.children: Sequence[Mapping[str, Any]] = [
            child for child in known.get("children") or () if isinstance(child, Mapping)
        ]
        self.status = status
        self.prompts = prompts

    @property
    def over(self) -> bool:
        """Whether nothing will happen any more."""
        return self.status in ENDED


def table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping at `key`."""
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def number(value: object) -> int:
    """A count."""
    return value if isinstance(value, int) and value > 0 else 0
