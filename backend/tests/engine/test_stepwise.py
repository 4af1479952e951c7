"""Step by step: `run_step`, `async for`, `run(stepwise=True)`, and letting go."""

from __future__ import annotations

import asyncio

import pytest
from turns import turns

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    Workflow,
    WorkflowCancelledByUser,
    catch_error,
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


async def test_each_call_runs_one_step_and_gives_its_event():
    workflow = Chain()
    handler = workflow.run()
    assert await handler.run_step() == A(n=1)
    assert workflow.ran == ["one"]
    assert handler.status == "held"
    await turns()
    assert workflow.ran == ["one"], "nothing goes on by itself"
    handler.ctx.send_event(A(n=5))
    assert await handler.run_step() == B(n=10)
    handler.ctx.send_event(B(n=7))
    stop = await handler.run_step()
    assert (stop, handler.is_done()) == (StopEvent(result=7), False)
    handler.ctx.send_event(stop)
    assert handler.is_done()
    assert handler.result() == 7
    assert await handler.run_step() is None


async def test_tutorials_loop_comes_to_the_end():
    handler = Chain().run()
    assert await drive(handler) == [A(n=1), B(n=2), StopEvent(result=2)]
    assert handler.result() == 2


async def test_steps_of_a_fan_out_come_one_at_a_time_in_order():
    handler = Fan().run()
    outputs = await drive(handler)
    assert outputs == [None, B(n=0), B(n=1), B(n=2), None, None, StopEvent(result=[0, 1, 2])]


async def test_event_may_be_edited_before_it_is_sent_on():
    handler = Chain().run()
    event = await handler.run_step()
    event.set("n", 50)
    handler.ctx.send_event(event)
    event = await handler.run_step()
    assert event == B(n=100)
    handler.ctx.send_event(event)
    assert (await handler.run_step()).result == 100


async def test_iterating_sends_each_event_on():
    workflow = Chain()
    handler = workflow.run()
    assert [(event, list(workflow.ran)) async for event in handler] == [
        (A(n=1), ["one"]),
        (B(n=2), ["one", "two"]),
        (StopEvent(result=2), ["one", "two", "three"]),
    ]
    assert await handler == 2
    assert [event async for event in Fan().run()].count(None) == 3


async def test_failing_step_ends_the_run_and_gives_nothing():
    class Fails(Workflow):
        @step
        async def wrong(self, ev: StartEvent) -> StopEvent:
            raise OSError("no")

    handler = Fails().run()
    assert await handler.run_step() is None
    assert handler.is_done()
    with pytest.raises(OSError, match="no"):
        await handler


async def test_attempts_of_a_step_are_one_step():
    class Flaky(Workflow):
        @step(retry_policy=ConstantDelayRetryPolicy(delay=0.001))
        async def flaky(self, ctx: Context, ev: StartEvent) -> A:
            if ctx.attempt < 3:
                raise OSError
            return A(n=ctx.attempt)

        @step
        async def end(self, ev: A) -> StopEvent:
            return StopEvent(result=ev.n)

    handler = Flaky().run()
    assert await handler.run_step() == A(n=3)


async def test_step_that_catches_is_a_step():
    class Careful(Workflow):
        @step
        async def wrong(self, ev: StartEvent) -> StopEvent:
            raise OSError

        @catch_error
        async def mend(self, ev: StepFailedEvent) -> StopEvent:
            return StopEvent(result=ev.step)

    handler = Careful().run()
    assert await handler.run_step() is None
    assert not handler.is_done()
    assert await handler.run_step() == StopEvent(result="wrong")


async def test_person_is_asked_and_answers_between_two_steps():
    class Asks(Workflow):
        @step
        async def ask(self, ev: StartEvent) -> InputRequiredEvent:
            return InputRequiredEvent(prefix="Number?")

        @step
        async def answer(self, ev: HumanResponseEvent) -> StopEvent:
            return StopEvent(result=ev.response)

    handler = Asks().run()
    while not handler.is_done():
        event = await handler.run_step()
        handler.ctx.send_event(event)
        if isinstance(event, InputRequiredEvent):
            assert handler.status == "waiting"
            handler.ctx.send_event(HumanResponseEvent(response="42"))
    assert handler.result() == "42"


async def test_step_that_waits_gives_nothing_and_later_its_event():
    class Asks(Workflow):
        @step
        async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
            answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=InputRequiredEvent())
            return StopEvent(result=answer.response)

    handler = Asks().run()
    assert await handler.run_step() is None
    assert handler.status == "waiting"
    handler.ctx.send_event(HumanResponseEvent(response="42"))
    assert handler.status == "held"
    assert await handler.run_step() == StopEvent(result="42")


async def test_two_tasks_step_through_one_run():
    handler = Fan().run()
    await handler.run_step()
    first, second = await asyncio.gather(handler.run_step(), handler.run_step())
    assert (first, second) == (B(n=0), B(n=1))


async def test_run_cancelled_between_two_steps_is_over():
    handler = Chain().run()
    await handler.run_step()
    await handler.cancel_run()
    assert await handler.run_step() is None
    assert [event async for event in handler] == []
    with pytest.raises(WorkflowCancelledByUser):
        await handler


async def test_context_is_there_between_two_steps():
    class Remembers(Workflow):
        @step
        async def one(self, ctx: Context, ev: StartEvent) -> A:
            await ctx.set("word", "warp")
            return A()

        @step
        async def two(self, ctx: Context, ev: A) -> StopEvent:
            return StopEvent(result=await ctx.get("word"))

    handler = Remembers().run()
    event = await handler.run_step()
    assert await handler.ctx.get("word") == "warp"
    await handler.ctx.set("word", "weft")
    handler.ctx.send_event(event)
    assert await handler == "weft"
