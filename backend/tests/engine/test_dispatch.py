"""How events reach steps: by exact type, in order, within the workers of a step, until the first stop."""

from __future__ import annotations

import asyncio

import pytest

from treadle import (
    Context,
    Event,
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


async def test_events_go_to_the_steps_of_their_exact_type_and_to_all_of_them():
    class Sub(A):
        pass

    class Exact(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A | Sub:
            ctx.send_event(A(n=1))
            return Sub(n=2)

        @step
        async def base(self, ctx: Context, ev: A) -> None:
            ctx.write_event_to_stream(Event(msg=f"base {ev.n}"))

        @step
        async def base_too(self, ctx: Context, ev: A) -> None:
            ctx.write_event_to_stream(Event(msg=f"base_too {ev.n}"))

        @step
        async def sub(self, ctx: Context, ev: Sub) -> StopEvent:
            ctx.write_event_to_stream(Event(msg=f"sub {ev.n}"))
            return StopEvent()

    handler = Exact().run()
    assert [event.msg async for event in handler.stream_events()] == ["base 1", "base_too 1", "sub 2"]


async def test_what_a_step_sends_goes_before_what_it_returns_and_earlier_events_before_later_ones():
    order = []

    class Breadth(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            ctx.send_event(A(n=1))
            ctx.send_event(A(n=2))
            return A(n=3)

        @step
        async def first(self, ctx: Context, ev: A) -> B:
            order.append(("first", ev.n))
            ctx.send_event(B(n=ev.n * 10))
            return B(n=ev.n * 10 + 1)

        @step
        async def second(self, ctx: Context, ev: B) -> StopEvent | None:
            order.append(("second", ev.n))
            return StopEvent() if ctx.collect_events(ev, [B] * 6) else None

    await Breadth().run()
    assert order == [*(("first", n) for n in (1, 2, 3)), *(("second", n) for n in (10, 11, 20, 21, 30, 31))]


async def test_the_order_is_that_of_arrival_also_behind_a_single_worker():
    order = []

    class Single(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            for n in range(4):
                ctx.send_event(A(n=n))
            return None

        @step(num_workers=1)
        async def work(self, ev: A) -> B:
            await asyncio.sleep(0)
            order.append(("work", ev.n))
            return B(n=ev.n)

        @step
        async def end(self, ctx: Context, ev: B) -> StopEvent | None:
            order.append(("end", ev.n))
            return StopEvent() if ctx.collect_events(ev, [B] * 4) else None

    await Single().run()
    assert [n for name, n in order if name == "work"] == [0, 1, 2, 3]
    assert [n for name, n in order if name == "end"] == [0, 1, 2, 3]


async def test_num_workers_limits_concurrent_executions_of_each_run():
    class Limited(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            await ctx.set("now", 0)
            await ctx.set("most", 0)
            for n in range(10):
                ctx.send_event(A(n=n))
            return None

        @step(num_workers=3)
        async def work(self, ctx: Context, ev: A) -> B:
            await ctx.set("now", await ctx.get("now") + 1)
            await ctx.set("most", max(await ctx.get("now"), await ctx.get("most")))
            for _ in range(ev.n % 4 + 1):
                await asyncio.sleep(0)
            await ctx.set("now", await ctx.get("now") - 1)
            return B(n=ev.n)

        @step
        async def join(self, ctx: Context, ev: B) -> StopEvent | None:
            return StopEvent(result=await ctx.get("most")) if ctx.collect_events(ev, [B] * 10) else None

    workflow = Limited()
    assert await asyncio.gather(workflow.run(), workflow.run()) == [3, 3]


async def test_first_stop_wins_and_the_other_steps_are_cancelled():
    class Race(Workflow):
        cancelled = False

        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A | B:
            ctx.send_event(A())
            return B()

        @step
        async def slow(self, ev: A) -> StopEvent:
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled = True
            return StopEvent(result="slow")

        @step
        async def fast(self, ctx: Context, ev: B) -> StopEvent:
            ctx.send_event(StopEvent(result="sent"))
            return StopEvent(result="returned")

    workflow = Race()
    assert await workflow.run() == "sent"
    await asyncio.sleep(0)
    assert workflow.cancelled


async def test_undeclared_event_is_routed_and_none_is_fine():
    class Undeclared(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent:
            return A(n=1)

        @step
        async def follow(self, ctx: Context, ev: A) -> StopEvent:
            ctx.send_event(None)
            ctx.send_event(StopEvent(result=ev.n))

    assert await Undeclared(disable_validation=True).run() == 1


@pytest.mark.parametrize(("value", "name"), [("text", "str"), (0, "int"), (False, "bool"), ([A()], "list"), (A, None)])
async def test_anything_that_is_not_an_event_is_told(value, name):
    class Wrong(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent:
            return value

    with pytest.raises(WorkflowRuntimeError) as caught:
        await Wrong().run()
    assert str(caught.value) == (
        f"Step function begin returned {name or type(A).__name__} instead of an Event instance."
    )


STALLED = "The workflow has nothing left to do and no StopEvent came: "


async def test_event_nobody_takes_is_named_and_the_run_ends_at_once():
    class Lost(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
            ctx.send_event(B())
            ctx.send_event(B())
            return A()

    with pytest.raises(WorkflowRuntimeError) as caught:
        await Lost(timeout=None).run()
    assert str(caught.value) == (
        f"{STALLED}no step takes B (sent from step begin); no step takes A (sent from step begin)."
    )


async def test_half_a_batch_is_named():
    class Half(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> A | B:
            return A()

        @step
        async def gather(self, ctx: Context, ev: A | B) -> StopEvent | None:
            return StopEvent() if ctx.collect_events(ev, [B, A, B]) else None

    with pytest.raises(WorkflowRuntimeError) as caught:
        await Half(timeout=None).run()
    assert str(caught.value) == f"{STALLED}step gather holds 1 of 3 events and waits for B."


async def test_last_step_without_an_event_is_told():
    class Silent(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent | None:
            return None

    with pytest.raises(WorkflowRuntimeError) as caught:
        await Silent(timeout=None).run()
    assert str(caught.value) == f"{STALLED}the last step returned no event."


async def test_what_a_leaked_task_sends_after_the_end_changes_nothing():
    class Leaks(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
            async def late():
                await self.over.wait()
                ctx.send_event(StopEvent(result="late"))
                ctx.write_event_to_stream(A())
                return ctx.is_running, ctx.collect_events(ev, [StartEvent])

            self.leaked = asyncio.ensure_future(late())
            return StopEvent(result="in time")

    workflow = Leaks()
    workflow.over = asyncio.Event()
    handler = workflow.run()
    assert await handler == "in time"
    workflow.over.set()
    assert await workflow.leaked == (False, None)
    assert await handler == "in time"
    assert [event async for event in handler.stream_events()] == []
