"""Timeouts: what counts as time, and what the error says."""

from __future__ import annotations

import asyncio
import json
import math
import time
from datetime import UTC, datetime, timedelta, timezone

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
    WorkflowTimedOutEvent,
    WorkflowTimeoutError,
    WorkflowValidationError,
    step,
)
from treadle.engine.deadlines import read
from treadle.engine.reducer import apply
from treadle.engine.state import Routes, RunState
from treadle.engine.ticks import RunStarted, RunTimedOut


class A(Event):
    n: int = 0


class Slow(Workflow):
    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> A:
        ctx.send_event(A(n=1))
        ctx.send_event(A(n=2))
        await asyncio.Event().wait()
        return None

    @step
    async def dawdle(self, ev: A) -> StopEvent:
        await asyncio.Event().wait()
        return StopEvent()


async def test_timeout_names_the_active_steps_each_once():
    with pytest.raises(WorkflowTimeoutError) as caught:
        await Slow(timeout=0.05).run()
    assert str(caught.value) == "Operation timed out after 0.05 seconds. Currently active steps: begin, dawdle"


@pytest.mark.parametrize(("timeout", "text"), [(0, "0"), (0.0, "0"), (0.001, "0.001")])
async def test_short_timeout_is_said_as_it_was_written(timeout, text):
    handler = Slow(timeout=timeout).run()
    with pytest.raises(WorkflowTimeoutError, match=rf"^Operation timed out after {text} seconds\. Currently active"):
        await handler
    assert handler.status == "timed_out"


@pytest.mark.parametrize(
    ("timeout", "text"), [(10.0, "10"), (10, "10"), (0.5, "0.5"), (1 / 3, "0.333333333333333"), (1234567.0, "1234567")]
)
def test_timeout_is_said_in_plain_seconds(timeout, text):
    state = RunState(Routes({StartEvent: ("s",)}, {"s": 4}))
    apply(state, RunStarted(0, StartEvent(), {}))
    apply(state, RunTimedOut(timeout, timeout))
    assert state.outcome.error.message == f"Operation timed out after {text} seconds. Currently active steps: s"


async def test_timeout_counts_the_delay_before_a_retry():
    class Delays(Workflow):
        @step(retry_policy=ConstantDelayRetryPolicy(delay=60))
        async def work(self, ev: StartEvent) -> StopEvent:
            raise OSError

    with pytest.raises(WorkflowTimeoutError):
        await Delays(timeout=0.02).run()


async def test_timeout_does_not_count_waiting_for_people():
    class Asks(Workflow):
        @step
        async def ask(self, ev: StartEvent) -> InputRequiredEvent:
            return InputRequiredEvent(prefix="?")

        @step
        async def confirm(self, ctx: Context, ev: HumanResponseEvent) -> StopEvent:
            sure = await ctx.wait_for_event(HumanResponseEvent, waiter_event=InputRequiredEvent(prefix="Sure?"))
            return StopEvent(result=(ev.response, sure.response))

    handler = Asks(timeout=0.05).run()
    answers = iter(["42", "yes"])
    async for _ in handler.stream_events():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(handler, 0.1)
        handler.ctx.send_event(HumanResponseEvent(response=next(answers)))
    assert await handler == ("42", "yes")


async def test_timeout_counts_waiting_for_anything_but_people():
    class Listens(Workflow):
        @step
        async def listen(self, ctx: Context, ev: StartEvent) -> StopEvent:
            return StopEvent(result=await ctx.wait_for_event(A))

    handler = Listens(timeout=0.05).run()
    with pytest.raises(WorkflowTimeoutError) as caught:
        await handler
    assert str(caught.value) == "Operation timed out after 0.05 seconds. Currently active steps: listen"
    assert [event async for event in handler.stream_events()] == [
        WorkflowTimedOutEvent(timeout=0.05, active_steps=["listen"])
    ]


async def test_timeout_does_not_count_held_time():
    class Two(Workflow):
        @step
        async def one(self, ev: StartEvent) -> A:
            return A()

        @step
        async def two(self, ev: A) -> StopEvent:
            return StopEvent(result="in time")

    handler = Two(timeout=0.05).run()
    event = await handler.run_step()
    await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=0.1)
    handler.ctx.send_event(event)
    assert await handler == "in time"


async def test_run_without_a_timeout_has_none():
    handler = Slow(timeout=None).run()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(handler, 0.05)
    assert handler.status == "running"
    await handler.cancel_run()


