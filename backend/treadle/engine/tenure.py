"""Tenure: whether a run is still its worker's own, asked before something is done that another may be doing by now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from treadle.errors import RunInterrupted


class Owned(Protocol):
    """The loop, as far as its tenure concerns it; without `owned` nobody else can have the run."""

    over: bool
    owned: Callable[[], bool] | None

    def abandon(self, error: BaseException) -> None: ...


def lapsed(run: Owned) -> bool:
    """Whether the run is over here, or somebody else may have it: then it stops before it does anything."""
    if run.owned is not None and not run.owned():
        run.abandon(RunInterrupted("Its worker was silent for longer than its lease."))
    return run.over
