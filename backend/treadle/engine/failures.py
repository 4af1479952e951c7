"""Failures: how a run that did not complete is told, as an exception and as the last event of its stream."""

from __future__ import annotations

from treadle.engine.events import Event, WorkflowCancelledEvent, WorkflowFailedEvent, WorkflowTimedOutEvent
from treadle.engine.state import Outcome, RunState
from treadle.errors import (
    RunInterrupted,
    WorkflowCancelledByUser,
    WorkflowRuntimeError,
    WorkflowStalledError,
    WorkflowTimeoutError,
)

_ERRORS: dict[str, type[Exception]] = {
    "WorkflowTimeoutError": WorkflowTimeoutError,
    "WorkflowCancelledByUser": WorkflowCancelledByUser,
    "WorkflowStalledError": WorkflowStalledError,
}


def exception_of(outcome: Outcome) -> Exception:
    """The exception that stands for `outcome` when the one a step raised is not at hand."""
    facts = outcome.error
    if facts is None:
        return RunInterrupted("The run was interrupted.")
    return _ERRORS.get(facts.type, WorkflowRuntimeError)(facts.message)


def last_event(
    state: RunState, outcome: Outcome, error: BaseException | None, *, timeout: float | None
) -> Event | None:
    """What ends the stream of a run that did not complete; None for one that did, or goes on elsewhere."""
    if outcome.status == "cancelled":
        return WorkflowCancelledEvent()
    if outcome.status == "timed_out":
        return WorkflowTimedOutEvent(timeout=timeout or 0.0, active_steps=state.active_steps())
    if outcome.status == "failed":
        return WorkflowFailedEvent(
            step=outcome.step,
            exception=error if error is not None else exception_of(outcome),
            attempts=outcome.attempts,
            elapsed=state.last_at - state.started_at,
        )
    return None
