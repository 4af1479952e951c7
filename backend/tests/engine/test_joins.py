"""Joins: steps with several event parameters, and `ctx.collect_events`."""

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
    WorkflowRuntimeError,
    step,
)


class A(Event):
    n: int = 0


class B(Event):
    n: int = 0


class C(Event):
    n: int = 0


class Sender(Workflow):
    """Sends the events it is run with."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> A | B | C:
        for event in ev.events:
            ctx.send_event(event)
        return None


async def test_step_with_several_events_runs_when_it_has_one_of_each():
    class Join(Sender):
        @step
        async def join(self, ctx: Context, first: A, second: B | C) -> StopEvent | None:
            pairs = [*await ctx.get("pairs", default=[]), (first.n, type(second).__name__, second.n)]
            await ctx.set("pairs", pairs)
            return StopEvent(result=pairs) if len(pairs) == 3 else None

    events = [A(n=1), A(n=2), C(n=3), B(n=4), A(n=5), B(n=6)]
    assert await Join().run(events=events) == [(1, "C", 3), (2, "B", 4), (5, "B", 6)]


async def test_join_takes_a_context_and_events_in_any_order_and_may_be_synchronous():
    class Join(Sender):
        @step
        def join(self, third: C, ctx: Context, first: A, second: B) -> StopEvent:
            ctx.write_event_to_stream(Event(n=first.n))
            return StopEvent(result=(first.n, second.n, third.n))

    assert await Join().run(events=[B(n=2), C(n=3), A(n=1)]) == (1, 2, 3)


async def test_join_that_is_not_complete_is_named_when_the_run_stalls():
    class Join(Sender):
        @step
        async def join(self, first: A, second: B | C) -> StopEvent:
            return StopEvent()

    with pytest.raises(WorkflowRuntimeError) as caught:
        await Join(timeout=None).run(events=[A(), A()])
    assert str(caught.value) == (
        "The workflow has nothing left to do and no StopEvent came: "
        "step join holds 1 of 2 events and waits for B | C."
    )


async def test_join_that_fails_is_tried_again_with_the_same_events():
    class Join(Sender):
        @step(retry_policy=ConstantDelayRetryPolicy(delay=0))
        async def join(self, ctx: Context, first: A, second: B) -> StopEvent:
            if ctx.attempt == 1:
                raise OSError
            return StopEvent(result=(first.n, second.n, ctx.attempt))

    assert await Join(disable_validation=True).run(events=[A(n=1), B(n=2), A(n=3)]) == (1, 2, 2)


class Collector(Sender):
    """Collects `wanted`, and ends with all its batches at the last event."""

    def __init__(self, wanted, last):
        super().__init__()
        self.wanted, self.last, self.batches = wanted, last, []

    @step(num_workers=1)
    async def collect(self, ctx: Context, ev: A | B | C) -> StopEvent | None:
        batch = ctx.collect_events(ev, self.wanted)
        if batch is not None:
            self.batches.append([(type(event).__name__, event.n) for event in batch])
        return StopEvent(result=self.batches) if ev.n == self.last else None


async def test_batch_comes_in_the_order_asked_and_repeats_in_that_of_arrival():
    events = [A(n=1), B(n=2), A(n=3), C(n=4)]
    assert await Collector([C, A, B, A], last=4).run(events=events) == [[("C", 4), ("A", 1), ("B", 2), ("A", 3)]]


async def test_surplus_is_kept_for_the_next_batch():
    events = [A(n=1), A(n=2), A(n=3), B(n=4), B(n=5), B(n=6)]
    assert await Collector([A, B], last=6).run(events=events) == [
        [("A", 1), ("B", 4)],
        [("A", 2), ("B", 5)],
        [("A", 3), ("B", 6)],
    ]


async def test_event_that_no_batch_asks_for_does_not_count():
    class Gather(Sender):
        @step
        async def gather(self, ctx: Context, ev: A | B) -> StopEvent | None:
            return StopEvent() if ctx.collect_events(ev, [A, A]) else None

    with pytest.raises(WorkflowRuntimeError, match="step gather holds 1 of 2 events and waits for A"):
        await Gather(disable_validation=True).run(events=[B(), B(), B(), A()])


async def test_list_alone_takes_the_current_event():
    class Gather(Sender):
        @step
        async def gather(self, ctx: Context, ev: A | B) -> StopEvent | None:
            events = ctx.collect_events([A, B, A])
            return StopEvent(result=[event.n for event in events]) if events else None

    assert await Gather(disable_validation=True).run(events=[A(n=1), A(n=2), B(n=3)]) == [1, 3, 2]


async def test_each_step_has_a_buffer_of_its_own():
    class Two(Sender):
        @step
        async def one(self, ctx: Context, ev: A | B) -> C | None:
            return C(n=1) if ctx.collect_events(ev, [A, B]) else None

        @step
        async def two(self, ctx: Context, ev: A | B) -> C | None:
            return C(n=2) if ctx.collect_events(ev, [B, A]) else None

        @step
        async def end(self, ctx: Context, ev: C) -> StopEvent | None:
            batch = ctx.collect_events(ev, [C, C])
            return StopEvent(result=[event.n for event in batch]) if batch else None

    assert await Two().run(events=[A(), B()]) == [1, 2]


async def test_event_is_in_one_batch_only_however_often_a_step_asks():
    class Greedy(Sender):
        @step(num_workers=1)
        async def gather(self, ctx: Context, ev: A) -> StopEvent | None:
            batches = []
            while batch := ctx.collect_events(ev, [A]):
                batches.append([event.n for event in batch])
            seen = [*await ctx.get("seen", default=[]), batches]
            await ctx.set("seen", seen)
            return StopEvent(result=seen) if ev.n == 2 else None

    assert await Greedy(disable_validation=True).run(events=[A(n=1), A(n=2)]) == [[[1]], [[2]]]


async def test_batch_of_a_failed_attempt_is_not_lost():
    class Flaky(Sender):
        @step(retry_policy=ConstantDelayRetryPolicy(delay=0))
        async def gather(self, ctx: Context, ev: A) -> StopEvent | None:
            batch = ctx.collect_events(ev, [A] * 3)
            if batch is None:
                return None
            if ctx.attempt < 3:
                raise OSError
            return StopEvent(result=[event.n for event in batch])

    assert await Flaky(disable_validation=True).run(events=[A(n=n) for n in range(3)]) == [0, 1, 2]


async def test_failed_attempt_counts_its_event_once():
    class Flaky(Sender):
        @step(retry_policy=ConstantDelayRetryPolicy(delay=0))
        async def gather(self, ctx: Context, ev: A) -> StopEvent | None:
            batch = ctx.collect_events(ev, [A] * 3)
            if ctx.attempt == 1:
                raise OSError
            return StopEvent(result=[event.n for event in batch]) if batch else None

    assert sorted(await Flaky(disable_validation=True).run(events=[A(n=n) for n in range(3)])) == [0, 1, 2]


async def test_length_of_a_batch_may_come_from_the_context():
    class Counted(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            await ctx.set("parts", ev.parts)
            for n in range(ev.parts):
                ctx.send_event(A(n=n))
            return None

        @step(num_workers=8)
        async def work(self, ev: A) -> B:
            for _ in range(ev.n % 3):
                await asyncio.sleep(0)
            return B(n=ev.n)

        @step
        async def join(self, ctx: Context, ev: B) -> StopEvent | None:
            done = ctx.collect_events(ev, [B] * await ctx.get("parts"))
            return StopEvent(result=sorted(event.n for event in done)) if done else None

    assert await asyncio.gather(*(Counted().run(parts=n) for n in (1, 2, 30))) == [
        list(range(n)) for n in (1, 2, 30)
    ]
