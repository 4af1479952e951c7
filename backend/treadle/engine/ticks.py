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
    """`deadline` is when the run is ended if it is not over."""

    at: float
    event: Event
    context: dict[str, Any]
    held: bool = False
    deadline: float | None = None


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
    """A step ended well; `handed` means its event went to the caller of `run_step`, who may send it on."""

    at: float
    delivery: Key
    event: Event | None
    handed: bool = False


@dataclass(slots=True)
class StepFailed:
    """A failed attempt; `retry_at` None means the retries are spent. `exception` is the living one, never stored.

    `conflicts` are the keys it wrote that are not taken back, because another step has written them since.
    """

    at: float
    delivery: Key
    error: ErrorFacts
    retry_at: float | None = None
    exception: BaseException | None = None
    conflicts: tuple[str, ...] = ()


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
class WaitStarted:
    """A step's next `wait_for_event`: it gives its worker back until an `expected` with `requirements` comes, or `due`.

    `event` asks for it: it is shown in the stream, and opens a prompt if it is an InputRequiredEvent. `human` says that
    a person is asked.
    """

    at: float
    delivery: Key
    expected: str
    requirements: dict[str, Any]
    due: float | None = None
    event: Event | None = None
    human: bool = False


@dataclass(slots=True)
class WaitTimedOut:
    at: float
    delivery: Key


@dataclass(slots=True)
class ResultKept:
    """What a step's `run_once(key, ...)` came to."""

    at: float
    delivery: Key
    key: str
    value: Any


@dataclass(slots=True)
class ChildStarted:
    """A step's nested run, its n-th: `call`."""

    at: float
    delivery: Key
    call: int
    workflow: str
    run_id: str


@dataclass(slots=True)
class ChildChanged:
    """A nested run that goes on is `waiting` for nothing but people, or `running` again."""

    at: float
    delivery: Key
    call: int
    status: str


@dataclass(slots=True)
class ChildEnded:
    at: float
    delivery: Key
    call: int
    status: str


@dataclass(slots=True)
class ContextChanged:
    at: float
    delivery: Key | None
    key: str
    value: Any


@dataclass(slots=True)
class ContextRemoved:
    at: float
    delivery: Key | None
    key: str


@dataclass(slots=True)
class RunHeld:
    """From here on every delivery waits for leave."""

    at: float


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
    """The run goes on from its journal, on `worker`, for `reason`; `crashed` if a step may have killed the last one.

    `conflicts` are the keys its unfinished steps wrote that are not taken back: others have written them since.
    `version` is that of the code it goes on with, where that is another one than before.
    """

    at: float
    worker: str
    reason: str
    crashed: bool = False
    conflicts: tuple[str, ...] = ()
    version: str | None = None


@dataclass(slots=True)
class RunReopened:
    """A person lets a run go on that stopped: `decision` is resume, retry, again or done.

    `delivery` is the one it is about: the failed one that is tried again, or the one whose step may be done at most
    once; for done, `event` is taken as what that step returned. `version` is like that of RunResumed.
    """

    at: float
    decision: str
    delivery: Key | None = None
    event: Event | None = None
    version: str | None = None


@dataclass(slots=True)
class RunGivenUp:
    """A person ends a run that stopped."""

    at: float
    error: ErrorFacts
    step: str | None = None


@dataclass(slots=True)
class RunCancelled:
    at: float


@dataclass(slots=True)
class RunTimedOut:
    """The run was active for `timeout` seconds, or has come to its `deadline`."""

    at: float
    timeout: float | None
    deadline: float | None = None


@dataclass(slots=True)
class RunFailed:
    """The run cannot go on: it has outgrown its limits, by what `step` did."""

    at: float
    error: ErrorFacts
    step: str | None = None


Tick = (
    RunStarted
    | EventSent
    | EventStreamed
    | StepFinished
    | StepFailed
    | StepRetried
    | EventsCollected
    | WaitStarted
    | WaitTimedOut
    | ResultKept
    | ChildStarted
    | ChildChanged
    | ChildEnded
    | ContextChanged
    | ContextRemoved
    | RunHeld
    | StepAllowed
    | RunReleased
    | RunResumed
    | RunReopened
    | RunGivenUp
    | RunCancelled
    | RunTimedOut
    | RunFailed
)
