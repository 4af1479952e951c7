"""The statuses a node can have, and the words for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Status = Literal["done", "running", "waiting", "failed", "stopped", "idle"]

STATUSES: tuple[Status, ...] = get_args(Status)
STATUS_WORDS: Mapping[str, str] = {
    "done": "done",
    "running": "running",
    "waiting": "waiting",
    "failed": "failed",
    "stopped": "stopped before it finished",
    "idle": "not reached",
}
ENDED = frozenset({"completed", "failed", "cancelled", "timed_out"})
_UNDER_WAY = frozenset({"running", "held", "waiting"})
_RUNS: Mapping[str, Status] = {
    "completed": "done",
    "failed": "failed",
    "timed_out": "failed",
    "cancelled": "stopped",
    "interrupted": "stopped",
    "waiting": "waiting",
    "held": "waiting",
}


def told_status(status: str, *, within: str) -> str:
    """The status of a nested run: one that was under way went down with the run around it."""
    return "cancelled" if within in ENDED and status in _UNDER_WAY else status


def status_of_run(status: str, *, within: str = "") -> Status:
    """How a run in this status is marked, inside a run in the status `within`."""
    return _RUNS.get(told_status(status, within=within), "running")
