"""A step that is tried again: what it knows, what is done once, and what is taken back."""

from __future__ import annotations

import asyncio

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)

AGAIN = ConstantDelayRetryPolicy(maximum_attempts=5, delay=0)


class A(Event):
    n: int = 0


class B(Event):
    n: int = 0


class Flaky(Workflow):
    """Fails twice; `act` is what it does before that."""

    def __init__(self, act):
        super().__init__()
        self.act = act
        self.seen = []

    @step(retry_policy=AGAIN)
    async def work(self, ctx: Context, ev: StartEvent) -> StopEvent:
        self.seen.append(await self.act(ctx))
        if ctx.attempt < 3:
            raise OSError(ctx.attempt)
        return StopEvent(result=self.seen)


async def test_attempts_count_from_one_and_keep_their_idempotency_key():
    async def act(ctx):
        return ctx.attempt, ctx.idempotency_key

    (one, first), (two, second), (three, third) = await Flaky(act).run(run_id="r_x")
    assert (one, two, three) == (1, 2, 3)
    assert first == second == third == "r_x:1:work"


async def test_idempotency_keys_differ_for_steps_events_and_runs():
    class Many(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            ctx.send_event(A())
            return A()

        @step
        async def one(self, ctx: Context, ev: A) -> B:
            return B(key=ctx.idempotency_key)

        @step
        async def two(self, ctx: Context, ev: A) -> B:
            return B(key=ctx.idempotency_key)

        @step
        async def join(self, ctx: Context, ev: B) -> StopEvent | None:
            batch = ctx.collect_events(ev, [B] * 4)
            return StopEvent(result=[event.key for event in batch]) if batch else None

    workflow = Many()
    keys = [*await workflow.run(), *await workflow.run()]
    assert len(set(keys)) == 8


async def test_run_once_calls_its_function_in_the_first_attempt_only():
    calls = []

    def charge(amount, *, currency):
        calls.append((amount, currency))
        return len(calls)

    async def refund():
        calls.append("refund")
        return len(calls)

    async def act(ctx):
        return await ctx.run_once("charge", charge, 5, currency="EUR"), await ctx.run_once("refund", refund)

    assert await Flaky(act).run() == [(1, 2)] * 3
    assert calls == [(5, "EUR"), "refund"]


async def test_run_once_that_fails_is_called_again():
    calls = []

    def charge():
        calls.append(1)
        if len(calls) < 3:
            raise OSError("offline")
        return "charged"

    async def act(ctx):
        return await ctx.run_once("charge", charge)

    assert await Flaky(act).run() == ["charged"]
    assert len(calls) == 3


async def test_run_once_is_called_once_by_two_at_the_same_time():
    calls = []

    async def charge():
        calls.append(1)
        await asyncio.sleep(0)
        return len(calls)

    async def act(ctx):
        return await asyncio.gather(ctx.run_once("charge", charge), ctx.run_once("charge", charge))

    assert await Flaky(act).run() == [[1, 1]] * 3


async def test_event_sent_by_an_earlier_attempt_is_not_sent_again():
    class Sends(Workflow):
        @step(retry_policy=AGAIN)
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            for n in range(ctx.attempt):
                ctx.send_event(A(n=n))
            if ctx.attempt < 4:
                raise OSError
            return A(n=99)

        @step
        async def take(self, ctx: Context, ev: A) -> StopEvent | None:
            await ctx.set("seen", [*await ctx.get("seen", default=[]), ev.n])
            return StopEvent(result=await ctx.get("seen")) if ev.n == 99 else None

    assert await Sends().run() == [0, 1, 2, 3, 99]


async def test_writes_of_a_failed_attempt_are_taken_back():
    async def act(ctx):
        seen = dict(ctx.values())
        await ctx.set("new", ctx.attempt)
        await ctx.set("new", -1)
        await ctx.set("old", "changed")
        return seen

    workflow = Flaky(act)
    ctx = Context(workflow)
    await ctx.set("old", "kept")
    assert await workflow.run(ctx=ctx) == [{"old": "kept"}] * 3
    assert ctx.values() == {"old": "changed", "new": -1}


async def test_write_that_another_step_has_overwritten_is_not_taken_back():
    class Conflict(Workflow):
        @step(retry_policy=AGAIN)
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            if ctx.attempt == 1:
                await ctx.set("key", "mine")
                ctx.send_event(A())
                await self.written.wait()
                raise OSError
            self.again = await ctx.get("key")
            self.seen.set()
            return None

        @step
        async def other(self, ctx: Context, ev: A) -> B:
            await ctx.set("key", "theirs")
            self.written.set()
            return B()

        @step
        async def end(self, ctx: Context, ev: B) -> StopEvent:
            await self.seen.wait()
            return StopEvent(result=self.again)

    workflow = Conflict()
    workflow.written, workflow.seen = asyncio.Event(), asyncio.Event()
    assert await workflow.run() == "theirs"
