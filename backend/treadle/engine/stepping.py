"""Stepwise execution: one delivery of a held run at a time, its event in the caller's hand before it goes on."""

from __future__ import annotations

import asyncio
from typing import Protocol

from treadle.engine.events import Event
from treadle.engine.state import RunState
from treadle.engine.ticks import EventSent, Key, Tick


class Stepwise(Protocol):
    """The loop, as far as stepping through it goes."""

    state: RunState
    over: bool

    def now(self) -> float: ...
    def submit(self, tick: Tick) -> None: ...
    def hold(self) -> None: ...
    def allow_step(self, delivery: Key | None = None) -> None: ...


class Stepper:
    """Runs steps of one run when asked."""

    __slots__ = ("_asked", "_changed", "_gone", "_outputs", "_run", "_taken")

    def __init__(self, run: Stepwise) -> None:
        self._run = run
        self._asked: dict[Key, asyncio.Future[Event | None]] = {}
        self._taken: set[Key] = set()
        self._outputs: dict[int, tuple[Event, Key]] = {}
        self._gone: dict[int, Event] = {}
        self._changed: asyncio.Future[None] | None = None

    async def run_step(self, *, dispatch: bool) -> Event | None:
        """Run the delivery that waits longest; its event, None if it made none or the run is over.

        With `dispatch` the event goes on by itself; without, it is the caller's to send on.
        """
        run = self._run
        run.hold()
        for asked in [asked for asked in self._asked if asked in run.state.waiting_leave]:
            run.allow_step(asked)  # the run was released and held again while it waited for a worker
        self._outputs.clear()
        self._gone.clear()
        while (key := self._next()) is None and not run.over:
            if run.state.handed and run.state.outcome is None:
                run.allow_step()  # the caller kept the last event to himself: that was its end
            else:
                self._changed = self._changed or asyncio.get_running_loop().create_future()
                await asyncio.shield(self._changed)
        if key is None or run.over:
            return None
        ended: asyncio.Future[Event | None] = asyncio.get_running_loop().create_future()
        self._asked[key] = ended
        if not dispatch:
            self._taken.add(key)
        run.allow_step(key)
        try:
            return await ended
        finally:
            if self._asked.get(key) is ended:  # who stops waiting does not get the event: it goes on by itself
                del self._asked[key]
                self._taken.discard(key)

    def _next(self) -> Key | None:
        return next((key for key in self._run.state.waiting_leave if key not in self._asked), None)

    def takes(self, key: Key) -> bool:
        """Whether the event of this delivery goes to the caller, who may send it on."""
        return key in self._taken

    def step_ended(self, key: Key, event: Event | None) -> None:
        """The delivery ended, or gave its worker back to wait."""
        ended, taken = self._asked.pop(key, None), key in self._taken
        self._taken.discard(key)
        if ended is not None and not ended.done():
            if event is not None and taken:
                self._outputs[id(event)] = (event, key)
            ended.set_result(event)

    def maker_of(self, event: Event) -> Key | None:
        """The delivery whose event the caller sends on here."""
        return self._outputs.pop(id(event), (None, None))[1]

    def let_go(self, event: Event) -> None:
        """The event goes on by itself; should the caller still send it, it does not go twice."""
        if self.maker_of(event) is not None:
            self._gone[id(event)] = event

    def has_gone(self, event: Event) -> bool:
        """Whether the event the caller sends has gone on by itself; told once."""
        return self._gone.pop(id(event), None) is not None

    def changed(self) -> None:
        """Something happened to the run."""
        if self._changed is not None:
            self._changed.set_result(None)
            self._changed = None

    def run_ended(self) -> None:
        """Nobody needs to wait any more."""
        self.changed()
        self._outputs.clear()
        for key in list(self._asked):
            self.step_ended(key, None)


def send_handed(run: Stepwise, stepper: Stepper | None) -> None:
    """What the caller of `run_step` has not sent on, and now cannot or need not, goes on by itself.

    Each by a tick of its own: a delivery is known by the entry that carries its event. A copy goes: what the caller
    does to the event from now on is nobody's business.
    """
    for key, event in list(run.state.handed.items()):
        if stepper is not None:
            stepper.let_go(event)
        run.submit(EventSent(run.now(), event.model_copy(), source=key))
