"""`ctx.wait_for_event`: a step that waits in its middle, for people and for others."""

from __future__ import annotations

import asyncio

import pytest
from turns import until

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
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


class Ask(InputRequiredEvent):
    n: int = 0


class Answer(HumanResponseEvent):
    n: int = 0


class One(Workflow):
    """A step that does `act`, and ends the run with what that returns."""

    def __init__(self, act, **options):
        super().__init__(**options)
        self.act = act

    @step
    async def wait(self, ctx: Context, ev: StartEvent) -> StopEvent:
        return StopEvent(result=await self.act(ctx))


class Again(One):
    @step(retry_policy=ConstantDelayRetryPolicy(delay=0))
    async def wait(self, ctx: Context, ev: StartEvent) -> StopEvent:
        return StopEvent(result=await self.act(ctx))


async def waiting(handler, steps=1):
    """Until so many executions of steps wait."""
    await until(lambda: len(handler.state.waits) == steps)


async def test_step_waits_in_its_middle_and_goes_on_from_there():
    calls = []

    async def act(ctx):
        calls.append("before")
        event = await ctx.wait_for_event(A)
        calls.append("after")
        return event

    handler = One(act).run()
    await waiting(handler)
    assert (calls, handler.status) == (["before"], "waiting")
    event = A(n=1)
    handler.ctx.send_event(B())
    handler.ctx.send_event(event)
    assert await handler is event
    assert calls == ["before", "after"]


async def test_question_comes_in_the_stream_once_and_its_answer_goes_to_the_step():
    async def act(ctx):
        name = await ctx.wait_for_event(Answer, waiter_event=Ask(prefix="Name?"))
        age = await ctx.wait_for_event(Answer, waiter_event=Ask(prefix="Age?"))
        return name.response, age.response

    handler = One(act).run()
    asked = []
    async for event in handler.stream_events():
        asked.append(event.prefix)
        handler.ctx.send_event(Answer(response=f"answer {len(asked)}"))
    assert asked == ["Name?", "Age?"]
    assert await handler == ("answer 1", "answer 2")


async def test_step_may_wait_in_a_loop():
    async def act(ctx):
        seen = []
        while (event := await ctx.wait_for_event(A)).n:
            seen.append(event.n)
        return seen

    handler = One(act).run()
    for n in (3, 2, 1, 0):
        await waiting(handler)
        handler.ctx.send_event(A(n=n))
        handler.ctx.send_event(A(n=100))
        await asyncio.sleep(0)
    assert await handler == [3, 2, 1], "what comes while nobody waits is nobody's"


async def test_waiting_is_over_after_its_timeout():
    async def act(ctx):
        with pytest.raises(TimeoutError) as caught:
            await ctx.wait_for_event(A, waiter_event=Ask(), timeout=0.01)
        assert handler.state.prompts == {}, "nobody needs the answer any more"
        return str(caught.value)

    handler = One(act).run()
    assert await handler == "Step wait waited 0.01 seconds for A."


async def test_wait_for_may_stand_around_it():
    async def act(ctx):
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ctx.wait_for_event(A), 0.01)
        given_up.set()
        return await ctx.wait_for_event(A)

    given_up = asyncio.Event()
    handler = One(act).run()
    await given_up.wait()
    await waiting(handler)
    handler.ctx.send_event(A(n=5))
    assert await handler == A(n=5)


async def test_step_waits_for_one_event_at_a_time():
    async def act(ctx):
        return await asyncio.gather(ctx.wait_for_event(A), ctx.wait_for_event(B))

    with pytest.raises(WorkflowRuntimeError) as caught:
        await One(act, timeout=None).run()
    assert str(caught.value) == "Step wait waits for an event already; wait for one at a time."


async def test_step_that_ends_while_it_waits_does_not_wait_any_more():
    class Leaves(Workflow):
        @step
        async def leave(self, ctx: Context, ev: StartEvent) -> A:
            self.left = asyncio.ensure_future(ctx.wait_for_event(Answer, waiter_event=Ask()))
            await asyncio.sleep(0)
            return A()

        @step
        async def after(self, ctx: Context, ev: A) -> StopEvent:
            await asyncio.wait([self.left])
            return StopEvent(result=(self.left.cancelled(), len(handler.state.waits), len(handler.state.prompts)))

    handler = Leaves().run()
    assert await handler == (True, 0, 0)


