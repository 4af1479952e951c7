"""Fates: what became of every event of a run, and for every step it was for exactly one thing: nothing gets lost.

Told from the ticks and held against the state they fold into, so that an engine that loses an event is found out.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from treadle.engine import ticks
from treadle.engine.commands import ClosePrompt, Command, OpenPrompt
from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent, StepFailedEvent, StopEvent
from treadle.engine.reducer import apply
from treadle.engine.replay import change_version
from treadle.engine.state import Delivery, Routes, RunState
from treadle.engine.ticks import Key


class Fate(StrEnum):
    """What became of an event, for one of those it was for."""

    HELD = "waits for leave"
    QUEUED = "waits for a worker"
    RUNNING = "is worked on"
    DELAYED = "waits for its retry"
    WAITING = "waits for another event"
    JOINING = "waits in a join"
    DONE = "was worked on"
    COLLECTED = "was worked on, and waits in a batch"
    FAILED = "failed its step"
    CAUGHT = "failed its step, which a catcher made good"
    HANDED = "is in the caller's hand"
    SENT_ON = "was in the caller's hand and sent on"
    WOKE = "woke a step that waited"
    SHOWN = "was shown in the stream"
    ASKS = "asks a person"
    ANSWERED = "was answered by a person"
    ANSWERS = "answered a prompt"
    ENDED = "ended the run"
    UNTAKEN = "was for nobody"
    DROPPED = "was dropped"
    ASTRAY = "is in no place, or in two"


@dataclass(slots=True)
class EventFate:
    """The event that entry `seq` carried, and what became of it for `step`; None for whom no step stands for.

    `delivery` is the one it went into or woke, `reason` says why it was dropped or what is wrong.
    """

    seq: int
    event: str
    step: str | None
    fate: Fate
    delivery: Key | None = None
    reason: str = ""


def fates(
    run: Iterable[ticks.Tick], routes: Routes, versions: Callable[[str], Routes | None] = lambda version: None
) -> list[EventFate]:
    """The fates of all events of the run whose ticks these are, in order; `versions` are like those of `fold_records`.

    What a step merely writes to the stream is for nobody and has none.

    >>> from treadle import Event, StartEvent
    >>> routes = Routes({StartEvent: ("begin",)}, {"begin": 4})
    >>> run = [ticks.RunStarted(0.0, StartEvent(), {}), ticks.EventSent(1.0, Event(), source=(1, "begin"))]
    >>> for row in fates(run, routes):
    ...     print(row.seq, row.event, row.fate)
    1 StartEvent is worked on
    2 Event was for nobody
    """
    ledger = _Ledger(routes, versions)
    for tick in run:
        ledger.enter(tick)
    ledger.close()
    return ledger.rows


_ENDS = {
    "completed": "the run completed",
    "failed": "the run failed",
    "cancelled": "the run was cancelled",
    "timed_out": "the run timed out",
    "interrupted": "the run was interrupted",
}


class _Ledger:
    """The fates so far, and where those are that are not settled."""

    def __init__(self, routes: Routes, versions: Callable[[str], Routes | None]) -> None:
        self.rows: list[EventFate] = []
        self._versions = versions
        self._state = RunState(routes)
        self._deliveries: dict[Key, list[EventFate]] = {}
        self._joins: dict[str, list[deque[EventFate]]] = {}
        self._prompts: dict[int, EventFate] = {}
        self._handed: dict[Key, EventFate] = {}
        self._failed: dict[Key, list[EventFate]] = {}

    def enter(self, tick: ticks.Tick) -> None:
        """Carry the state over `tick` and tell what it means for the events."""
        state = self._state
        over, waits = state.outcome is not None and not isinstance(tick, ticks.RunReopened), list(state.waits)
        change_version(state, tick, self._versions)
        commands = apply(state, tick)
        kind = _carried(tick, caught=state.outcome is None)
        if over:
            if kind is not None:
                self._tell(kind, None, Fate.DROPPED, reason="it came after the end of the run")
            return
        self._settle(tick)
        answered = self._close_prompts(commands)
        if kind is None:
            return
        told = len(self.rows)
        if isinstance(tick, ticks.StepFinished) and tick.handed:
            self._handed[tick.delivery] = self._tell(kind, None, Fate.HANDED)
        else:
            self._place(tick, kind, commands, [key for key in waits if key not in state.waits], answered=answered)
        if len(self.rows) == told:
            self._tell(kind, None, Fate.SHOWN if isinstance(tick, ticks.WaitStarted) else Fate.UNTAKEN)

    def close(self) -> None:
        """Find everything that is not settled in the state."""
        state = self._state
        places: dict[Key, list[Fate]] = defaultdict(list)
        for place, delivery in _places(state):
            places[delivery.key].append(place)
            if delivery.key not in self._deliveries:
                row = EventFate(delivery.seq, type(delivery.event).__name__, delivery.step, Fate.ASTRAY, delivery.key)
                row.reason = f"it {place}, and nothing led to that"
                self.rows.append(row)
        for key, rows in self._deliveries.items():
            for row in rows:
                self._find(row, places[key])
        for step, queues in self._joins.items():
            kept = Counter(seq for queue in state.joining.get(step, ()) for seq, _ in queue)
            for row in (row for queue in queues for row in queue):
                self._find(row, [Fate.JOINING] * kept[row.seq])
        for number, row in self._prompts.items():
            self._find(row, [Fate.ASKS] if number in state.prompts else [])
        for key, row in self._handed.items():
            self._find(row, [Fate.HANDED] if key in state.handed else [])
        for row in self.rows:
            if row.fate is Fate.DONE and row.delivery is not None and (buffer := state.buffers.get(row.delivery[1])):
                row.fate = Fate.COLLECTED if row.delivery[0] in buffer.events else Fate.DONE

    def _settle(self, tick: ticks.Tick) -> None:
        """What ends with `tick`: a delivery, or an event's stay in the caller's hand."""
        if isinstance(tick, ticks.StepFinished):
            self._end_delivery(tick.delivery, Fate.DONE)
        elif isinstance(tick, ticks.StepFailed) and tick.retry_at is None:
            if self._state.outcome is not None:
                self._failed = {tick.delivery: self._deliveries.get(tick.delivery, [])}
            self._end_delivery(tick.delivery, Fate.CAUGHT if self._state.outcome is None else Fate.FAILED)
        elif isinstance(tick, ticks.RunReopened):
            self._deliveries.update(self._failed)
            self._failed.clear()
            if tick.decision == "done" and tick.delivery is not None:
                self._end_delivery(tick.delivery, Fate.DONE)
        elif isinstance(tick, ticks.EventSent) and tick.source in self._handed:
            self._handed.pop(tick.source).fate = Fate.SENT_ON
        elif isinstance(tick, ticks.StepAllowed):
            for row in self._handed.values():
                row.fate, row.reason = Fate.DROPPED, "the caller kept it"
            self._handed.clear()

    def _place(
        self,
        tick: ticks.Tick,
        kind: type[Event],
        commands: Sequence[Command],
        woken: Collection[Key],
        *,
        answered: bool,
    ) -> None:
        """Where an event went."""
        state = self._state
        if any(isinstance(command, OpenPrompt) for command in commands):
            self._prompts[state.seq] = self._tell(kind, None, Fate.ASKS)
        if isinstance(tick, ticks.WaitStarted | ticks.EventStreamed):
            return
        if issubclass(kind, StopEvent):
            self._tell(kind, None, Fate.ENDED)
            return
        for key in woken:
            self._tell(kind, key[1], Fate.WOKE, key)
        if woken and issubclass(kind, HumanResponseEvent):
            return
        if answered:
            self._tell(kind, None, Fate.ANSWERS)
        for step in _takers(tick, kind, state.routes):
            if step in state.routes.joins:
                self._join(step, kind, self._tell(kind, step, Fate.JOINING))
            else:
                key = (state.seq, step)
                self._deliveries[key] = [self._tell(kind, step, Fate.QUEUED, key)]

    def _join(self, step: str, kind: type[Event], row: EventFate) -> None:
        parameters = self._state.routes.joins[step]
        queues = self._joins.setdefault(step, [deque() for _ in parameters])
        for queue, accepted in zip(queues, parameters, strict=True):
            if kind in accepted:
                queue.append(row)
        if all(queues):
            key = (row.seq, step)
            self._deliveries[key] = joined = [queue.popleft() for queue in queues]
            for each in joined:
                each.delivery = key

    def _end_delivery(self, key: Key, fate: Fate) -> None:
        for row in self._deliveries.pop(key, ()):
            row.fate = fate

    def _close_prompts(self, commands: Iterable[Command]) -> bool:
        """Settle the prompts that are closed before the end; whether one was answered."""
        answered = False
        for command in commands:
            if not isinstance(command, ClosePrompt):
                continue
            if command.response is not None:
                answered = True
                self._prompts.pop(command.prompt).fate = Fate.ANSWERED
            elif self._state.outcome is None:
                row = self._prompts.pop(command.prompt)
                row.fate, row.reason = Fate.DROPPED, "the step that asked waits no more"
        return answered

    def _find(self, row: EventFate, places: Sequence[Fate]) -> None:
        """Settle `row` by the places where the state has it."""
        outcome = self._state.outcome
        if len(places) != 1:
            row.fate, row.reason = Fate.ASTRAY, " and ".join(f"it {place}" for place in places) or "it is nowhere"
        elif outcome is None:
            row.fate = places[0]
        else:
            row.fate, row.reason = Fate.DROPPED, f"{_ENDS[outcome.status]}; until then it {places[0]}"

    def _tell(
        self, kind: type[Event], step: str | None, fate: Fate, delivery: Key | None = None, *, reason: str = ""
    ) -> EventFate:
        row = EventFate(self._state.seq, kind.__name__, step, fate, delivery, reason)
        self.rows.append(row)
        return row


_CARRIERS = (ticks.RunStarted, ticks.EventSent, ticks.StepFinished, ticks.WaitStarted, ticks.RunReopened)


def _carried(tick: ticks.Tick, *, caught: bool) -> type[Event] | None:
    """The class of the event that `tick` brings into the run."""
    if isinstance(tick, ticks.StepFailed):
        return StepFailedEvent if tick.retry_at is None and caught else None
    if isinstance(tick, ticks.EventStreamed):
        return type(tick.event) if isinstance(tick.event, InputRequiredEvent) else None
    if isinstance(tick, _CARRIERS):
        return type(tick.event) if tick.event is not None else None
    return None


def _takers(tick: ticks.Tick, kind: type[Event], routes: Routes) -> Sequence[str]:
    """The steps an event is for."""
    if isinstance(tick, ticks.StepFailed):
        return (routes.catchers[tick.delivery[1]],)
    if isinstance(tick, ticks.EventSent) and tick.target is not None:
        return (tick.target,)
    return routes.takers.get(kind, ())


def _places(state: RunState) -> Iterator[tuple[Fate, Delivery]]:
    """Every place of `state` that has a delivery."""
    yield from ((Fate.RUNNING, delivery) for delivery in state.running.values())
    yield from ((Fate.QUEUED, delivery) for queue in state.queued.values() for delivery in queue)
    yield from ((Fate.HELD, delivery) for delivery in state.waiting_leave.values())
    yield from ((Fate.DELAYED, delivery) for delivery, _ in state.delayed.values())
    yield from ((Fate.WAITING, wait.delivery) for wait in state.waits.values())
