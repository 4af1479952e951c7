"""Holdings: everything a run still has that its steps made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from treadle.engine.state import Delivery, RunState
from treadle.errors import ValueNotStorable

Loss = tuple[Any, ValueNotStorable]
"""A value or event, and what of it cannot be stored; None for what the run will always need."""


def deliveries(state: RunState) -> Iterator[Delivery]:
    """Every delivery that is not over."""
    yield from state.running.values()
    yield from state.waiting_leave.values()
    for queue in state.queued.values():
        yield from queue
    for delivery, _ in state.delayed.values():
        yield delivery
    for wait in state.waits.values():
        yield wait.delivery


def holdings(state: RunState) -> Iterator[Any]:
    """The values and events that the run may still need, each as it came in; of an ended one its context."""
    yield from state.context.values()
    if state.outcome is not None:
        return
    for delivery in deliveries(state):
        yield from _of_delivery(delivery)
    for wait in state.waits.values():
        yield from wait.requirements.values()
    for queues in state.joining.values():
        for waiting in queues:
            yield from (event for _, event in waiting)
    for buffer in state.buffers.values():
        yield from buffer.events.values()
    yield from state.handed.values()
    yield from state.prompts.values()


def still_held(losses: Iterable[Loss], state: RunState) -> list[Loss]:
    """Those of `losses` that the run still has."""
    held = {id(item) for item in holdings(state)}
    return [loss for loss in losses if loss[0] is None or id(loss[0]) in held]


def _of_delivery(delivery: Delivery) -> Iterator[Any]:
    yield delivery.event
    yield from delivery.inputs or ()
    memo = delivery.memo
    if memo is not None:
        yield from (old for old, _ in memo.writes.values())
        for batch in memo.batches:
            yield from batch
        yield from memo.waited
        yield from memo.results.values()
