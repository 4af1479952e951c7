"""Nested workflows: slots, and runs that are children of a step."""

from __future__ import annotations

import asyncio

import pytest

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    WorkflowValidationError,
    step,
)


class A(Event):
    n: int = 0


class Double(Workflow):
    @step
    async def double(self, ctx: Context, ev: StartEvent) -> StopEvent:
        ctx.write_event_to_stream(A(n=ev.n))
        return StopEvent(result=ev.n * 2)


class Outer(Workflow):
    @step
    async def call(self, ctx: Context, ev: StartEvent, inner: Workflow) -> StopEvent:
        return StopEvent(result=await inner.run(n=ev.n))


class Easy(Workflow):
    @step
    async def call(self, ctx: Context, ev: StartEvent, inner: Workflow = Double()) -> StopEvent:  # noqa: B008 - a slot
        return StopEvent(result=await inner.run(n=ev.n))


class One(Workflow):
    """A step that does `act` with its nested workflow, and ends the run with what that returns."""

    def __init__(self, act, inner, **options):
        super().__init__(**options)
        self.act = act
        self.add_workflows(inner=inner)

    @step(retry_policy=ConstantDelayRetryPolicy(delay=0, maximum_attempts=2))
    async def call(self, ctx: Context, ev: StartEvent, inner: Workflow) -> StopEvent:
        return StopEvent(result=await self.act(ctx, inner))


def links(handler):
    return [(step, call, child.workflow, child.status) for (_, step, call), child in handler.state.children.items()]


async def test_slot_is_filled_by_its_name_or_refused():
    outer = Outer()
    with pytest.raises(WorkflowValidationError) as caught:
        outer.run(n=1)
    assert str(caught.value) == "The following services are not available: inner"
    outer.add_workflows(inner=Double())
    assert await outer.run(n=21) == 42
    with pytest.raises(WorkflowValidationError) as caught:
        outer.add_workflows(inner=Double)
    assert str(caught.value) == "Slot inner takes an instance of a workflow, not type."


async def test_slot_with_a_default_may_be_filled_otherwise():
    class Triple(Workflow):
        @step
        async def triple(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=ev.n * 3)

    easy = Easy()
    assert await easy.run(n=1) == 2
    easy.add_workflows(inner=Triple())
    assert await easy.run(n=1) == 3
    assert await Easy().run(n=1) == 2, "what one instance was given is not another's"


async def test_child_is_linked_to_its_step_and_keeps_its_events():
    async def act(ctx, inner):
        first = inner.run(n=1)
        ctx.write_event_to_stream(A(n=100))
        seen = [event.n async for event in first.stream_events()]
        return seen, await first, await inner.run(n=2), first.run_id

    handler = One(act, Double()).run()
    assert [event.n async for event in handler.stream_events()] == [100]
    seen, first, second, run_id = await handler
    assert (seen, first, second) == ([1], 2, 4)
    assert links(handler) == [("call", 0, "Double", "completed"), ("call", 1, "Double", "completed")]
    assert next(iter(handler.state.children.values())).run_id == run_id != handler.run_id


