"""Deadlines: when a run must be over, by the clock on the wall."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from treadle.errors import WorkflowValidationError

Deadline = float | datetime
"""Seconds from the start of the run, or a moment with its time zone."""


def checked(deadline: Deadline | None) -> Deadline | None:
    """`deadline` as it is. Raises WorkflowValidationError for one that says no moment."""
    if isinstance(deadline, datetime):
        if deadline.tzinfo is None:
            raise WorkflowValidationError(
                f"The deadline {deadline.isoformat(sep=' ')} has no time zone, so it could be any of many moments;"
                " write datetime(..., tzinfo=...) or datetime.now().astimezone()."
            )
    elif deadline is not None and (type(deadline) not in (int, float) or not math.isfinite(deadline)):
        raise WorkflowValidationError(
            f"A deadline is a number of seconds from the start of the run, or a datetime with its time zone;"
            f" {deadline!r} is neither."
        )
    return deadline


def read(text: str) -> Deadline:
    """The deadline somebody wrote: "3600", or "2030-01-31T18:00:00Z". Raises WorkflowValidationError."""
    try:
        return checked(float(text)) or 0.0
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WorkflowValidationError(
            f"The deadline {text!r} is neither a number of seconds nor a time like 2030-01-31T18:00:00Z;"
            " in an address a + is written %2B."
        ) from None
    return checked(moment) or moment


def due_at(deadline: Deadline | None, now: float) -> float | None:
    """When a run is due that is started `now`."""
    if isinstance(deadline, datetime):
        return deadline.timestamp()
    return now + deadline if deadline is not None else None


def told(due: float) -> str:
    """A moment as a person reads it."""
    try:
        return datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):  # the year 10000
        return f"{due:.15g} seconds after 1970"
