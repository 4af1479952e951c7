"""How a step waits in its middle for an event: it gives its worker back, and goes on when the event came."""

from __future__ import annotations

from treadle.engine.commands import ClosePrompt, Command, OpenPrompt, Publish, WatchWait
from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent
from treadle.engine.rules.starting import offer, refill
from treadle.engine.state import Delivery, RunState, Wait
from treadle.engine.ticks import Key, ResultKept, WaitStarted, WaitTimedOut


def wait_started(state: RunState, tick: WaitStarted, commands: list[Command]) -> None:
    delivery = state.running.pop(tick.delivery)
    state.steps[delivery.step].running -= 1
    delivery.paused = True
    wait = Wait(delivery, tick.expected, tick.requirements, tick.due, human=tick.human)
    state.waits[tick.delivery] = wait
    if tick.event is not None:
        state.count_event(tick.event, delivery.step)
        if isinstance(tick.event, InputRequiredEvent):
            wait.prompt = state.seq
            state.prompts[state.seq] = tick.event
            commands.append(OpenPrompt(state.seq, tick.event))
        commands.append(Publish(tick.event))
    if tick.due is not None:
        commands.append(WatchWait(delivery, tick.due))
    refill(state, delivery.step, tick.at, commands)


def wait_timed_out(state: RunState, tick: WaitTimedOut, commands: list[Command]) -> None:
    if tick.delivery in state.waits:
        _end_wait(state, tick.delivery, None, tick.at, commands)


def result_kept(state: RunState, tick: ResultKept, commands: list[Command]) -> None:
    delivery = state.at_work(tick.delivery)
    if delivery is not None:
        delivery.memory().results[tick.key] = tick.value


def stop_waiting(state: RunState, key: Key, commands: list[Command]) -> Delivery:
    """Take out a delivery whose step ended although it still waited for an event, or for its worker after one."""
    wait = state.waits.take(key)
    if wait is not None:
        delivery = wait.delivery
        if wait.prompt is not None and state.prompts.pop(wait.prompt, None) is not None:
            commands.append(ClosePrompt(wait.prompt, None))
    elif key in state.waiting_leave:
        delivery = state.waiting_leave.pop(key)
    else:
        queue = state.queued[key[1]]
        delivery = next(queued for queued in queue if queued.key == key)
        queue.remove(delivery)
    delivery.paused = False
    return delivery


def wake(state: RunState, event: Event, prompt: int | None, at: float, commands: list[Command]) -> bool:
    """Give `event` to the deliveries that wait for it; whether it is theirs alone.

    A person's answer is for one: the wait that asked, else the first that asked nobody itself. Any other event is for
    all who wait for it, and for the steps that accept it.
    """
    takers = state.waits.takers(event)
    if not isinstance(event, HumanResponseEvent):
        for key in takers:
            _end_wait(state, key, event, at, commands)
        return False
    if prompt is not None:
        takers = [key for key in takers if state.waits[key].prompt in (prompt, None)]
        takers.sort(key=lambda key: state.waits[key].prompt is None)
    for key in takers[:1]:
        _end_wait(state, key, event, at, commands)
    return bool(takers)


def _end_wait(state: RunState, key: Key, event: Event | None, at: float, commands: list[Command]) -> None:
    wait = state.waits.take(key)
    assert wait is not None
    wait.delivery.memory().waited.append(event)
    if event is not None:
        edge = (type(event).__name__, wait.delivery.step)
        state.taken[edge] = state.taken.get(edge, 0) + 1
    if wait.prompt is not None and state.prompts.pop(wait.prompt, None) is not None:
        commands.append(ClosePrompt(wait.prompt, event))
    offer(state, wait.delivery, at, commands)
