"""The stream of a run: in order, from the beginning for every reader, during the run and after it."""

from __future__ import annotations

import asyncio

import pytest

from treadle import (
    Context,
    Event,
    StartEvent,
    StopEvent,
    Workflow,
    WorkflowFailedEvent,
    WorkflowTimedOutEvent,
    WorkflowTimeoutError,
    step,
)
from treadle.engine.events import StepStateChanged


class A(Event):
    n: int


class Counter(Workflow):
    """Streams 0 to 3, each as soon as it is asked for."""

    def __init__(self, **options):
        super().__init__(**options)
        self.asked = asyncio.Semaphore(0)

    @step
    async def count(self, ctx: Context, ev: StartEvent) -> StopEvent:
        for n in range(4):
            await self.asked.acquire()
            ctx.write_event_to_stream(A(n=n))
        return StopEvent(result="end")

    def ask(self, times=4):
        for _ in range(times):
            self.asked.release()


async def read(handler, **options):
    return [event.n async for event in handler.stream_events(**options)]


async def test_events_come_in_order_while_the_run_goes_on():
    workflow = Counter()
    handler = workflow.run()
    seen = []
    workflow.ask(1)
    async for event in handler.stream_events():
        seen.append(event.n)
        assert handler.is_done() is (event.n == 3)
        workflow.ask(1)
    assert seen == [0, 1, 2, 3]
    assert handler.result() == "end"


async def test_every_reader_gets_everything_early_or_late():
    workflow = Counter()
    handler = workflow.run()
    early = [asyncio.ensure_future(read(handler)) for _ in range(3)]
    workflow.ask(2)
    await asyncio.sleep(0)
    middle = asyncio.ensure_future(read(handler))
    await asyncio.sleep(0)
    workflow.ask(2)
    assert await asyncio.gather(*early, middle) == [[0, 1, 2, 3]] * 4
    await handler
    assert await read(handler) == [0, 1, 2, 3]
    assert await read(handler) == [0, 1, 2, 3]


async def test_reading_broken_off_goes_on_where_it_stopped():
    workflow = Counter()
    handler = workflow.run()
    workflow.ask()
    seen = []
    for stop in (0, 2):
        async for event in handler.stream_events():
            seen.append(event.n)
            if event.n == stop:
                break
    assert seen == [0, 1, 2]
    assert await read(handler) == [3]
    assert await read(handler) == [0, 1, 2, 3], "that one came to the end, so this one begins again"


async def test_reading_that_is_cancelled_loses_nothing():
    workflow = Counter()
    handler = workflow.run()
    workflow.ask(2)
    seen = []

    async def follow():
        async for event in handler.stream_events():
            seen.append(event.n)  # noqa: PERF401 - what comes of it is looked at before its end

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(follow(), 0.01)
    workflow.ask(2)
    await follow()
    assert seen == [0, 1, 2, 3]


async def test_reading_that_is_kept_is_its_own():
    workflow = Counter()
    handler = workflow.run()
    workflow.ask()
    kept = handler.stream_events()
    assert (await anext(kept)).n == 0
    assert await read(handler) == [0, 1, 2, 3], "somebody else reads on, so this is another reading"
    assert [event.n async for event in kept] == [1, 2, 3]


async def test_readings_in_one_task_each_take_turns():
    workflow = Counter()
    handler = workflow.run()
    first, second = handler.stream_events(), handler.stream_events()
    workflow.ask()
    pairs = [((await anext(first)).n, (await anext(second)).n) for _ in range(4)]
    assert pairs == [(n, n) for n in range(4)]
    for reader in (first, second):
        with pytest.raises(StopAsyncIteration):
            await anext(reader)


async def test_plain_stop_comes_when_it_is_asked_for_only():
    workflow = Counter()
    workflow.ask()
    handler = workflow.run()
    assert await read(handler) == [0, 1, 2, 3]
    events = [event async for event in handler.stream_events(include_stop=True)]
    assert events == [A(n=0), A(n=1), A(n=2), A(n=3), StopEvent(result="end")]


async def test_stop_event_subclass_is_the_last_to_come():
    class Report(StopEvent):
        text: str

    class Reporting(Workflow):
        @step
        async def only(self, ctx: Context, ev: StartEvent) -> Report:
            ctx.write_event_to_stream(A(n=0))
            return Report(text="end")

    handler = Reporting().run()
    assert [event async for event in handler.stream_events()] == [A(n=0), Report(text="end")]


async def test_failed_run_ends_its_stream_with_what_happened():
    class Failing(Workflow):
        @step
        async def wrong(self, ctx: Context, ev: StartEvent) -> StopEvent:
            ctx.write_event_to_stream(A(n=0))
            raise LookupError("no")

    handler = Failing().run()
    first, last = [event async for event in handler.stream_events()]
    assert first == A(n=0)
    assert type(last) is WorkflowFailedEvent
    assert (last.step, last.exception, last.attempts) == ("wrong", handler.exception(), 1)
    assert last.elapsed >= 0


async def test_timed_out_run_ends_its_stream_with_the_active_steps():
    handler = Counter(timeout=0.01).run()
    assert [event async for event in handler.stream_events()] == [
        WorkflowTimedOutEvent(timeout=0.01, active_steps=["count"])
    ]
    with pytest.raises(WorkflowTimeoutError):
        await handler


async def test_starts_and_ends_of_steps_come_when_they_are_asked_for():
    class Two(Workflow):
        @step
        async def one(self, ctx: Context, ev: StartEvent) -> A:
            return A(n=1)

        @step
        async def two(self, ctx: Context, ev: A) -> StopEvent:
            ctx.write_event_to_stream(A(n=2))
            return StopEvent()

    handler = Two().run()
    seen = [event async for event in handler.stream_events(expose_internal=True)]
    assert seen == [
        StepStateChanged(step="one", state="running", input_event="StartEvent"),
        StepStateChanged(step="one", state="done", input_event="StartEvent", output_event="A"),
        StepStateChanged(step="two", state="running", input_event="A"),
        A(n=2),
        StepStateChanged(step="two", state="done", input_event="A", output_event="StopEvent"),
    ]
    assert await read(handler) == [2], "who does not ask does not see them"


async def test_streams_of_two_runs_do_not_mix():
    workflow = Counter()
    first, second = workflow.run(), workflow.run()
    workflow.ask(8)
    assert await asyncio.gather(read(first), read(second)) == [[0, 1, 2, 3]] * 2


async def test_next_run_of_a_context_does_not_stream_what_nobody_read():
    workflow = Counter()
    workflow.ask(8)
    first = workflow.run()
    await first
    second = workflow.run(ctx=first.ctx)
    assert await read(second) == [0, 1, 2, 3]
    assert await read(first) == [0, 1, 2, 3]
