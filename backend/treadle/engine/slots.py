"""Slots: how many runs of one workflow instance may go on at a time; the others wait their turn."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress


class Slots:
    """`limit` slots, given in the order they were asked for; runs on several event loops share them."""

    def __init__(self, limit: int) -> None:
        if type(limit) is not int or limit < 1:
            raise ValueError(f"num_concurrent_runs must be an integer greater than 0 or None, not {limit!r}.")
        self._limit = limit
        self._lock = threading.Lock()
        self._taken: dict[Callable[[], None], asyncio.AbstractEventLoop] = {}
        self._waiting: deque[tuple[asyncio.AbstractEventLoop, Callable[[], None]]] = deque()

    def take(self, begin: Callable[[], None]) -> None:
        """Call `begin` on the running event loop, soon if there is a free slot, else when there is one."""
        with self._lock:
            self._waiting.append((asyncio.get_running_loop(), begin))
            self._fill()

    def give_back(self, begin: Callable[[], None]) -> None:
        """The run that began with `begin` is over, or will not begin any more."""
        with self._lock:
            if self._taken.pop(begin, None) is None:
                self._waiting = deque(entry for entry in self._waiting if entry[1] != begin)
            self._fill()

    def _fill(self) -> None:
        if len(self._taken) >= self._limit:  # an event loop that was closed took its runs with it
            self._taken = {begin: loop for begin, loop in self._taken.items() if not loop.is_closed()}
        while self._waiting and len(self._taken) < self._limit:
            loop, begin = self._waiting.popleft()
            with suppress(RuntimeError):  # closed
                loop.call_soon_threadsafe(begin)
                self._taken[begin] = loop
