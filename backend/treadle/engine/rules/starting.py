"""How a delivery starts: with leave if the run is held, first in first out, within its step's workers."""

from __future__ import annotations

from collections import deque

from treadle.engine.commands import Command, RunStep
from treadle.engine.state import Delivery, RunState
from treadle.engine.ticks import RunHeld, StepAllowed


def run_held(state: RunState, tick: RunHeld, commands: list[Command]) -> None:
    state.held = True
    queued = [delivery for queue in state.queued.values() for delivery in queue]
    state.waiting_leave.update((delivery.key, delivery) for delivery in sorted(queued, key=lambda queued: queued.seq))
    state.queued.clear()


def step_allowed(state: RunState, tick: StepAllowed, commands: list[Command]) -> None:
    state.handed.clear()
    key = tick.delivery if tick.delivery is not None else next(iter(state.waiting_leave), None)
    delivery = state.waiting_leave.pop(key, None) if key is not None else None
    if delivery is not None:
        begin(state, delivery, tick.at, commands)


def offer(state: RunState, delivery: Delivery, at: float, commands: list[Command]) -> None:
    """Start a delivery, or let it wait for leave when the run is held."""
    if state.held:
        state.waiting_leave[delivery.key] = delivery
    else:
        begin(state, delivery, at, commands)


def begin(state: RunState, delivery: Delivery, at: float, commands: list[Command]) -> None:
    """Start a delivery, or queue it when all workers of its step are taken."""
    step = delivery.step
    if state.steps[step].running >= state.routes.workers[step]:
        state.queued.setdefault(step, deque()).append(delivery)
    else:
        _run(state, delivery, at, commands)


def refill(state: RunState, step: str, at: float, commands: list[Command]) -> None:
    """A worker of `step` became free: the delivery that waited longest starts."""
    queue = state.queued.get(step)
    if queue:
        _run(state, queue.popleft(), at, commands)


def _run(state: RunState, delivery: Delivery, at: float, commands: list[Command]) -> None:
    counts = state.steps[delivery.step]
    counts.running += 1
    if delivery.paused:
        delivery.paused = False
    else:
        counts.started += 1
        if not delivery.attempt:
            if delivery.inputs is None:
                edge = (type(delivery.event).__name__, delivery.step)
                state.taken[edge] = state.taken.get(edge, 0) + 1
            else:
                for event in delivery.inputs:
                    edge = (type(event).__name__, delivery.step)
                    state.taken[edge] = state.taken.get(edge, 0) + 1
    delivery.started_at = at
    state.running[delivery.seq, delivery.step] = delivery
    commands.append(RunStep(delivery))
