"""How a run ends: the first outcome wins, and a run with nothing left to do ends at once and says why."""

from __future__ import annotations

from treadle.engine.commands import ClosePrompt, Command, EndRun
from treadle.engine.deadlines import told
from treadle.engine.rules.collecting import join_progress
from treadle.engine.state import Outcome, RunState
from treadle.engine.ticks import ErrorFacts, RunCancelled, RunFailed, RunTimedOut


def run_cancelled(state: RunState, tick: RunCancelled, commands: list[Command]) -> None:
    end(
        state,
        Outcome("cancelled", error=ErrorFacts("WorkflowCancelledByUser", "The run was cancelled.")),
        commands,
    )


def run_timed_out(state: RunState, tick: RunTimedOut, commands: list[Command]) -> None:
    active = ", ".join(state.active_steps())
    if tick.deadline is not None:
        message = f"The run was not over by its deadline, {told(tick.deadline)}. Active steps: {active or 'none'}"
    else:
        message = f"Operation timed out after {tick.timeout:.15g} seconds. Currently active steps: {active}"
    end(state, Outcome("timed_out", error=ErrorFacts("WorkflowTimeoutError", message)), commands)


def run_failed(state: RunState, tick: RunFailed, commands: list[Command]) -> None:
    end(state, Outcome("failed", error=tick.error, step=tick.step), commands)


def end(state: RunState, outcome: Outcome, commands: list[Command]) -> None:
    """End the run, and the nested ones. Open prompts are withdrawn; what ran or was queued stays in the state.

    An interrupted run is not over, nor are those inside it: they go on when it does.
    """
    state.outcome = outcome
    if outcome.status != "interrupted":
        for child in state.children.values():
            if child.lives:
                child.status = "cancelled"
        state.nests.update((key, [0, 0]) for key in state.nests)
    commands.extend(ClosePrompt(prompt, None) for prompt in state.prompts)
    commands.append(EndRun(outcome))


def end_if_stalled(state: RunState, commands: list[Command]) -> None:
    """End a run in which nothing runs, is queued, delayed or waited for."""
    if (
        state.running
        or state.outcome is not None
        or state.delayed
        or state.waiting_leave
        or state.prompts
        or state.waits
        or state.handed
        or any(state.queued.values())
    ):
        return
    end(state, Outcome("failed", error=ErrorFacts("WorkflowStalledError", _stall_message(state))), commands)


def _stall_message(state: RunState) -> str:
    reasons = []
    for event, source in dict.fromkeys(state.untaken):
        sender = f"step {source}" if source is not None else "outside"
        reasons.append(f"no step takes {event} (sent from {sender})")
    for step, join in join_progress(state).items():
        reasons.append(
            f"step {step} holds {join['have']} of {join['need']} events"
            f" and waits for {', '.join(join['waiting_for']) or 'another combination'}"
        )
    because = "; ".join(reasons) or "the last step returned no event"
    return f"The workflow has nothing left to do and no StopEvent came: {because}."
