"""Timers: what becomes due in a run, retries, the ends of waits, its timeout and deadline, told to it by ticks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, Protocol

from treadle.engine import ticks
from treadle.engine.commands import WaitForRetry, WatchWait
from treadle.engine.state import RunState

AT_ONCE = 16
"""Delays that end in one turn of the event loop: after a long pause thousands may be overdue."""
SPARE = 8
"""Delays that are kept although nobody waits for them any more, before all of those are dropped."""


class Timed(Protocol):
    """The loop, as far as its timers need it."""

    state: RunState
    over: bool

    def now(self) -> float: ...
    def begin(self) -> None: ...
    def submit(self, tick: ticks.Tick) -> None: ...


Delay = tuple[float, int, bool, ticks.Key, Any]
"""When it is over by the event loop's clock, which nobody sets; its number; whether it is a wait; whose; what waits."""


class Timers:
    """What one run waits for the clock with."""

    __slots__ = ("_delays", "_handles", "_loop", "_next", "_numbers", "_run")

    def __init__(self, run: Timed) -> None:
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._handles: set[asyncio.TimerHandle] = set()
        self._delays: list[Delay] = []
        self._numbers = count()
        self._next: asyncio.TimerHandle | None = None

    def wait_for_retry(self, command: WaitForRetry) -> None:
        """Try a failed step again when its delay is over."""
        key = command.delivery.key
        self._add(command.due, key, self._run.state.delayed.get(key), is_wait=False)

    def watch_wait(self, command: WatchWait) -> None:
        """End a step's wait when it is due, unless that wait has come to its end."""
        key = command.delivery.key
        self._add(command.due, key, self._run.state.waits.get(key), is_wait=True)

    def watch_timeout(self, timeout: float | None) -> None:
        """End the run when it has been active for `timeout` seconds, None for never."""
        run = self._run
        if timeout is None or run.over:
            return
        left = timeout - run.state.active_seconds(run.now())
        if left <= 0:
            run.submit(ticks.RunTimedOut(run.now(), timeout))
        else:
            self._later(left + 0.001, lambda: self.watch_timeout(timeout))

    def watch_deadline(self, due: float | None) -> None:
        """End the run at `due` if it is not over, whatever it waits for, its own start included; None for never."""
        run = self._run
        if due is None or run.over:
            return
        left = due - run.now()
        if left <= 0 and run.state.seq:
            run.submit(ticks.RunTimedOut(run.now(), None, due))
        else:
            self._later(left + 0.001, lambda: self._look_at_deadline(due))

    def _look_at_deadline(self, due: float) -> None:
        if self._run.now() >= due:
            self._run.begin()
        self.watch_deadline(due)

    def cancel(self) -> None:
        """Nothing becomes due any more."""
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()
        self._delays.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def fire() -> None:
            self._handles.discard(handle)
            act()

        handle = self._loop.call_later(max(0.0, seconds), fire)
        self._handles.add(handle)

    def _add(self, due: float, key: ticks.Key, waiting: Any, *, is_wait: bool) -> None:
        if waiting is None:
            return
        state, delays = self._run.state, self._delays
        if len(delays) >= SPARE + 2 * (len(state.delayed) + len(state.waits)):
            delays[:] = [delay for delay in delays if self._is_on(delay)]
            heapify(delays)
        over = self._loop.time() + max(0.0, due - self._run.now())
        heappush(delays, (over, next(self._numbers), is_wait, key, waiting))
        self._watch()

    def _is_on(self, delay: Delay) -> bool:
        """Whether what waited for the end of this delay still does."""
        _, _, is_wait, key, waiting = delay
        state = self._run.state
        return (state.waits.get(key) if is_wait else state.delayed.get(key)) is waiting

    def _watch(self) -> None:
        """See that somebody looks when the first delay is over."""
        if not self._delays:
            return
        over = self._delays[0][0]
        if self._next is not None:
            if self._next.when() <= over:
                return
            self._next.cancel()
        self._next = self._loop.call_at(over, self._look, over)

    def _look(self, now: float) -> None:
        """Tell the run which delays are over by `now`, some of them in this turn and the others in the next."""
        self._next = None
        run, told = self._run, 0
        now = max(now, self._loop.time())
        try:
            while told < AT_ONCE and self._delays and self._delays[0][0] <= now:
                delay = heappop(self._delays)
                if self._is_on(delay):
                    told += 1
                    _, _, is_wait, key, _ = delay
                    run.submit((ticks.WaitTimedOut if is_wait else ticks.StepRetried)(run.now(), key))
        finally:
            self._watch()
