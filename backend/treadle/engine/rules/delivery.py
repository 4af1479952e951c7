"""How an event reaches whom it concerns: the end of the run, a person, a wait, the steps that take it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from treadle.engine.commands import ClosePrompt, Command, OpenPrompt, Publish
from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent, StopEvent
from treadle.engine.rules.ending import end
from treadle.engine.rules.starting import offer
from treadle.engine.rules.waiting import wake
from treadle.engine.state import Delivery, Outcome, RunState
from treadle.engine.ticks import EventSent, EventStreamed, RunStarted


def run_started(state: RunState, tick: RunStarted, commands: list[Command]) -> None:
    state.held = tick.held
    state.started_at = tick.at
    state.deadline = tick.deadline
    state.context = dict(tick.context)
    emit(state, tick.event, None, None, tick.at, commands)


def event_sent(state: RunState, tick: EventSent, commands: list[Command]) -> None:
    source = recovered = None
    if tick.source is not None:
        source = tick.source[1]
        state.handed.pop(tick.source, None)
        delivery = state.at_work(tick.source)
        if delivery is not None:
            memo = delivery.memory()
            memo.sent = max(memo.sent, tick.index + 1)
            recovered = delivery.recovered
    emit(state, tick.event, source, tick.target, tick.at, commands, recovered, prompt=tick.prompt)


def event_streamed(state: RunState, tick: EventStreamed, commands: list[Command]) -> None:
    if isinstance(tick.event, InputRequiredEvent):
        state.count_event(tick.event, tick.source[1] if tick.source is not None else None)
        state.prompts[state.seq] = tick.event
        commands.append(OpenPrompt(state.seq, tick.event))
        if tick.source is not None and (delivery := state.at_work(tick.source)) is not None:
            delivery.memory().asked += 1
    commands.append(Publish(tick.event))


def emit(
    state: RunState,
    event: Event,
    source: str | None,
    target: str | None,
    at: float,
    commands: list[Command],
    recovered: Mapping[str, int] | None = None,
    *,
    prompt: int | None = None,
) -> None:
    """Bring `event` to everyone it concerns; a `target` is the only step that gets it.

    `recovered` comes with what follows from a failure that was caught, `prompt` is the one it answers.
    """
    state.count_event(event, source)
    if (state.prompts or state.waits) and isinstance(event, HumanResponseEvent):
        open_before = len(state.prompts)
        woken = target is None and wake(state, event, prompt, at, commands)
        if len(state.prompts) == open_before:  # a step may ask in the stream, and then wait for the answer
            _close_prompt(state, event, prompt, commands)
        if woken:
            return
    if isinstance(event, StopEvent):
        commands.append(Publish(event))
        end(state, Outcome("completed", event=event, step=source), commands)
        return
    routes = state.routes
    takers = (target,) if target is not None else routes.takers.get(type(event), ())
    if isinstance(event, InputRequiredEvent):
        state.prompts[state.seq] = event
        commands.append(OpenPrompt(state.seq, event))
        commands.append(Publish(event))
    elif not takers and len(state.untaken) < 20 and not state.waits.takers(event):
        state.untaken.append((type(event).__name__, source))
    if state.waits and target is None:
        wake(state, event, None, at, commands)
    for step in takers:
        if step in routes.joins:
            _join(state, step, event, at, commands, recovered)
        elif recovered is None:
            offer(state, Delivery(state.seq, step, event), at, commands)
        else:
            offer(state, Delivery(state.seq, step, event, recovered=recovered), at, commands)


def _join(
    state: RunState,
    step: str,
    event: Event,
    at: float,
    commands: list[Command],
    recovered: Mapping[str, int] | None,
) -> None:
    """Keep `event` for its parameter; once every parameter has one, the oldest of each go in together."""
    parameters = state.routes.joins[step]
    queues = state.joining.get(step)
    if queues is None:
        queues = state.joining[step] = [deque() for _ in parameters]
    for queue, accepted in zip(queues, parameters, strict=True):
        if type(event) in accepted:
            queue.append((state.seq, event))
    if recovered is not None:
        state.carried[state.seq] = recovered
    if all(queues):
        parts = [queue.popleft() for queue in queues]
        inputs = tuple(part for _, part in parts)
        recovered = state.recovered_with(recovered, (seq for seq, _ in parts))
        offer(state, Delivery(state.seq, step, event, inputs, recovered=recovered), at, commands)


def _close_prompt(state: RunState, event: Event, prompt: int | None, commands: list[Command]) -> None:
    if not state.prompts:
        return
    awaited = {wait.prompt for wait in state.waits.values()}
    number = prompt if prompt is not None else next((n for n in state.prompts if n not in awaited), None)
    if number is not None and number not in awaited and state.prompts.pop(number, None) is not None:
        commands.append(ClosePrompt(number, event))