async def test_children_have_a_context_of_their_own():
    class Remembers(Workflow):
        @step
        async def only(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.set("word", await ctx.get("word", default="nothing") + "!")
            return StopEvent(result=await ctx.get("word"))

    async def act(ctx, inner):
        await ctx.set("word", "outer")
        return await inner.run(), await inner.run(), await ctx.get("word")

    assert await One(act, Remembers()).run() == ("nothing!", "nothing!", "outer")


async def test_workflows_are_nested_two_levels_deep():
    middle = Outer()
    middle.add_workflows(inner=Easy())
    outer = Outer()
    outer.add_workflows(inner=middle)
    handler = outer.run(n=4)
    assert await handler == 8
    assert links(handler) == [("call", 0, "Outer", "completed")]


async def test_children_run_side_by_side():
    class Meets(Workflow):
        def __init__(self):
            super().__init__()
            self.barrier = asyncio.Barrier(3)

        @step
        async def meet(self, ev: StartEvent) -> StopEvent:
            await self.barrier.wait()
            return StopEvent(result=ev.n)

    async def act(ctx, inner):
        return await asyncio.gather(*(inner.run(n=n) for n in range(3)))

    handler = One(act, Meets()).run()
    assert await handler == [0, 1, 2]
    assert links(handler) == [("call", n, "Meets", "completed") for n in range(3)]


class Fails(Workflow):
    """Fails as often as it is told, in all its runs together."""

    def __init__(self, times):
        super().__init__()
        self.times = times
        self.runs = []

    @step
    async def work(self, ev: StartEvent) -> StopEvent:
        self.runs.append(ev.n)
        if ev.n == 2 and self.times:
            self.times -= 1
            raise OSError("child")
        return StopEvent(result=ev.n)


async def call_three(ctx, inner):
    return [await inner.run(n=n) for n in (1, 2, 3)]


async def test_failed_child_fails_the_step_that_awaits_it():
    handler = One(call_three, Fails(99)).run()
    with pytest.raises(OSError, match="child") as caught:
        await handler
    assert caught.value.__notes__ == ["in step work", "in step call"]
    assert links(handler) == [("call", 0, "Fails", "completed"), ("call", 1, "Fails", "failed")]


async def test_step_that_is_tried_again_runs_the_failed_child_again_and_no_other():
    inner = Fails(2)
    handler = One(call_three, inner).run()
    assert await handler == [1, 2, 3]
    assert inner.runs == [1, 2, 2, 2, 3]
    assert links(handler) == [("call", n, "Fails", "completed") for n in range(3)]


async def test_step_that_is_tried_again_and_calls_another_workflow_gets_that_ones_result():
    double = Double()

    async def act(ctx, inner):
        if ctx.attempt == 1:
            await inner.run(n=1)
            raise OSError
        return await double.run(n=5)

    assert await One(act, Fails(0)).run() == 10


async def test_failed_child_may_be_caught():
    async def act(ctx, inner):
        results = await asyncio.gather(*(inner.run(n=n) for n in (1, 2, 3)), return_exceptions=True)
        return [result if isinstance(result, int) else type(result) for result in results]

    assert await One(act, Fails(1)).run() == [1, OSError, 3]


async def test_child_may_go_on_from_a_context_and_have_a_name():
    class Counts(Workflow):
        @step
        async def count(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.set("count", await ctx.get("count", default=0) + 1)
            return StopEvent(result=await ctx.get("count"))

    async def act(ctx, inner):
        memory = Context(inner)
        return [await inner.run(ctx=memory, run_id=f"r_{n}") for n in range(3)]

    handler = One(act, Counts()).run()
    assert await handler == [1, 2, 3]
    assert [child.run_id for child in handler.state.children.values()] == ["r_0", "r_1", "r_2"]


async def test_workflow_may_call_itself():
    class Counts(Workflow):
        @step
        async def count(self, ctx: Context, ev: StartEvent) -> StopEvent:
            return StopEvent(result=0 if ev.n == 0 else 1 + await self.run(n=ev.n - 1))

    assert await Counts().run(n=20) == 20


async def test_child_that_asks_a_person_is_answered_through_its_parent():
    class Asks(Workflow):
        @step
        async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
            answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=InputRequiredEvent(prefix="Name?"))
            return StopEvent(result=answer.response)

    async def act(ctx, inner):
        child = inner.run()
        async for question in child.stream_events():
            answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=question)
            child.ctx.send_event(answer)
        return await child

    handler = One(act, Asks()).run()
    async for event in handler.stream_events():
        assert event.prefix == "Name?"
        handler.ctx.send_event(HumanResponseEvent(response="Ada"))
    assert await handler == "Ada"
