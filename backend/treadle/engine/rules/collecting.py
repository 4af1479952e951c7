"""How a step gathers events into batches: one buffer per step, each delivery once, surplus kept for the next batch."""

from __future__ import annotations

from collections import deque
from typing import TypedDict

from treadle.engine.commands import Command
from treadle.engine.events import Event
from treadle.engine.state import Buffer, RunState
from treadle.engine.ticks import EventsCollected, Key


def events_collected(state: RunState, tick: EventsCollected, commands: list[Command]) -> None:
    delivery = state.at_work(tick.delivery)
    if delivery is None:
        return
    buffer = state.buffers.setdefault(delivery.step, Buffer())
    if tick.expected is not None:
        buffer.expected = tick.expected
        buffer.need = sum(count for _, count in tick.expected)
    batches = delivery.memory().batches
    if not batches:  # a step may ask for batch after batch, but its event is in one of them only
        buffer.add(delivery.seq, delivery.event)
        if delivery.recovered is not None:
            state.carried[delivery.seq] = delivery.recovered
    seqs = _taken(buffer)
    batches.append([buffer.take(seq) for seq in seqs])
    delivery.recovered = state.recovered_with(delivery.recovered, seqs)


def collected_batch(state: RunState, key: Key, call: int) -> list[Event] | None:
    """The batch the delivery's n-th `collect_events` call took, None when it was not complete."""
    delivery = state.at_work(key)
    batches = delivery.memo.batches if delivery is not None and delivery.memo is not None else []
    return (batches[call] or None) if call < len(batches) else None


def _taken(buffer: Buffer) -> list[int]:
    """The entries whose events make the next batch, none while it is not complete."""
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
    return taken


class Progress(TypedDict):
    """How far a join is: events it has and needs, and the classes it still waits for."""

    have: int
    need: int
    waiting_for: list[str]


def join_progress(state: RunState) -> dict[str, Progress]:
    """For each step with a partial batch: how many it has, needs, and the classes it still waits for."""
    progress: dict[str, Progress] = {}
    for step, buffer in state.buffers.items():
        if buffer.events:
            lacks = buffer.lacking()
            have = buffer.need - sum(lacks.values())
            progress[step] = {"have": have, "need": buffer.need, "waiting_for": list(lacks)}
    for step, queues in state.joining.items():
        if any(queues):
            parameters = state.routes.joins[step]
            lacking = [
                " | ".join(kind.__name__ for kind in accepted)
                for accepted, queue in zip(parameters, queues, strict=True)
                if not queue
            ]
            have = len(parameters) - len(lacking)
            progress[step] = {"have": have, "need": len(parameters), "waiting_for": lacking}
    return progress
