"""The state of a run: what the fold of its journal comes to. Changed by the rules alone, in place."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from treadle.engine.events import Event
from treadle.engine.ticks import ErrorFacts, Key
from treadle.engine.waits import Waits, fits

MISSING: Any = object()
_NO_NEST = [0, 0]


@dataclass(slots=True)
class Memo:
    """What the attempts of one delivery did so far, so that the next attempt takes it back or does not do it twice."""

    sent: int = 0
    asked: int = 0
    writes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """What each key it wrote held before, and who had written that; MISSING for nothing and nobody."""
    batches: list[list[Event]] = field(default_factory=list)
    waited: list[Event | None] = field(default_factory=list)
    """What its waits came to, in order; None for one that timed out."""
    results: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Delivery:
    """One event on its way to one step, through all its attempts."""

    seq: int
    step: str
    event: Event
    inputs: tuple[Event, ...] | None = None
    """The events of a join, in the order of its parameters; `event` is then the one that completed it."""
    attempt: int = 0
    failures: int = 0
    """How many of its attempts raised; the others were cut short, which no retry policy is asked about."""
    started_at: float = 0.0
    first_failed_at: float | None = None
    deaths: int = 0
    paused: bool = False
    cleared: bool = False
    """Whether it may begin although its step may be done at most once: it never did, or a person said so."""
    recovered: Mapping[str, int] | None = None
    """How often each catcher was called on the way to this event."""
    memo: Memo | None = None

    @property
    def key(self) -> Key:
        return (self.seq, self.step)

    def memory(self) -> Memo:
        """Its memo, made when there is something to remember."""
        if self.memo is None:
            self.memo = Memo()
        return self.memo


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
    have: dict[str, int] = field(default_factory=dict)
    """How many there are of each class: kept as they come and go, because whoever watches asks after every tick."""

    def add(self, seq: int, event: Event) -> None:
        """Keep the event of entry `seq`, once."""
        if seq not in self.events:
            self.events[seq] = event
            name = type(event).__name__
            self.have[name] = self.have.get(name, 0) + 1

    def take(self, seq: int) -> Event:
        """Take an event out."""
        event = self.events.pop(seq)
        name = type(event).__name__
        self.have[name] -= 1
        if not self.have[name]:
            del self.have[name]
        return event

    def lacking(self) -> dict[str, int]:
        """How many events of which class the next batch still waits for."""
        lacks: dict[str, int] = {}
        for name, count in self.expected:
            lacks[name] = lacks.get(name, -self.have.get(name, 0)) + count
        return {name: count for name, count in lacks.items() if count > 0}


@dataclass(slots=True)
class Wait:
    """A delivery that waits for an event of class `expected`; `prompt` is the one it opened to get it.

    `human` if it is a person's: such waiting does not count as time.
    """

    delivery: Delivery
    expected: str
    requirements: dict[str, Any]
    due: float | None = None
    prompt: int | None = None
    human: bool = False

    def takes(self, event: Event) -> bool:
        """Whether `event` is what it waits for."""
        return type(event).__name__ == self.expected and fits(event, self.requirements)


@dataclass(slots=True)
class Child:
    """A nested run, as its parent knows it."""

    workflow: str
    run_id: str
    status: str = "running"

    @property
    def lives(self) -> bool:
        """Whether it goes on; `waiting` if it waits for nothing but people."""
        return self.status in ("running", "waiting")


@dataclass(slots=True)
class Outcome:
    """How a run ended: `event` for a completed one, `error` for the others, `delivery` the one that ended it so."""

    status: str
    event: Event | None = None
    error: ErrorFacts | None = None
    step: str | None = None
    attempts: int = 0
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """Where events go: the dispatch table by exact event type, and what the rules must know of each step.

    `joins` has the accepted types of each parameter of a step that takes several events, `catchers` the step that
    catches the failures of another, `recoveries` how often a catcher may be called on one way through the run.
    """

    takers: Mapping[type[Event], tuple[str, ...]]
    workers: Mapping[str, int]
    joins: Mapping[str, tuple[tuple[type[Event], ...], ...]] = field(default_factory=dict)
    catchers: Mapping[str, str] = field(default_factory=dict)
    recoveries: Mapping[str, int] = field(default_factory=dict)
    at_most_once: frozenset[str] = frozenset()


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
    waits: Waits[Wait] = field(default_factory=Waits)
    joining: dict[str, list[deque[tuple[int, Event]]]] = field(default_factory=dict)
    buffers: dict[str, Buffer] = field(default_factory=dict)
    carried: dict[int, Mapping[str, int]] = field(default_factory=dict)
    """How often each catcher was called on the way to the events that joins and buffers have kept, by entry."""
    handed: dict[Key, Event] = field(default_factory=dict)
    children: dict[tuple[int, str, int], Child] = field(default_factory=dict)
    nests: dict[Key, list[int]] = field(default_factory=dict)
    """Of each delivery with nested runs, how many of them are at work and how many wait for people."""
    prompts: dict[int, Event] = field(default_factory=dict)
    untaken: list[tuple[str, str | None]] = field(default_factory=list)
    steps: dict[str, StepCounts] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    emitted: dict[tuple[str, str], int] = field(default_factory=dict)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)
    started_at: float = 0.0
    deadline: float | None = None
    last_at: float = 0.0
    active: float = 0.0
    version: str | None = None
    """The code it went on with, if that was another than at its start."""
    size: int = 0
    """Bytes of JSON text its journal has; counted by who keeps that."""

    def __post_init__(self) -> None:
        for step in self.routes.workers:
            self.steps[step] = StepCounts()

    @property
    def busy(self) -> bool:
        """Whether time counts: something runs, or waits for its retry or for an event that is not a person's."""
        if self.delayed or (self.running and not all(map(self._only_waits, self.running) if self.nests else (False,))):
            return True
        return self.waits.others > 0 and not self.held

    def _only_waits(self, key: Key) -> bool:
        """Whether all there is of a running delivery are nested runs that wait for people."""
        at_work, waiting = self.nests.get(key, _NO_NEST)
        return waiting > 0 and not at_work

    def count_child(self, key: Key, child: Child, by: int) -> None:
        """Count one of the nested runs of a delivery, or take it out of the count."""
        nest = self.nests.setdefault(key, [0, 0])
        if child.lives:
            nest[child.status == "waiting"] += by

    def active_steps(self) -> list[str]:
        """The steps whose time counts, each once."""
        waiting = [wait.delivery.step for wait in self.waits.values() if not wait.human]
        return list(dict.fromkeys([*(delivery.step for delivery in self.running.values()), *waiting]))

    @property
    def status(self) -> str:
        """The run's state, in the words of the glossary."""
        if self.outcome is not None:
            return self.outcome.status
        if self.running or self.delayed:
            return "running"
        if self.waiting_leave or self.handed:
            return "held"
        if self.prompts or self.waits:
            return "waiting"
        return "running"

    def at_work(self, key: Key) -> Delivery | None:
        """The delivery `key` if its step runs or waits in its middle."""
        delivery = self.running.get(key)
        if delivery is None and key in self.waits:
            return self.waits[key].delivery
        return delivery

    def recovered_with(
        self, recovered: Mapping[str, int] | None, seqs: Iterable[int]
    ) -> Mapping[str, int] | None:
        """`recovered`, and what was carried by the events of these entries: of each catcher the most calls."""
        for seq in seqs if self.carried else ():
            for catcher, calls in self.carried.get(seq, {}).items():
                if calls > (recovered or {}).get(catcher, 0):
                    recovered = {**(recovered or {}), catcher: calls}
        return recovered

    def count_event(self, event: Event, source: str | None) -> None:
        """Record that `event` occurred, and on which edge."""
        name = type(event).__name__
        self.events[name] = self.events.get(name, 0) + 1
        if source is not None:
            edge = (source, name)
            self.emitted[edge] = self.emitted.get(edge, 0) + 1

    def active_seconds(self, now: float) -> float:
        """Seconds the run has been busy up to `now`; held and waiting time does not count."""
        return self.active + (max(0.0, now - self.last_at) if self.busy else 0.0)
