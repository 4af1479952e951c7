"""What a run remembers of the runs its steps start."""

from __future__ import annotations

from treadle.engine.commands import Command
from treadle.engine.state import Child, RunState
from treadle.engine.ticks import ChildEnded, ChildStarted


def child_started(state: RunState, tick: ChildStarted, commands: list[Command]) -> None:
    state.children[(*tick.delivery, tick.call)] = Child(tick.workflow, tick.run_id)


def child_ended(state: RunState, tick: ChildEnded, commands: list[Command]) -> None:
    child = state.children.get((*tick.delivery, tick.call))
    if child is not None:
        child.status = tick.status
