"""The context: values, sending, attempts, and what is done once however often a step is tried."""

from __future__ import annotations

import asyncio
import threading

import pytest

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


class Counting(Workflow):
    @step
    async def count(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await ctx.set("count", await ctx.get("count", default=0) + 1)
        return StopEvent(result=await ctx.get("count"))


class Waiting(Workflow):
    def __init__(self, **options):
        super().__init__(**options)
        self.gate = asyncio.Event()

    @step
    async def stand(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await self.gate.wait()
        return StopEvent(result=ctx.values().copy())


async def test_value_can_be_indexed_before_it_is_awaited():
    class Stateful(Workflow):
        @step
        async def only(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.set("some_database", [1, {"two": [2, 3]}])
            return StopEvent(result=(await ctx.get("some_database")[0], await ctx.get("some_database")[1]["two"][-1]))

    assert await Stateful().run() == (1, 3)


async def test_missing_key_is_an_error_without_a_default():
    ctx = Counting().run().ctx
    with pytest.raises(ValueError, match=r"^Key 'k' not found in Context$"):
        await ctx.get("k")
    assert await ctx.get("k", default=None) is None
    assert await ctx.get("k", 5) == 5
    await ctx.set("k", None)
    assert await ctx.get("k", default=1) is None


async def test_every_step_sees_a_value_at_once():
    class Shared(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            ctx.send_event(A())
            await self.asked.wait()
            await ctx.set("word", "warp")
            self.told.set()
            await asyncio.Event().wait()
            return None

        @step
        async def look(self, ctx: Context, ev: A) -> StopEvent:
            self.asked.set()
            await self.told.wait()
            return StopEvent(result=await ctx.get("word"))

    workflow = Shared()
    workflow.asked, workflow.told = asyncio.Event(), asyncio.Event()
    assert await workflow.run() == "warp"


async def test_state_goes_on_through_three_runs_with_one_context():
    workflow = Counting()
    first = workflow.run()
    assert await first == 1
    second = workflow.run(ctx=first.ctx)
    assert second.ctx is first.ctx
    assert await second == 2
    assert await workflow.run(ctx=first.ctx) == 3
    assert await first.ctx.get("count") == 3
    assert await workflow.run() == 1, "without it a run begins with nothing"


async def test_what_is_set_after_the_end_is_there_for_the_next_run():
    workflow = Counting()
    handler = workflow.run()
    await handler
    await handler.ctx.set("count", 40)
    assert await workflow.run(ctx=handler.ctx) == 41


async def test_context_of_a_failed_run_is_carried_on_too():
    class Fails(Counting):
        @step
        async def count(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.set("count", await ctx.get("count", default=0) + 1)
            ctx.send_event(A())
            if ev.fail:
                raise LookupError
            return StopEvent(result=await ctx.get("count"))

    workflow = Fails()
    handler = workflow.run(fail=True)
    with pytest.raises(LookupError):
        await handler
    assert await workflow.run(ctx=handler.ctx, fail=False) == 2


async def test_context_of_a_run_that_still_goes_is_copied():
    workflow = Waiting()
    first = workflow.run()
    await first.ctx.set("word", "warp")
    second = workflow.run(ctx=first.ctx)
    assert second.ctx is not first.ctx
    await second.ctx.set("word", "weft")
    workflow.gate.set()
    assert await asyncio.gather(first, second) == [{"word": "warp"}, {"word": "weft"}]


async def test_fresh_context_takes_values_before_its_run():
    workflow = Counting()
    ctx = Context(workflow)
    await ctx.set("count", 9)
    assert not ctx.is_running
    handler = workflow.run(ctx=ctx)
    assert handler.ctx is ctx
    assert await handler == 10


async def test_what_needs_a_run_or_a_step_says_so():
    workflow = Counting()
    with pytest.raises(WorkflowRuntimeError) as caught:
        Context(workflow).send_event(A())
    assert str(caught.value) == "This context has no run yet; pass it to run(ctx=...) first."
    handler = workflow.run()
    for name, act in {
        "collect_events": lambda ctx: ctx.collect_events([A]),
        "attempt": lambda ctx: ctx.attempt,
        "idempotency_key": lambda ctx: ctx.idempotency_key,
    }.items():
        with pytest.raises(WorkflowRuntimeError) as caught:
            act(handler.ctx)
        assert str(caught.value) == f"{name} works inside a step only."
    with pytest.raises(WorkflowRuntimeError, match=r"^wait_for_event works inside a step only\.$"):
        await handler.ctx.wait_for_event(A)
    with pytest.raises(WorkflowRuntimeError, match=r"^run_once works inside a step only\.$"):
        await handler.ctx.run_once("k", int)
    assert await handler == 1


async def test_targeted_event_goes_to_its_step_alone_and_must_fit_it():
    class Targets(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            told = []
            for name in ("nowhere", "begin"):
                with pytest.raises(WorkflowRuntimeError) as caught:
                    ctx.send_event(A(), step=name)
                told.append(str(caught.value))
            await ctx.set("told", told)
            ctx.send_event(A(), step="two")
            return None

        @step
        async def one(self, ctx: Context, ev: A) -> StopEvent:
            return StopEvent(result="one")

        @step
        async def two(self, ctx: Context, ev: A) -> StopEvent:
            return StopEvent(result=await ctx.get("told"))

    assert await Targets().run() == [
        "Step nowhere does not exist",
        f"Step begin does not accept event of type {A}",
    ]


async def test_targeted_event_wakes_no_wait_of_another_step():
    class Both(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
            answer = await ctx.wait_for_event(HumanResponseEvent)
            return StopEvent(result=answer.response)

        @step
        async def listen(self, ctx: Context, ev: HumanResponseEvent) -> None:
            await ctx.set("heard", ev.response)

    handler = Both().run()
    handler.ctx.send_event(HumanResponseEvent(response="a word"), step="listen")
    await asyncio.sleep(0)
    handler.ctx.send_event(HumanResponseEvent(response="the answer"))
    assert await handler == "the answer"
    assert await handler.ctx.get("heard") == "a word"


async def test_only_events_are_sent():
    class Wrong(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
            ctx.send_event("text")
            return StopEvent()

    with pytest.raises(WorkflowRuntimeError) as caught:
        await Wrong().run()
    assert str(caught.value) == "send_event takes an Event instance, not str."


async def test_event_comes_in_from_outside_also_from_a_thread():
    class Listens(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> B | None:
            await self.gate.wait()
            return None

        @step
        async def take(self, ev: A) -> StopEvent:
            return StopEvent(result=ev.n)

    workflow = Listens(disable_validation=True)
    workflow.gate = asyncio.Event()
    first, second = workflow.run(), workflow.run()
    first.ctx.send_event(A(n=1))
    thread = threading.Thread(target=second.ctx.send_event, args=(A(n=2),))
    thread.start()
    assert await asyncio.gather(first, second) == [1, 2]
    thread.join()
