"""What a client was promised when it started a run: what must come of it, and what may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIZES = {
    "KillChain": (3, 26),
    "KillFan": (2, 16),
    "KillPrompt": (1, 3),
    "KillJoin": (2, 10),
    "KillRetry": (1, 5),
    "KillWait": (1, 3),
    "KillOnce": (1, 5),
    "KillMost": (1, 6),
    "KillNest": (1, 3),
}
"""How large runs of each workflow may be."""
MIX = dict.fromkeys(SIZES, 2) | {"KillChain": 5, "KillMost": 1}
"""How often each is started."""
FIRST = ("begin", "split", "ask", "deal", "first", "wait", "charge", "admit", "nest", "tie")
"""Steps that take the start event, which has no number of its own: theirs is 0."""
MANY = {"caught": 0}
"""Steps whose event has none either."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A run by its tag; `held` and `to_cancel` say what others will do with it."""

    tag: str
    workflow: str
    size: int
    held: bool = False
    to_cancel: bool = False

    def result(self, answers: Mapping[int, str]) -> Any:
        """What it must come to, given what its prompts were answered."""
        size = self.size
        told = [answers.get(n) for n in range(size)]
        return {
            "KillChain": lambda: [size, size],
            "KillFan": lambda: sum(n * n for n in range(size)),
            "KillPrompt": lambda: told,
            "KillJoin": lambda: sum(n * n for n in range(size)),
            "KillRetry": lambda: ["never", size],
            "KillWait": lambda: [[*told, "nobody came"], list(range(size))],
            "KillOnce": lambda: KEPT,
            "KillMost": lambda: size,
            "KillNest": lambda: sum(n + 1 for n in range(size)),
            "KillDelay": lambda: "at last",
            "KillPatience": lambda: size,
            "KillLimit": lambda: told[0],
            "KillEndless": lambda: None,
        }[self.workflow]()


ENDINGS = {"KillEndless": "timed_out"}
"""What ends otherwise than `completed`."""
KEPT = object()
"""A result that the journal itself knows: what was kept by `run_once`."""


def number_of(step: str, cause: Mapping[str, Any]) -> int:
    """The number by which the side log knows a delivery to `step` of an event with these fields."""
    return 0 if step in FIRST else MANY.get(step, cause.get("n", 0))
