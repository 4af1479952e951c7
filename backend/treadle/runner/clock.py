"""The clock of a worker: the wall clock, except that it does not jump.

Somebody sets the time, or a network does: then the wall clock is hours ahead of what it was, or behind. Delays,
timeouts and the time a run was busy are not fooled by that, and no worker takes another for silent because of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

JUMP = 2.0
"""Seconds by which the wall clock must be off to have jumped; less is what a network corrects."""


class Clock:
    """Called, it gives seconds since the epoch, counted on from the moment it was made."""

    def __init__(
        self, *, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._start = self._trusted = min(self._read() for _ in range(5))[1]  # nobody came in between that one
        self._doubted_since: float | None = None

    def __call__(self) -> float:
        return self._start + self._steady()

    def _read(self) -> tuple[float, float]:
        """How long reading both clocks took, and how far the wall clock is ahead of the steady one."""
        before, wall, after = self._steady(), self._wall(), self._steady()
        return after - before, wall - (before + after) / 2

    def after(self, at: float) -> Callable[[], float]:
        """This clock, set ahead if it were before `at` now: in a run, time goes on where its journal ends."""
        ahead = max(0.0, at - self())
        return (lambda: self() + ahead) if ahead else self

    def for_leases(self, patience: float) -> float:
        """The wall clock, by which leases are written; for `patience` seconds after it jumped forward, without that.

        By then every worker that lives has renewed its own.
        """
        steady, wall = self._steady(), self._wall()
        if wall - steady - self._trusted > JUMP:
            if self._doubted_since is None:
                self._doubted_since = steady
            if steady - self._doubted_since < patience:
                return self._trusted + steady
        self._doubted_since = None
        self._trusted = wall - steady
        return wall
