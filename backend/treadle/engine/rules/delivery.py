"""How an event reaches its steps: routing by exact type, first in first out, within each step's workers."""

from __future__ import annotations

from collections import deque

from treadle.engine.commands import ClosePrompt, Command, OpenPrompt, Publish, RunStep
from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent, StopEvent
from treadle.engine.rules.ending import end
from treadle.engine.state import Delivery, Outcome, RunState
from treadle.engine.ticks import EventSent, EventStreamed, RunReleased, RunStarted, StepAllowed


def run_started(state: RunState, tick: RunStarted, commands: list[Command]) -> None:
    state.held = tick.held
    state.started_at = tick.at
    state.context = dict(tick.context)
    emit(state, tick.event, None, None, tick.at, commands)


def event_sent(state: RunState, tick: EventSent, commands: list[Command]) -> None:
    source = None
    if tick.source is not None:
        source = tick.source[1]
        delivery = state.running.get(tick.source)
        if delivery is not None:
            delivery.sent = max(delivery.sent, tick.index + 1)
    if isinstance(tick.event, HumanResponseEvent):
        _close_prompt(state, tick.event, tick.prompt, commands)
    emit(state, tick.event, source, tick.target, tick.at, commands)


def event_streamed(state: RunState, tick: EventStreamed, commands: list[Command]) -> None:
    source = tick.source[1] if tick.source is not None else None
    if isinstance(tick.event, InputRequiredEvent):
        _count_event(state, tick.event, source)
        _open_prompt(state, tick.event, commands)
    commands.append(Publish(tick.event))


def step_allowed(state: RunState, tick: StepAllowed, commands: list[Command]) -> None:
    key = tick.delivery if tick.delivery is not None else next(iter(state.waiting_leave), None)
    delivery = state.waiting_leave.pop(key, None) if key is not None else None
    if delivery is not None:
        begin(state, delivery, tick.at, commands)


def run_released(state: RunState, tick: RunReleased, commands: list[Command]) -> None:
    state.held = False
    waiting = list(state.waiting_leave.values())
    state.waiting_leave.clear()
    for delivery in waiting:
        begin(state, delivery, tick.at, commands)


def emit(
    state: RunState, event: Event, source: str | None, target: str | None, at: float, commands: list[Command]
) -> None:
    """Bring `event` to everyone it concerns: the end of the run, a person, the steps that take it."""
    _count_event(state, event, source)
    if isinstance(event, StopEvent):
        if type(event) is not StopEvent:
            commands.append(Publish(event))
        end(state, Outcome("completed", event=event, step=source), commands)
        return
    if isinstance(event, InputRequiredEvent):
        _open_prompt(state, event, commands)
        commands.append(Publish(event))
    takers = (target,) if target is not None else state.routes.takers.get(type(event), ())
    for step in takers:
        offer(state, Delivery(state.seq, step, event), at, commands)
    if not takers and not isinstance(event, InputRequiredEvent) and len(state.untaken) < 20:
        state.untaken.append((type(event).__name__, source))


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
    counts.started += 1
    counts.running += 1
    edge = (type(delivery.event).__name__, delivery.step)
    state.taken[edge] = state.taken.get(edge, 0) + 1
    delivery.started_at = at
    state.running[delivery.key] = delivery
    commands.append(RunStep(delivery))


def _count_event(state: RunState, event: Event, source: str | None) -> None:
    name = type(event).__name__
    state.events[name] = state.events.get(name, 0) + 1
    if source is not None:
        edge = (source, name)
        state.emitted[edge] = state.emitted.get(edge, 0) + 1


def _open_prompt(state: RunState, event: Event, commands: list[Command]) -> None:
    state.prompts[state.seq] = event
    commands.append(OpenPrompt(state.seq, event))


def _close_prompt(state: RunState, event: Event, prompt: int | None, commands: list[Command]) -> None:
    number = prompt if prompt is not None else next(iter(state.prompts), None)
    if number is not None and state.prompts.pop(number, None) is not None:
        commands.append(ClosePrompt(number, event))
