"""Admission: what a journal with limits does not let happen, and what happens to the run instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from treadle.engine import ticks
from treadle.engine.lending import Lending
from treadle.engine.serializers import shown
from treadle.engine.state import RunState
from treadle.errors import LimitExceeded, RunTooLarge


class Refused(Protocol):
    """The loop, as far as a refusal concerns it."""

    lending: Lending | None
    state: RunState

    def now(self) -> float: ...
    def submit(self, tick: ticks.Tick) -> None: ...
    def happen(self, tick: ticks.Tick) -> None: ...
    def fail(self, error: BaseException, step: str | None) -> None: ...


def admitted(run: Refused, tick: ticks.Tick, admit: Callable[[ticks.Tick], None]) -> None:
    """Raise LimitExceeded before a tick happens that cannot be kept; where the whole run is too large, it ends."""
    lending = run.lending
    if lending is not None and lending.out:
        lending.settle(run, tick)
    try:
        admit(tick)
    except RunTooLarge as error:
        delivery = getattr(tick, "delivery", None) or getattr(tick, "source", None)
        run.fail(error, delivery[1] if delivery is not None else None)
        raise
    if lending is not None and isinstance(tick, ticks.ContextChanged | ticks.ContextRemoved):
        lending.put_back(run.state, tick.key)


def refuse_start(run: Refused, start: ticks.RunStarted, error: LimitExceeded) -> None:
    """Let a run fail that starts with more than is kept of one; its first entry says what it was."""
    start.event = type(start.event).model_construct(shown=shown(start.event), not_stored=str(error))
    start.context = {}
    run.happen(start)
    run.fail(error, None)
