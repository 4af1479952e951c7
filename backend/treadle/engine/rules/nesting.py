"""What a run remembers of the runs its steps start, and whether it only waits for them."""

from __future__ import annotations

from treadle.engine.commands import Command
from treadle.engine.state import Child, RunState
from treadle.engine.ticks import ChildChanged, ChildEnded, ChildStarted, Key


def child_started(state: RunState, tick: ChildStarted, commands: list[Command]) -> None:
    old = state.children.get((*tick.delivery, tick.call))
    if old is not None:
        state.count_child(tick.delivery, old, -1)
    child = state.children[(*tick.delivery, tick.call)] = Child(tick.workflow, tick.run_id)
    state.count_child(tick.delivery, child, 1)


def child_changed(state: RunState, tick: ChildChanged, commands: list[Command]) -> None:
    child = state.children.get((*tick.delivery, tick.call))
    if child is not None and child.lives:
        _set_status(state, tick.delivery, child, tick.status)


def child_ended(state: RunState, tick: ChildEnded, commands: list[Command]) -> None:
    child = state.children.get((*tick.delivery, tick.call))
    if child is not None:
        _set_status(state, tick.delivery, child, tick.status)


def _set_status(state: RunState, key: Key, child: Child, status: str) -> None:
    state.count_child(key, child, -1)
    child.status = status
    state.count_child(key, child, 1)
