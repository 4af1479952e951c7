"""Time that does not have to be waited for."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable


class HurriedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to its next timer as soon as there is nothing else to do.

    For code that sleeps but neither talks to the network nor works in threads: those it would not wait for.
    """

    def __init__(self, start: float | None = None) -> None:
        self._ahead = 0.0
        super().__init__(_Jumping(self._jump))
        self._origin = (time.time() if start is None else start) - self.time()

    def time(self) -> float:
        return super().time() + self._ahead

    def wall(self) -> float:
        """What `time.time()` has to say for the jumps to be seen: seconds since the epoch."""
        return self._origin + self.time()

    def _jump(self, seconds: float) -> None:
        self._ahead += seconds


class _Jumping(selectors.DefaultSelector):
    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            self._jump(timeout)
            timeout = 0
        return super().select(timeout)
