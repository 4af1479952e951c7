"""What follows when an attempt of a step ends: its event goes on, or it is tried again, or the run fails."""

from __future__ import annotations

from treadle.engine.commands import Command, RunStep, WaitForRetry
from treadle.engine.rules.delivery import emit, refill
from treadle.engine.rules.ending import end
from treadle.engine.state import MISSING, Delivery, Outcome, RunState
from treadle.engine.ticks import ContextChanged, ErrorFacts, RunResumed, StepFailed, StepFinished, StepRetried

MAX_DEATHS = 3
"""Crashes of the worker in the same delivery after which its run is parked for a person."""


def step_finished(state: RunState, tick: StepFinished, commands: list[Command]) -> None:
    step = tick.delivery[1]
    del state.running[tick.delivery]
    counts = state.steps[step]
    counts.running -= 1
    counts.done += 1
    if step in state.queued:
        refill(state, step, tick.at, commands)
    if tick.event is not None:
        emit(state, tick.event, step, None, tick.at, commands)


def step_failed(state: RunState, tick: StepFailed, commands: list[Command]) -> None:
    delivery = state.running.pop(tick.delivery)
    counts = state.steps[delivery.step]
    counts.running -= 1
    counts.failed += 1
    if tick.retry_at is None:
        end(state, Outcome("failed", error=tick.error, step=delivery.step), commands)
        return
    _undo_writes(state, delivery)
    delivery.attempt += 1
    if delivery.first_failed_at is None:
        delivery.first_failed_at = tick.at
    state.delayed[delivery.key] = (delivery, tick.retry_at)
    refill(state, delivery.step, tick.at, commands)
    commands.append(WaitForRetry(delivery, tick.retry_at))


def step_retried(state: RunState, tick: StepRetried, commands: list[Command]) -> None:
    delivery, _ = state.delayed.pop(tick.delivery)
    _again(state, delivery, tick.at, commands)


def context_changed(state: RunState, tick: ContextChanged, commands: list[Command]) -> None:
    delivery = state.running.get(tick.delivery) if tick.delivery is not None else None
    if delivery is not None:
        if delivery.writes is None:
            delivery.writes = {}
        if tick.key not in delivery.writes:
            delivery.writes[tick.key] = state.context.get(tick.key, MISSING)
    state.context[tick.key] = tick.value
    state.writers[tick.key] = tick.delivery


def run_resumed(state: RunState, tick: RunResumed, commands: list[Command]) -> None:
    interrupted = list(state.running.values())
    for delivery in reversed(interrupted):
        _undo_writes(state, delivery)
    for delivery in interrupted:
        delivery.attempt += 1
        delivery.deaths += tick.crashed
        if delivery.deaths >= MAX_DEATHS:
            message = (
                f"Its worker died {delivery.deaths} times in step {delivery.step}."
                " Mend the step, then start a new run with the same input."
            )
            end(state, Outcome("interrupted", error=ErrorFacts("StepCrashed", message), step=delivery.step), commands)
            return
    for delivery in interrupted:
        delivery.started_at = tick.at
        commands.append(RunStep(delivery))
    commands.extend(WaitForRetry(delivery, due) for delivery, due in state.delayed.values())


def _again(state: RunState, delivery: Delivery, at: float, commands: list[Command]) -> None:
    counts = state.steps[delivery.step]
    counts.started += 1
    counts.running += 1
    delivery.started_at = at
    state.running[delivery.key] = delivery
    commands.append(RunStep(delivery))


def _undo_writes(state: RunState, delivery: Delivery) -> None:
    """Take back what this attempt wrote, except keys somebody else has written since."""
    for key, old in (delivery.writes or {}).items():
        if state.writers.get(key) == delivery.key:
            if old is MISSING:
                state.context.pop(key, None)
            else:
                state.context[key] = old
            state.writers.pop(key, None)
    delivery.writes = None
