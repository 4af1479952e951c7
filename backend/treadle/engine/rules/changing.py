"""How the context changes, and how what a superseded attempt wrote is taken back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from treadle.engine.commands import Command
from treadle.engine.later import read_now
from treadle.engine.state import MISSING, Delivery, RunState
from treadle.engine.ticks import ContextChanged, ContextRemoved, Key


def context_changed(state: RunState, tick: ContextChanged, commands: list[Command]) -> None:
    _remember_write(state, tick.delivery, tick.key)
    state.context[tick.key] = tick.value
    state.writers[tick.key] = tick.delivery


def context_removed(state: RunState, tick: ContextRemoved, commands: list[Command]) -> None:
    _remember_write(state, tick.delivery, tick.key)
    state.context.pop(tick.key, None)
    state.writers[tick.key] = tick.delivery


def undo_writes(state: RunState, delivery: Delivery) -> None:
    """Take back what this attempt wrote, except keys somebody else has written since.

    Should that one be undone later, this attempt's value does not come back: what it held before does.
    """
    if delivery.memo is None or not delivery.memo.writes:
        return
    for name, before in delivery.memo.writes.items():
        if state.writers.get(name, MISSING) != delivery.key:
            _forget_writer(state, name, delivery.key, before)
            continue
        old, writer = before
        if old is MISSING:
            state.context.pop(name, None)
        else:
            state.context[name] = read_now(old)
        if writer is MISSING:
            del state.writers[name]
        else:
            state.writers[name] = writer
    delivery.memo.writes.clear()


def overwritten(state: RunState, deliveries: Iterable[Delivery]) -> tuple[str, ...]:
    """The keys that would be kept if these were undone now: written by them, and by somebody else since."""
    writes: dict[str, dict[Key, Any]] = {}
    for delivery in deliveries:
        if delivery.memo is not None:
            for name, (_, writer) in delivery.memo.writes.items():
                writes.setdefault(name, {})[delivery.key] = writer
    kept = []
    for name, undone in writes.items():
        writer = state.writers.get(name, MISSING)
        while writer in undone:
            writer = undone.pop(writer)
        if undone:
            kept.append(str(name))
    return tuple(kept)


def _forget_writer(state: RunState, name: str, key: Key, before: tuple[Any, Any]) -> None:
    waiting = [wait.delivery for wait in state.waits.values()]
    for delivery in chain(state.running.values(), waiting, state.waiting_leave.values(), *state.queued.values()):
        if delivery.memo is not None and name in delivery.memo.writes and delivery.memo.writes[name][1] == key:
            delivery.memo.writes[name] = before


def _remember_write(state: RunState, key: Key | None, name: str) -> None:
    delivery = state.at_work(key) if key is not None else None
    if delivery is None:
        return
    writes, writer = delivery.memory().writes, state.writers.get(name, MISSING)
    if name not in writes or writer != key:
        writes[name] = (state.context.get(name, MISSING), writer)
