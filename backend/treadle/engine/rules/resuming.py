"""How a run goes on that was held, or whose worker ended: what was in a step's middle is tried again, nothing twice."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import chain

from treadle.engine.commands import Command, RunStep, WaitForRetry, WatchWait
from treadle.engine.rules.changing import overwritten, undo_writes
from treadle.engine.rules.ending import end
from treadle.engine.rules.starting import begin, refill
from treadle.engine.state import Delivery, Outcome, RunState
from treadle.engine.ticks import ErrorFacts, Key, RunReleased, RunResumed

MAX_DEATHS = 3
"""Crashes of the worker in the same delivery after which its run is parked for a person."""
SHORT = "out of memory"
"""What the reason to go on says where the kernel has ended the worker, because there was no memory left."""
CRASHED, UNKNOWN = "StepCrashed", "StepUnknown"
"""Why a run is parked by its journal: a step keeps ending its worker, or it is not known whether it did its work."""


def run_released(state: RunState, tick: RunReleased, commands: list[Command]) -> None:
    state.held = False
    waiting = list(state.waiting_leave.values())
    state.waiting_leave.clear()
    for delivery in waiting:
        begin(state, delivery, tick.at, commands)


def run_resumed(state: RunState, tick: RunResumed, commands: list[Command]) -> None:
    state.version = tick.version or state.version
    cut_short(state, crashed=tick.crashed)
    go_on(state, in_flight(state), tick.at, commands, short=SHORT in tick.reason)
    for step, queue in state.queued.items() if state.outcome is None else ():
        while queue and state.steps[step].running < state.routes.workers[step]:  # it has more of them than before
            refill(state, step, tick.at, commands)


def in_flight(state: RunState) -> list[Delivery]:
    """The deliveries that are in a step's middle: those that run first, then those that wait there, or did."""
    queued = chain(state.waiting_leave.values(), *state.queued.values())
    woken = [delivery for delivery in queued if delivery.paused]
    return [*state.running.values(), *(wait.delivery for wait in state.waits.values()), *woken]


def cut_short(state: RunState, *, crashed: bool = False) -> None:
    """Count the attempts that ended with their worker; what they wrote is taken back, unless nobody knows their end."""
    for delivery in _undone(state):
        undo_writes(state, delivery)
    for delivery in in_flight(state):
        delivery.attempt += 1
    for (seq, step, _), child in state.children.items():
        if child.status == "waiting":  # until its step has found it again
            state.count_child((seq, step), child, -1)
            child.status = "running"
            state.count_child((seq, step), child, 1)
    for delivery in state.running.values():
        delivery.deaths += crashed


def _undone(state: RunState) -> list[Delivery]:
    """Those whose writes are taken back: not those of a step that may be done at most once, which perhaps is done."""
    return [delivery for delivery in in_flight(state) if delivery.step not in state.routes.at_most_once]


def go_on(
    state: RunState, interrupted: Sequence[Delivery], at: float, commands: list[Command], *, short: bool = False
) -> None:
    """Start again what was `interrupted`, or park the run for a person where nobody else can say what to do.

    `short`: it was interrupted because there was no memory left.
    """
    for delivery in interrupted:
        if (trouble := _trouble(state, delivery, short=short)) is not None:
            _take_back(state, {each.key for each in interrupted}, commands)
            end(state, Outcome("interrupted", error=trouble, step=delivery.step, delivery=delivery), commands)
            return
    for delivery in interrupted:
        if delivery.key in state.running:
            delivery.started_at = at
            commands.append(RunStep(delivery))
    for delivery in in_flight(state):
        delivery.cleared = False
    commands.extend(WaitForRetry(delivery, due) for delivery, due in state.delayed.values())
    commands.extend(WatchWait(wait.delivery, wait.due) for wait in state.waits.values() if wait.due is not None)


def overwritten_since(state: RunState) -> tuple[str, ...]:
    """The keys that the unfinished steps wrote and others have written since: going on does not take them back."""
    return overwritten(state, _undone(state))


def _take_back(state: RunState, interrupted: Container[Key], commands: list[Command]) -> None:
    """What was to begin by this very tick does not, and may once the run goes on."""
    commands[:] = [command for command in commands if not isinstance(command, RunStep)]
    for delivery in state.running.values():
        if delivery.key not in interrupted:
            delivery.cleared = True


def _trouble(state: RunState, delivery: Delivery, *, short: bool) -> ErrorFacts | None:
    if delivery.deaths >= MAX_DEATHS:
        died = f"Its worker died {delivery.deaths} times in step {delivery.step}"
        if short:
            message = (
                f"{died}, and the last time the system ended it because there was no memory left. Let the step take"
                " less memory, or give the machine more; then resume the run."
            )
        else:
            message = f"{died}. Mend the step, then resume the run."
        return ErrorFacts(CRASHED, message)
    if delivery.step in state.routes.at_most_once and not delivery.cleared:
        message = (
            f"Step {delivery.step} may be done at most once and its worker ended in the middle of it;"
            " whether it did its work is not known, so it is not run again."
        )
        return ErrorFacts(UNKNOWN, message)
    return None
