"""How nested runs end with the run around them, and which runs are nobody's children."""

from __future__ import annotations

import asyncio

import pytest

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    StartEvent,
    StopEvent,
    Workflow,
    WorkflowCancelledByUser,
    step,
)


class A(Event):
    n: int = 0


class Double(Workflow):
    @step
    async def double(self, ctx: Context, ev: StartEvent) -> StopEvent:
        ctx.write_event_to_stream(A(n=ev.n))
        return StopEvent(result=ev.n * 2)


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


class Stands(Workflow):
    def __init__(self):
        super().__init__(timeout=None)
        self.left = 0

    @step
    async def stand(self, ctx: Context, ev: StartEvent) -> StopEvent:
        ctx.write_event_to_stream(A())
        try:
            await asyncio.Event().wait()
        finally:
            self.left += 1


async def start_and_tell(ctx, inner):
    child = inner.run()
    async for _ in child.stream_events():
        break
    ctx.write_event_to_stream(A())
    await child


async def test_children_are_cancelled_with_their_parent():
    middle, inner = One(start_and_tell, Stands()), Stands()
    middle.add_workflows(inner=inner)
    handler = One(start_and_tell, middle).run()
    async for _ in handler.stream_events():
        break
    await handler.cancel_run()
    assert inner.left == 1
    assert links(handler) == [("call", 0, "One", "cancelled")]


async def test_child_nobody_awaits_ends_with_its_parent():
    async def act(ctx, inner):
        child = inner.run()
        async for _ in child.stream_events():
            break
        return child

    handler = One(act, Stands()).run()
    child = await handler
    with pytest.raises(WorkflowCancelledByUser):
        await child
    assert links(handler) == [("call", 0, "Stands", "cancelled")]


async def test_cancelled_child_is_an_error_its_parent_may_catch():
    async def act(ctx, inner):
        child = inner.run()
        await child.cancel_run()
        with pytest.raises(WorkflowCancelledByUser):
            await child
        return child.cancelled()

    handler = One(act, Stands()).run()
    assert await handler is True
    assert links(handler) == [("call", 0, "Stands", "cancelled")]


async def test_run_started_by_a_task_its_step_left_behind_is_nobodys_child():
    class Leaves(Workflow):
        @step
        async def leave(self, ctx: Context, ev: StartEvent, inner: Workflow = Double()) -> A:  # noqa: B008 - a slot
            async def later():
                await self.gone.wait()
                return await inner.run(n=4)

            self.later = asyncio.ensure_future(later())
            return A()

        @step
        async def after(self, ctx: Context, ev: A) -> StopEvent:
            self.gone.set()
            return StopEvent(result=await self.later)

    workflow = Leaves()
    workflow.gone = asyncio.Event()
    handler = workflow.run()
    assert await handler == 8
    assert links(handler) == []


async def test_run_in_the_event_loop_of_a_synchronous_step_is_nobodys_child():
    class Threaded(Workflow):
        @step
        def call(self, ctx: Context, ev: StartEvent, inner: Workflow = Double()) -> StopEvent:  # noqa: B008 - a slot
            async def main():
                await ctx.set("word", "from a thread")
                return await inner.run(n=3)

            return StopEvent(result=asyncio.run(main()))

    handler = Threaded().run()
    assert await handler == 6
    assert await handler.ctx.get("word") == "from a thread"
    assert links(handler) == []
