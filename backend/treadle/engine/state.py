"""The state of a run: what the fold of its journal comes to. Changed by the rules alone, in place."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from treadle.engine.events import Event
from treadle.engine.ticks import ErrorFacts, Key

MISSING: Any = object()


@dataclass(slots=True)
class Delivery:
    """One event on its way to one step, through all its attempts."""

    seq: int
    step: str
    event: Event
    attempt: int = 0
    started_at: float = 0.0
    first_failed_at: float | None = None
    sent: int = 0
    deaths: int = 0
    writes: dict[str, Any] | None = None
    batches: list[list[Event]] | None = None

    @property
    def key(self) -> Key:
        return (self.seq, self.step)


@dataclass(slots=True)
class StepCounts:
    """How often a step started, runs now, finished and failed."""

    started: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0


@dataclass(slots=True)
class Buffer:
    """Events a step has collected towards its next batch, in arrival order, each delivery once."""

    events: dict[int, Event] = field(default_factory=dict)
    expected: list[tuple[str, int]] = field(default_factory=list)
    need: int = 0

    def missing(self) -> list[str]:
        """The classes the next batch still waits for, each once."""
        have: dict[str, int] = {}
        for event in self.events.values():
            name = type(event).__name__
            have[name] = have.get(name, 0) + 1
        lacking = []
        for name, count in self.expected:
            have[name] = have.get(name, 0) - count
            if have[name] < 0:
                lacking.append(name)
        return list(dict.fromkeys(lacking))


@dataclass(slots=True)
class Outcome:
    """How a run ended: `event` for a completed one, `error` for the others."""

    status: str
    event: Event | None = None
    error: ErrorFacts | None = None
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """Where events go: the dispatch table by exact event type, and the workers of each step."""

    takers: Mapping[type[Event], tuple[str, ...]]
    workers: Mapping[str, int]


@dataclass(slots=True)
class RunState:
    """Everything a run is at one seq."""

    routes: Routes
    seq: int = 0
    held: bool = False
    outcome: Outcome | None = None
    context: dict[str, Any] = field(default_factory=dict)
    writers: dict[str, Key | None] = field(default_factory=dict)
    running: dict[Key, Delivery] = field(default_factory=dict)
    queued: dict[str, deque[Delivery]] = field(default_factory=dict)
    waiting_leave: dict[Key, Delivery] = field(default_factory=dict)
    delayed: dict[Key, tuple[Delivery, float]] = field(default_factory=dict)
    buffers: dict[str, Buffer] = field(default_factory=dict)
    prompts: dict[int, Event] = field(default_factory=dict)
    untaken: list[tuple[str, str | None]] = field(default_factory=list)
    steps: dict[str, StepCounts] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    emitted: dict[tuple[str, str], int] = field(default_factory=dict)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)
    started_at: float = 0.0
    last_at: float = 0.0
    active: float = 0.0

    def __post_init__(self) -> None:
        for step in self.routes.workers:
            self.steps[step] = StepCounts()

    @property
    def busy(self) -> bool:
        """Whether time counts: something runs or waits for its retry."""
        return bool(self.running or self.delayed)

    @property
    def status(self) -> str:
        """The run's state, in the words of the glossary."""
        if self.outcome is not None:
            return self.outcome.status
        if self.running or self.delayed:
            return "running"
        if self.waiting_leave:
            return "held"
        if self.prompts:
            return "waiting"
        return "running"

    def active_seconds(self, now: float) -> float:
        """Seconds the run has been busy up to `now`; held and waiting time does not count."""
        return self.active + (max(0.0, now - self.last_at) if self.busy else 0.0)
