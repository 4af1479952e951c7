"""The reducer: one tick in, commands out. It reads no clock, does no I/O and spawns nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from treadle.engine import ticks
from treadle.engine.commands import Command
from treadle.engine.rules import (
    changing,
    collecting,
    completion,
    delivery,
    ending,
    nesting,
    reopening,
    resuming,
    starting,
    waiting,
)
from treadle.engine.state import Outcome, RunState

_RULES: Mapping[type, Callable[[RunState, Any, list[Command]], None]] = {
    ticks.RunStarted: delivery.run_started,
    ticks.EventSent: delivery.event_sent,
    ticks.EventStreamed: delivery.event_streamed,
    ticks.RunHeld: starting.run_held,
    ticks.StepAllowed: starting.step_allowed,
    ticks.RunReleased: resuming.run_released,
    ticks.StepFinished: completion.step_finished,
    ticks.StepFailed: completion.step_failed,
    ticks.StepRetried: completion.step_retried,
    ticks.ContextChanged: changing.context_changed,
    ticks.ContextRemoved: changing.context_removed,
    ticks.ChildStarted: nesting.child_started,
    ticks.ChildChanged: nesting.child_changed,
    ticks.ChildEnded: nesting.child_ended,
    ticks.RunResumed: resuming.run_resumed,
    ticks.RunReopened: reopening.run_reopened,
    ticks.RunGivenUp: reopening.run_given_up,
    ticks.EventsCollected: collecting.events_collected,
    ticks.WaitStarted: waiting.wait_started,
    ticks.WaitTimedOut: waiting.wait_timed_out,
    ticks.ResultKept: waiting.result_kept,
    ticks.RunCancelled: ending.run_cancelled,
    ticks.RunTimedOut: ending.run_timed_out,
    ticks.RunFailed: ending.run_failed,
}


_ON_STOPPED = (ticks.RunReopened, ticks.RunGivenUp)
"""What a person does to a run that stopped."""
_AFTER_A_PAUSE = (ticks.RunResumed, *_ON_STOPPED)


def apply(state: RunState, tick: ticks.Tick) -> list[Command]:
    """Carry `state` over `tick`, in place; return what the loop has to do, in order.

    A tick that comes after the end of the run counts as an entry and changes nothing, unless it opens the run again.
    """
    state.seq += 1
    if (state.running and not state.nests) or state.busy:
        elapsed = tick.at - state.last_at
        if elapsed > 0.0 and type(tick) not in _AFTER_A_PAUSE:
            state.active += elapsed
    state.last_at = tick.at
    commands: list[Command] = []
    if state.outcome is None or _concerns(state.outcome, tick):
        _RULES[type(tick)](state, tick, commands)
        if not state.running:
            ending.end_if_stalled(state, commands)
    return commands


def _concerns(outcome: Outcome, tick: ticks.Tick) -> bool:
    """Whether a tick can change anything in a run with that outcome: an interrupted one is not over."""
    return type(tick) in _ON_STOPPED or (type(tick) is ticks.RunCancelled and outcome.status == "interrupted")
