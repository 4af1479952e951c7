"""Holding and letting go: what happens to a stepwise run that is awaited, held again, or left alone."""

from __future__ import annotations

import asyncio

import pytest
from turns import turns, until

from treadle import (
    Context,
    Event,
    HumanResponseEvent,
    StartEvent,
    StopEvent,
    Workflow,
    WorkflowRuntimeError,
    step,
)


class A(Event):
    n: int = 0


class B(Event):
    n: int = 0


class Chain(Workflow):
    def __init__(self, **options):
        super().__init__(**options)
        self.ran = []

    @step
    async def one(self, ev: StartEvent) -> A:
        self.ran.append("one")
        return A(n=1)

    @step
    async def two(self, ev: A) -> B:
        self.ran.append("two")
        return B(n=ev.n * 2)

    @step
    async def three(self, ctx: Context, ev: B) -> StopEvent:
        self.ran.append("three")
        return StopEvent(result=ev.n)


class Fan(Workflow):
    """Three parts, one of them at a time, joined."""

    @step
    async def split(self, ctx: Context, ev: StartEvent) -> A:
        for n in range(3):
            ctx.send_event(A(n=n))
        return None

    @step(num_workers=1)
    async def work(self, ev: A) -> B:
        return B(n=ev.n)

    @step
    async def join(self, ctx: Context, ev: B) -> StopEvent | None:
        batch = ctx.collect_events(ev, [B] * 3)
        return StopEvent(result=[event.n for event in batch]) if batch else None


async def drive(handler):
    """The tutorial's loop; what each step gave."""
    outputs = []
    while not handler.is_done():
        event = await handler.run_step()
        outputs.append(event)
        handler.ctx.send_event(event)
    return outputs


async def test_event_that_is_kept_is_dropped_by_the_next_step():
    handler = Fan().run()
    await handler.run_step()
    kept = await handler.run_step()
    assert kept == B(n=0)
    assert await handler.run_step() == B(n=1)
    handler.ctx.send_event(B(n=1))
    await drive(handler)
    with pytest.raises(WorkflowRuntimeError, match="step join holds 2 of 3 events and waits for B"):
        await handler


async def test_last_event_that_is_kept_ends_the_run_at_the_next_step():
    handler = Chain().run()
    await handler.run_step()
    assert await handler.run_step() is None
    with pytest.raises(WorkflowRuntimeError, match="nothing left to do"):
        await handler


async def test_awaiting_lets_go_of_a_run_and_of_the_event_in_hand():
    workflow = Chain()
    handler = workflow.run()
    await handler.run_step()
    assert await handler == 2
    assert workflow.ran == ["one", "two", "three"]
    handler = Fan().run()
    async for event in handler:
        if event is not None:
            break
    assert await asyncio.wait_for(handler, 5) == [0, 1, 2]


async def test_awaiting_sends_nothing_twice():
    handler = Fan().run()
    await handler.run_step()
    event = await handler.run_step()
    handler.ctx.send_event(event)
    assert await handler == [0, 1, 2]
    assert handler.state.events["B"] == 3


async def test_run_may_be_taken_hold_of_again():
    class Gated(Fan):
        def __init__(self):
            super().__init__()
            self.gate = asyncio.Semaphore(0)

        @step(num_workers=1)
        async def work(self, ev: A) -> B:
            await self.gate.acquire()
            return B(n=ev.n)

    workflow = Gated()
    handler = workflow.run()
    await handler.run_step()
    waiting = asyncio.ensure_future(asyncio.wait_for(handler, 5))
    await until(lambda: handler.state.steps["work"].running)
    stepping = asyncio.ensure_future(handler.run_step())
    await asyncio.sleep(0)
    workflow.gate.release()
    workflow.gate.release()
    assert await stepping == B(n=1), "the second part; the first was at work already"
    assert handler.status == "held"
    handler.ctx.send_event(B(n=1))
    workflow.gate.release()
    await drive(handler)
    assert await waiting == [0, 1, 2]


async def test_run_that_goes_on_is_held_in_its_middle_in_order_of_arrival():
    class Busy(Workflow):
        @step
        async def split(self, ctx: Context, ev: StartEvent) -> A | B:
            for n in range(3):
                ctx.send_event(A(n=n))
                ctx.send_event(B(n=n))
            return None

        @step(num_workers=1)
        async def a(self, ev: A) -> None:
            await asyncio.Event().wait()

        @step(num_workers=1)
        async def b(self, ev: B) -> StopEvent:
            await asyncio.Event().wait()

    handler = Busy().run()
    await until(lambda: len(handler.state.running) == 2)
    stepping = asyncio.ensure_future(handler.run_step())
    await asyncio.sleep(0)
    waiting = [(delivery.step, delivery.event.n) for delivery in handler.state.waiting_leave.values()]
    assert waiting == [("b", 1), ("a", 2), ("b", 2)], "the first of them has leave"
    await handler.cancel_run()
    assert await stepping is None


async def test_stepwise_run_stays_held_while_others_await_it():
    workflow = Chain()
    handler = workflow.run(stepwise=True)

    async def result():
        return await handler

    waiting = asyncio.ensure_future(result())
    await turns()
    assert workflow.ran == []
    assert handler.status == "held"
    assert await drive(handler) == [A(n=1), B(n=2), StopEvent(result=2)]
    assert await waiting == 2


async def test_who_stops_waiting_for_a_step_loses_nothing():
    class Gated(Chain):
        @step
        async def two(self, ev: A) -> B:
            await self.gate.wait()
            return B(n=ev.n * 2)

    workflow = Gated()
    workflow.gate = asyncio.Event()
    handler = workflow.run()
    handler.ctx.send_event(await handler.run_step())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(handler.run_step(), 0.01)
    workflow.gate.set()
    assert await handler.run_step() == StopEvent(result=2), "the event of the step nobody waited for went on"


async def test_who_stops_waiting_for_a_person_is_no_trouble():
    class Asks(Workflow):
        @step
        async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
            return StopEvent(result=await ctx.wait_for_event(HumanResponseEvent))

    handler = Asks().run()
    await handler.run_step()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(handler.run_step(), 0.01)
    answer = HumanResponseEvent(response="at last")
    handler.ctx.send_event(answer)
    assert await handler.run_step() == StopEvent(result=answer)
