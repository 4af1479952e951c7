"""How a run goes on that stopped and a person opens again: from where it stopped, with everything done left done."""

from __future__ import annotations

from treadle.engine.commands import Command, EndRun, OpenPrompt
from treadle.engine.rules.changing import undo_writes
from treadle.engine.rules.completion import step_finished
from treadle.engine.rules.ending import end
from treadle.engine.rules.resuming import cut_short, go_on, in_flight
from treadle.engine.rules.starting import begin
from treadle.engine.state import Delivery, Outcome, RunState
from treadle.engine.ticks import Key, RunGivenUp, RunReopened, StepFinished


def run_given_up(state: RunState, tick: RunGivenUp, commands: list[Command]) -> None:
    delivery = state.outcome.delivery if state.outcome is not None else None
    end(state, Outcome("failed", error=tick.error, step=tick.step, delivery=delivery), commands)


def run_reopened(state: RunState, tick: RunReopened, commands: list[Command]) -> None:
    """Take up every delivery the end cut short, and the one that failed; what waited for a person asks again.

    A run that its worker parked without a word in the journal had not ended there: it goes on as after a crash.
    """
    state.version = tick.version or state.version
    before, state.outcome = state.outcome, None
    if before is None or before.status != "interrupted":  # else that was done when it was interrupted
        cut_short(state)
    if before is not None:
        commands.extend(OpenPrompt(number, event) for number, event in state.prompts.items())
        if before.status == "timed_out":
            state.active = 0.0
        if state.deadline is not None and state.deadline <= tick.at:
            state.deadline = None  # it has been missed, and somebody wants the run nevertheless
    interrupted = in_flight(state)
    for delivery in interrupted:
        delivery.deaths = 0
    if tick.decision == "done" and tick.delivery is not None:
        interrupted = [delivery for delivery in interrupted if delivery.key != tick.delivery]
        step_finished(state, StepFinished(tick.at, tick.delivery, tick.event), commands)
        if any(isinstance(command, EndRun) for command in commands):
            return
    elif tick.decision == "again" and (asked := _find(interrupted, tick.delivery)) is not None:
        undo_writes(state, asked)
        asked.cleared = True
    elif before is not None and (failed := before.delivery) is not None and _find(interrupted, failed.key) is None:
        _try_again(state, failed, tick.at, commands)
    go_on(state, interrupted, tick.at, commands)


def _try_again(state: RunState, delivery: Delivery, at: float, commands: list[Command]) -> None:
    """A failed delivery, with all the retries its step has."""
    undo_writes(state, delivery)
    delivery.attempt += 1
    delivery.failures, delivery.first_failed_at, delivery.deaths = 0, None, 0
    delivery.paused = False
    begin(state, delivery, at, commands)


def _find(deliveries: list[Delivery], key: Key | None) -> Delivery | None:
    return next((delivery for delivery in deliveries if delivery.key == key), None)
