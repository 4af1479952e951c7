"""What follows when an attempt of a step ends: its event goes on, or it is tried again, or the run fails."""

from __future__ import annotations

from treadle.engine.commands import Command, WaitForRetry
from treadle.engine.events import StepFailedEvent
from treadle.engine.rules.changing import undo_writes
from treadle.engine.rules.delivery import emit
from treadle.engine.rules.ending import end
from treadle.engine.rules.starting import begin, refill
from treadle.engine.rules.waiting import stop_waiting
from treadle.engine.state import Delivery, Outcome, RunState
from treadle.engine.ticks import StepFailed, StepFinished, StepRetried
from treadle.errors import RecordedError


def step_finished(state: RunState, tick: StepFinished, commands: list[Command]) -> None:
    step = tick.delivery[1]
    counts = state.steps[step]
    delivery = state.running.pop(tick.delivery, None)
    if delivery is None:
        delivery = stop_waiting(state, tick.delivery, commands)
    else:
        counts.running -= 1
    counts.done += 1
    if step in state.queued:
        refill(state, step, tick.at, commands)
    if tick.event is None:
        return
    if tick.handed:
        state.handed[tick.delivery] = tick.event
    else:
        emit(state, tick.event, step, None, tick.at, commands, delivery.recovered)


def step_failed(state: RunState, tick: StepFailed, commands: list[Command]) -> None:
    step = tick.delivery[1]
    counts = state.steps[step]
    delivery = state.running.pop(tick.delivery, None)
    if delivery is None:
        delivery = stop_waiting(state, tick.delivery, commands)
    else:
        counts.running -= 1
    counts.failed += 1
    delivery.failures += 1
    if delivery.first_failed_at is None:
        delivery.first_failed_at = tick.at
    if tick.retry_at is not None:
        undo_writes(state, delivery)
        delivery.attempt += 1
        state.delayed[delivery.key] = (delivery, tick.retry_at)
        refill(state, step, tick.at, commands)
        commands.append(WaitForRetry(delivery, tick.retry_at))
    elif (recovered := _recovered(state, delivery)) is not None:
        refill(state, step, tick.at, commands)
        catcher = state.routes.catchers[step]
        emit(state, _failure(delivery, tick), step, catcher, tick.at, commands, recovered)
    else:
        attempts = delivery.attempt + 1
        end(state, Outcome("failed", error=tick.error, step=step, attempts=attempts, delivery=delivery), commands)


def step_retried(state: RunState, tick: StepRetried, commands: list[Command]) -> None:
    delivery, _ = state.delayed.pop(tick.delivery)
    begin(state, delivery, tick.at, commands)


def _recovered(state: RunState, delivery: Delivery) -> dict[str, int] | None:
    """The catchers called on the way to here and now, None if none may be called for this failure."""
    catcher = state.routes.catchers.get(delivery.step)
    if catcher is None:
        return None
    before = delivery.recovered or {}
    calls = before.get(catcher, 0) + 1
    return {**before, catcher: calls} if calls <= state.routes.recoveries.get(catcher, 1) else None


def _failure(delivery: Delivery, tick: StepFailed) -> StepFailedEvent:
    assert delivery.first_failed_at is not None
    return StepFailedEvent.model_construct(
        step=delivery.step,
        exception=tick.exception or RecordedError(tick.error.type, tick.error.message),
        input_event=delivery.event,
        attempts=delivery.attempt + 1,
        elapsed=tick.at - delivery.first_failed_at,
    )
