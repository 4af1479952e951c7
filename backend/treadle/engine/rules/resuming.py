"""How a run goes on that was held, or whose worker ended: what was in a step's middle is tried again, nothing twice."""

from __future__ import annotations

from itertools import chain

from treadle.engine.commands import Command, RunStep, WaitForRetry, WatchWait
from treadle.engine.rules.changing import overwritten, undo_writes
from treadle.engine.rules.ending import end
from treadle.engine.rules.starting import begin
from treadle.engine.state import Delivery, Outcome, RunState
from treadle.engine.ticks import ErrorFacts, RunReleased, RunResumed

MAX_DEATHS = 3
"""Crashes of the worker in the same delivery after which its run is parked for a person."""


def run_released(state: RunState, tick: RunReleased, commands: list[Command]) -> None:
    state.held = False
    waiting = list(state.waiting_leave.values())
    state.waiting_leave.clear()
    for delivery in waiting:
        begin(state, delivery, tick.at, commands)


def run_resumed(state: RunState, tick: RunResumed, commands: list[Command]) -> None:
    interrupted, suspended, woken = _unfinished(state)
    for delivery in (*woken, *suspended, *interrupted):
        undo_writes(state, delivery)
        delivery.attempt += 1
    for delivery in interrupted:
        delivery.deaths += tick.crashed
    for delivery in (*interrupted, *suspended, *woken):
        if delivery.deaths >= MAX_DEATHS:
            message = (
                f"Its worker died {delivery.deaths} times in step {delivery.step}."
                " Mend the step, then start a new run with the same input."
            )
            end(state, Outcome("interrupted", error=ErrorFacts("StepCrashed", message), step=delivery.step), commands)
            return
        if delivery.step in state.routes.at_most_once:
            message = (
                f"Step {delivery.step} may be done at most once and its worker ended in the middle of it;"
                " whether it did its work is not known, so it is not run again."
            )
            end(state, Outcome("interrupted", error=ErrorFacts("StepUnknown", message), step=delivery.step), commands)
            return
    for delivery in interrupted:
        delivery.started_at = tick.at
        commands.append(RunStep(delivery))
    commands.extend(WaitForRetry(delivery, due) for delivery, due in state.delayed.values())
    commands.extend(WatchWait(wait.delivery, wait.due) for wait in state.waits.values() if wait.due is not None)


def overwritten_since(state: RunState) -> tuple[str, ...]:
    """The keys that the unfinished steps wrote and others have written since: going on does not take them back."""
    return overwritten(state, chain(*_unfinished(state)))


def _unfinished(state: RunState) -> tuple[list[Delivery], list[Delivery], list[Delivery]]:
    """What a step was in the middle of: at work, waiting for an event, and for its worker after one."""
    queued = chain(state.waiting_leave.values(), *state.queued.values())
    woken = [delivery for delivery in queued if delivery.paused]
    return list(state.running.values()), [wait.delivery for wait in state.waits.values()], woken
