"""Timers: what becomes due in a run, retries, the ends of waits and its timeout, told to it by ticks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from treadle.engine import ticks
from treadle.engine.commands import WaitForRetry, WatchWait
from treadle.engine.state import RunState

LOOK = 60.0
"""Seconds between looks at a deadline: somebody may set the clock meanwhile, or the machine sleep."""


class Timed(Protocol):
    """The loop, as far as its timers need it."""

    state: RunState
    over: bool

    def now(self) -> float: ...
    def begin(self) -> None: ...
    def submit(self, tick: ticks.Tick) -> None: ...


class Timers:
    """What one run waits for the clock with."""

    __slots__ = ("_handles", "_loop", "_run")

    def __init__(self, run: Timed) -> None:
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._handles: set[asyncio.TimerHandle] = set()

    def wait_for_retry(self, command: WaitForRetry) -> None:
        """Try a failed step again when its delay is over."""
        run, key = self._run, command.delivery.key
        self._at(command.due, lambda: run.submit(ticks.StepRetried(run.now(), key)))

    def watch_wait(self, command: WatchWait) -> None:
        """End a step's wait when it is due, unless that wait has come to its end."""
        run, key = self._run, command.delivery.key
        wait = run.state.waits.get(key)

        def fire() -> None:
            if wait is not None and run.state.waits.get(key) is wait:
                run.submit(ticks.WaitTimedOut(run.now(), key))

        self._at(command.due, fire)

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
            self._later(min(left + 0.001, LOOK), lambda: self._look_at_deadline(due))

    def _look_at_deadline(self, due: float) -> None:
        if self._run.now() >= due:
            self._run.begin()
        self.watch_deadline(due)

    def cancel(self) -> None:
        """Nothing becomes due any more."""
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()

    def _at(self, due: float, act: Callable[[], None]) -> None:
        self._later(due - self._run.now(), act)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def fire() -> None:
            self._handles.discard(handle)
            act()

        handle = self._loop.call_later(max(0.0, seconds), fire)
        self._handles.add(handle)
