"""How a step gathers events into batches: one buffer per step, each delivery once, surplus kept for the next batch."""

from __future__ import annotations

from collections import deque

from treadle.engine.commands import Command
from treadle.engine.events import Event
from treadle.engine.state import Buffer, RunState
from treadle.engine.ticks import EventsCollected, Key


def events_collected(state: RunState, tick: EventsCollected, commands: list[Command]) -> None:
    delivery = state.running.get(tick.delivery)
    if delivery is None:
        return
    buffer = state.buffers.setdefault(delivery.step, Buffer())
    if tick.expected is not None:
        buffer.expected = tick.expected
        buffer.need = sum(count for _, count in tick.expected)
    buffer.events[delivery.seq] = delivery.event
    batch = _take(buffer)
    if delivery.batches is None:
        delivery.batches = []
    delivery.batches.append(batch)


def collected_batch(state: RunState, key: Key, call: int) -> list[Event] | None:
    """The batch the delivery's n-th `collect_events` call took, None when it was not complete."""
    delivery = state.running[key]
    batches = delivery.batches or []
    return (batches[call] or None) if call < len(batches) else None


def _take(buffer: Buffer) -> list[Event]:
    # The length test keeps a fan-out of n at n, not n squared: until enough events are there nothing is counted.
    if len(buffer.events) < buffer.need:
        return []
    waiting: dict[str, deque[int]] = {}
    for seq, event in buffer.events.items():
        waiting.setdefault(type(event).__name__, deque()).append(seq)
    taken: list[int] = []
    for name, count in buffer.expected:
        seqs = waiting.get(name, deque())
        if len(seqs) < count:
            return []
        taken.extend(seqs.popleft() for _ in range(count))
    return [buffer.events.pop(seq) for seq in taken]


def join_progress(state: RunState) -> dict[str, dict[str, object]]:
    """For each step with a partial batch: how many it has, needs, and the classes it still waits for."""
    return {
        step: {"have": len(buffer.events), "need": buffer.need, "waiting_for": buffer.missing()}
        for step, buffer in state.buffers.items()
        if buffer.events
    }