async def test_deadline_ends_a_run_that_waits_for_a_person():
    class Asks(Workflow):
        @step
        async def ask(self, ev: StartEvent) -> InputRequiredEvent:
            return InputRequiredEvent(prefix="?")

        @step
        async def done(self, ev: HumanResponseEvent) -> StopEvent:
            return StopEvent()

    before = time.time()
    handler = Asks(timeout=None, deadline=0.05).run()
    with pytest.raises(WorkflowTimeoutError, match=r"^The run was not over by its deadline, .* Active steps: none$"):
        await handler
    assert handler.status == "timed_out"
    assert before + 0.05 <= handler.state.deadline <= handler.state.last_at


async def test_deadline_counts_held_time_and_names_the_moment():
    moment = datetime.now(timezone(timedelta(hours=5))) + timedelta(seconds=0.05)
    handler = Slow(timeout=None, deadline=moment).run()
    await handler.run_step()
    with pytest.raises(WorkflowTimeoutError, match=moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")):
        await handler
    assert handler.state.deadline == moment.timestamp()


async def test_deadline_ends_a_run_that_never_got_its_turn():
    workflow = Slow(timeout=None, num_concurrent_runs=1, deadline=0.05)
    first = workflow.run()
    workflow.deadline = 0.01
    second = workflow.run()
    with pytest.raises(WorkflowTimeoutError, match="deadline"):
        await second
    assert first.status == "running"
    with pytest.raises(WorkflowTimeoutError, match="deadline"):
        await first


async def test_deadline_that_is_not_met_changes_nothing():
    class Quick(Workflow):
        @step
        async def only(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=ev.deadline)

    assert await Quick(deadline=60).run(deadline="a field like any other") == "a field like any other"


async def test_deadline_goes_with_the_saved_run_and_is_met_at_once_when_overdue():
    handler = Slow(timeout=None, deadline=3600).run()
    await until(lambda: handler.state.running)
    data = json.loads(json.dumps(handler.ctx.to_dict()))
    await handler.cancel_run()
    data["deadline"] -= 7200
    workflow = Slow(timeout=None)
    again = workflow.run(ctx=Context.from_dict(workflow, data))
    with pytest.raises(WorkflowTimeoutError, match="deadline"):
        await again


@pytest.mark.parametrize(
    ("deadline", "problem"),
    [
        (datetime(2030, 1, 1), "has no time zone"),  # noqa: DTZ001 - what is refused
        (math.nan, "neither"),
        (True, "neither"),
        ("tomorrow", "neither"),
    ],
)
def test_deadline_that_says_no_moment_is_refused(deadline, problem):
    with pytest.raises(WorkflowValidationError, match=problem):
        Workflow(deadline=deadline)


@pytest.mark.parametrize(
    ("text", "deadline"), [("90", 90.0), ("2030-01-31T18:00:00Z", datetime(2030, 1, 31, 18, tzinfo=UTC))]
)
def test_deadline_is_read_from_text(text, deadline):
    assert read(text) == deadline


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2030-01-31T18:00:00 01:00", "neither a number of seconds nor a time"),
        ("2030-01-31T18:00:00", "has no time zone"),
        ("inf", "inf is neither"),
    ],
)
def test_deadline_that_cannot_be_read_is_refused(text, problem):
    with pytest.raises(WorkflowValidationError, match=problem):
        read(text)


async def test_timeout_does_not_count_what_the_wall_clock_is_set_ahead(monkeypatch):
    now = time.time

    class Jumps(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> A:
            monkeypatch.setattr(time, "time", lambda: now() + 3600)
            return A()

        @step
        async def end(self, ev: A) -> StopEvent:
            return StopEvent(result="in time")

    handler = Jumps().run()
    assert await handler == "in time"
    assert handler.state.active < 60


async def test_timeout_does_not_count_while_a_nested_run_waits_for_a_person():
    class Asks(Workflow):
        @step
        async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
            answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=InputRequiredEvent(prefix="?"))
            return StopEvent(result=answer.response)

    class Middle(Workflow):
        @step
        async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
            self.inner = Asks(timeout=0.2).run()
            return StopEvent(result=await self.inner)

    class Outer(Workflow):
        @step
        async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
            self.middle = Middle(timeout=0.2)
            return StopEvent(result=await self.middle.run())

    workflow = Outer(timeout=0.2)
    handler = workflow.run()
    await until(lambda: handler.state.running and not handler.state.busy)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(handler, 0.5)
    workflow.middle.inner.ctx.send_event(HumanResponseEvent(response="42"))
    assert await handler == "42"
    assert handler.state.active < 0.2


async def test_timeout_counts_while_a_nested_run_works():
    class Outer(Workflow):
        @step
        async def go(self, ctx: Context, ev: StartEvent) -> StopEvent:
            return StopEvent(result=await Slow(timeout=None).run())

    with pytest.raises(WorkflowTimeoutError):
        await Outer(timeout=0.05).run()