async def test_step_that_is_over_cannot_wait():
    class Late(Workflow):
        @step
        async def leave(self, ctx: Context, ev: StartEvent) -> A:
            self.ctx = ctx
            return A()

        @step
        async def after(self, ev: A) -> StopEvent:
            with pytest.raises(WorkflowRuntimeError) as caught:
                await self.ctx.wait_for_event(B)
            return StopEvent(result=str(caught.value))

    assert await Late().run() == "Step leave is over and cannot wait for B any more."


async def test_wait_that_came_to_an_end_is_not_waited_for_again_when_the_step_is_tried_again():
    attempts = []

    async def act(ctx):
        attempts.append(ctx.attempt)
        first = await ctx.wait_for_event(Answer, waiter_event=Ask(prefix="first"))
        with pytest.raises(TimeoutError):
            await ctx.wait_for_event(Answer, timeout=0.001)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ctx.wait_for_event(Answer), 0.001 if ctx.attempt == 1 else 10)
        if ctx.attempt == 1:
            raise OSError
        last = await ctx.wait_for_event(Answer, waiter_event=Ask(prefix="last"))
        return first.response, last.response

    handler = Again(act).run()
    asked = []
    async for event in handler.stream_events():
        asked.append(event.prefix)
        handler.ctx.send_event(Answer(response=f"to {event.prefix}"))
    assert await handler == ("to first", "to last")
    assert (asked, attempts) == (["first", "last"], [1, 2])


async def test_what_else_a_step_does_while_it_waits_is_remembered_for_its_next_attempt():
    seen, counted = [], []

    async def act(ctx):
        async def meanwhile():
            if ctx.attempt == 1:
                await waiting(handler)
            seen.append(ctx.values().copy())
            await ctx.set("key", ctx.attempt)
            ctx.send_event(B())
            kept = await ctx.run_once("kept", object)
            ctx.send_event(A())
            return kept

        _, kept = await asyncio.gather(ctx.wait_for_event(A), meanwhile())
        seen.append(kept)
        if ctx.attempt == 1:
            raise OSError
        return seen

    class Meanwhile(Again):
        @step
        async def count(self, ctx: Context, ev: B) -> None:
            counted.append(ev)

    handler = Meanwhile(act, disable_validation=True).run()
    before, kept, before_again, kept_again = await handler
    assert (before, before_again) == ({}, {}), "its write was taken back"
    assert kept is kept_again
    assert len(counted) == 1, "it was sent once"


async def test_synchronous_step_cannot_wait_and_says_so():
    class Threaded(Workflow):
        @step
        def wait(self, ctx: Context, ev: StartEvent) -> StopEvent:
            return StopEvent(result=asyncio.run(ctx.wait_for_event(A)))

    with pytest.raises(WorkflowRuntimeError) as caught:
        await Threaded().run()
    assert str(caught.value) == "Step wait is not async, and wait_for_event works in async steps only."


async def test_waiting_step_ends_with_its_run():
    left = []

    async def act(ctx):
        try:
            await ctx.wait_for_event(A)
        finally:
            left.append(True)

    handler = One(act).run()
    await waiting(handler)
    await handler.cancel_run()
    assert left == [True]


async def test_nothing_is_left_of_a_step_that_gave_up_waiting_when_its_run_ended():
    class Busy(Workflow):
        def __init__(self):
            super().__init__()
            self.waits, self.blocks = asyncio.Event(), asyncio.Event()

        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            ctx.send_event(A(n=1))
            return A(n=2)

        @step(num_workers=1)
        async def work(self, ctx: Context, ev: A) -> StopEvent:
            if ev.n == 1:
                self.waiting = asyncio.ensure_future(ctx.wait_for_event(B))
                await asyncio.wait([self.waiting])
            self.blocks.set()
            await asyncio.Event().wait()
            return StopEvent()

    workflow = Busy()
    handler = workflow.run()
    await workflow.blocks.wait()
    workflow.waiting.cancel()
    await until(lambda: handler.state.queued["work"])
    await handler.cancel_run()
    await until(workflow.waiting.done)
    assert workflow.waiting.cancelled()
