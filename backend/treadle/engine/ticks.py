"""Ticks: what can happen to a run. Time travels inside the tick, so that a folded journal gives the same state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from treadle.engine.events import Event

Key = tuple[int, str]
"""A delivery: the seq of the entry that carries the event, and the step it goes to."""


@dataclass(slots=True)
class ErrorFacts:
    """An exception as data: class name, message and traceback text."""

    type: str
    message: str
    traceback: str = ""


@dataclass(slots=True)
class RunStarted:
    at: float
    event: Event
    context: dict[str, Any]
    held: bool = False


@dataclass(slots=True)
class EventSent:
    """An event sent by a step (`source`, its n-th: `index`) or from outside (`source` None)."""

    at: float
    event: Event
    target: str | None = None
    source: Key | None = None
    index: int = 0
    prompt: int | None = None


@dataclass(slots=True)
class EventStreamed:
    at: float
    event: Event
    source: Key | None = None


@dataclass(slots=True)
class StepFinished:
    at: float
    delivery: Key
    event: Event | None


@dataclass(slots=True)
class StepFailed:
    """A failed attempt; `retry_at` None means the retries are spent."""

    at: float
    delivery: Key
    error: ErrorFacts
    retry_at: float | None = None


@dataclass(slots=True)
class StepRetried:
    at: float
    delivery: Key


@dataclass(slots=True)
class EventsCollected:
    """A call of `collect_events`: `expected` as runs of (class name, count), None for what the buffer expects already.

    Run lengths, told once: a step that gathers n events would else journal n lists of n names.
    """

    at: float
    delivery: Key
    expected: list[tuple[str, int]] | None


@dataclass(slots=True)
class ContextChanged:
    at: float
    delivery: Key | None
    key: str
    value: Any


@dataclass(slots=True)
class StepAllowed:
    """Leave for one queued delivery of a held run; None means the first in the queue."""

    at: float
    delivery: Key | None = None


@dataclass(slots=True)
class RunReleased:
    at: float


@dataclass(slots=True)
class RunResumed:
    """The run goes on from its journal, on `worker`, for `reason`; `crashed` if a step may have killed the last one."""

    at: float
    worker: str
    reason: str
    crashed: bool = False


@dataclass(slots=True)
class RunCancelled:
    at: float


@dataclass(slots=True)
class RunTimedOut:
    at: float
    timeout: float


Tick = (
    RunStarted
    | EventSent
    | EventStreamed
    | StepFinished
    | StepFailed
    | StepRetried
    | EventsCollected
    | ContextChanged
    | StepAllowed
    | RunReleased
    | RunResumed
    | RunCancelled
    | RunTimedOut
)
