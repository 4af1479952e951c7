"""What a run does from the outside: results, order, errors, streams, people."""

from __future__ import annotations

import asyncio
import random

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
    WorkflowCancelledByUser,
    WorkflowRuntimeError,
    WorkflowTimeoutError,
    WorkflowValidationError,
    step,
)


class StepAEvent(Event):
    query: str


class StepBEvent(Event):
    query: str


class StepCEvent(Event):
    query: str


class StepACompleteEvent(Event):
    result: str


class StepBCompleteEvent(Event):
    result: str


class StepCCompleteEvent(Event):
    result: str


class ConcurrentFlow(Workflow):
    @step
    async def start(self, ctx: Context, ev: StartEvent) -> StepAEvent | StepBEvent | StepCEvent:
        ctx.send_event(StepAEvent(query="Query 1"))
        ctx.send_event(StepBEvent(query="Query 2"))
        ctx.send_event(StepCEvent(query="Query 3"))

    @step
    async def step_a(self, ctx: Context, ev: StepAEvent) -> StepACompleteEvent:
        print("Doing something A-ish")  # noqa: T201 - the tutorial prints
        return StepACompleteEvent(result=ev.query)

    @step
    async def step_b(self, ctx: Context, ev: StepBEvent) -> StepBCompleteEvent:
        print("Doing something B-ish")  # noqa: T201
        return StepBCompleteEvent(result=ev.query)

    @step
    async def step_c(self, ctx: Context, ev: StepCEvent) -> StepCCompleteEvent:
        print("Doing something C-ish")  # noqa: T201
        return StepCCompleteEvent(result=ev.query)

    @step
    async def step_three(
        self, ctx: Context, ev: StepACompleteEvent | StepBCompleteEvent | StepCCompleteEvent
    ) -> StopEvent:
        print("Received event ", ev.result)  # noqa: T201
        collected = ctx.collect_events(ev, [StepCCompleteEvent, StepACompleteEvent, StepBCompleteEvent])
        if collected is None:
            return None
        return StopEvent(result=[type(event) for event in collected])


VERBOSE = """\
Running step start
Step start produced no event
Running step step_a
Doing something A-ish
Step step_a produced event StepACompleteEvent
Running step step_b
Doing something B-ish
Step step_b produced event StepBCompleteEvent
Running step step_c
Doing something C-ish
Step step_c produced event StepCCompleteEvent
Running step step_three
Received event  Query 1
Step step_three produced no event
Running step step_three
Received event  Query 2
Step step_three produced no event
Running step step_three
Received event  Query 3
Step step_three produced event StopEvent
"""


async def test_verbose_run_prints_the_tutorials_listing(capsys):
    result = await ConcurrentFlow(timeout=10, verbose=True).run()
    assert capsys.readouterr().out == VERBOSE
    assert result == [StepCCompleteEvent, StepACompleteEvent, StepBCompleteEvent], "the order asked, not of arrival"


async def test_unbound_function_joins_a_workflow_class_and_may_be_synchronous():
    class Empty(Workflow):
        pass

    @step(workflow=Empty)
    def some_step(ev: StartEvent) -> StopEvent:
        return StopEvent(result=ev.topic)

    assert await Empty().run(topic="pirates") == "pirates"


async def test_falsy_results_come_back_as_they_are():
    class Falsy(Workflow):
        @step
        async def only(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=ev.value)

    for value in (0, "", [], False, None):
        assert await Falsy().run(value=value) == value


async def test_stop_event_subclass_is_the_result():
    class Report(StopEvent):
        text: str

    class Reporting(Workflow):
        @step
        async def only(self, ev: StartEvent) -> Report:
            return Report(text="done")

    assert (await Reporting().run()).text == "done"


async def test_context_value_can_be_indexed_before_it_is_awaited():
    class Stateful(Workflow):
        @step
        async def only(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.set("some_database", [1, 2, 3])
            with pytest.raises(ValueError, match="Key 'missing' not found in Context"):
                await ctx.get("missing")
            assert await ctx.get("missing", default=None) is None
            return StopEvent(result=await ctx.get("some_database")[1])

    assert await Stateful().run() == 2


async def test_state_goes_on_through_the_context_of_an_earlier_run():
    class Counting(Workflow):
        @step
        async def only(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.set("count", await ctx.get("count", default=0) + 1)
            return StopEvent(result=await ctx.get("count"))

    workflow = Counting()
    first = workflow.run()
    assert await first == 1
    assert await workflow.run(ctx=first.ctx) == 2
    assert await workflow.run() == 1


async def test_stream_replays_and_does_not_yield_the_plain_stop():
    class Streaming(Workflow):
        @step
        async def only(self, ctx: Context, ev: StartEvent) -> StopEvent:
            for n in range(3):
                ctx.write_event_to_stream(Event(msg=n))
                await asyncio.sleep(0)
            return StopEvent(result="end")

    handler = Streaming().run()
    assert [event.msg async for event in handler.stream_events()] == [0, 1, 2]
    assert await handler == "end"
    assert handler.is_done()
    assert handler.result() == "end"


async def test_person_answers_in_the_middle_of_the_stream():
    class Asking(Workflow):
        @step
        async def ask(self, ev: StartEvent) -> InputRequiredEvent:
            return InputRequiredEvent(prefix="Enter a number: ")

        @step
        async def answer(self, ev: HumanResponseEvent) -> StopEvent:
            return StopEvent(result=ev.response)

    handler = Asking(timeout=0.05).run()
    async for event in handler.stream_events():
        if isinstance(event, InputRequiredEvent):
            break
    await asyncio.wait([asyncio.ensure_future(asyncio.sleep(0.2))])  # waiting for people uses up no timeout
    handler.ctx.send_event(HumanResponseEvent(response="42"))
    async for _ in handler.stream_events():
        pass
    assert await handler == "42"


async def test_failing_step_raises_its_own_exception_with_its_name_in_a_note():
    class Failing(Workflow):
        @step
        async def wrong(self, ev: StartEvent) -> StopEvent:
            raise ZeroDivisionError("no")

    with pytest.raises(ZeroDivisionError, match="no") as caught:
        await Failing().run()
    assert caught.value.__notes__ == ["in step wrong"]


async def test_retry_policy_is_followed(capsys):
    class Flaky(Workflow):
        tries = 0

        @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=3, delay=0.01))
        async def flaky(self, ctx: Context, ev: StartEvent) -> StopEvent:
            seen = await ctx.get("seen", default=0)
            await ctx.set("seen", seen + 1)
            self.tries += 1
            if self.tries < 3:
                raise OSError("not yet")
            return StopEvent(result=(self.tries, seen))

    assert await Flaky(verbose=True).run() == (3, 0), "what a failed attempt wrote is undone"
    assert "Step flaky produced an error, retry in 0.01 seconds" in capsys.readouterr().out

    class Hopeless(Workflow):
        tries = 0

        @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=2, delay=0))
        async def hopeless(self, ev: StartEvent) -> StopEvent:
            self.tries += 1
            raise OSError("never")

    workflow = Hopeless()
    with pytest.raises(OSError, match="never"):
        await workflow.run()
    assert workflow.tries == 3


async def test_timeout_names_the_active_steps():
    class Slow(Workflow):
        @step
        async def dawdle(self, ev: StartEvent) -> StopEvent:
            await asyncio.Event().wait()

    with pytest.raises(WorkflowTimeoutError, match=r"after 0\.05 seconds\. Currently active steps: dawdle"):
        await Slow(timeout=0.05).run()


async def test_cancelled_run_cancels_its_steps():
    class Slow(Workflow):
        cancelled = False

        @step
        async def dawdle(self, ctx: Context, ev: StartEvent) -> StopEvent:
            ctx.write_event_to_stream(Event(msg="here"))
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled = True

    workflow = Slow(timeout=None)
    handler = workflow.run()
    async for _ in handler.stream_events():
        await handler.cancel_run()
    with pytest.raises(WorkflowCancelledByUser):
        await handler
    await asyncio.sleep(0)
    assert workflow.cancelled


async def test_stalled_run_ends_at_once_and_names_what_was_waited_for():
    class Half(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StepACompleteEvent | StepBCompleteEvent:
            return StepACompleteEvent(result="a")

        @step
        async def join(self, ctx: Context, ev: StepACompleteEvent | StepBCompleteEvent) -> StopEvent | None:
            both = ctx.collect_events(ev, [StepACompleteEvent, StepBCompleteEvent])
            return StopEvent() if both else None

    with pytest.raises(WorkflowRuntimeError, match="step join holds 1 of 2 events and waits for StepBCompleteEvent"):
        await Half().run()


async def test_event_nobody_takes_is_named():
    class Lost(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent:
            return StepAEvent(query="?")

    with pytest.raises(WorkflowRuntimeError, match=r"no step takes StepAEvent \(sent from step begin\)"):
        await Lost().run()


async def test_step_that_returns_no_event_is_told():
    class Wrong(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent:
            return "text"

    with pytest.raises(WorkflowRuntimeError, match="Step function begin returned str instead of an Event instance"):
        await Wrong().run()


async def test_num_workers_limits_concurrent_executions():
    class Limited(Workflow):
        now = 0
        most = 0

        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> StepAEvent:
            for n in range(10):
                ctx.send_event(StepAEvent(query=str(n)))

        @step(num_workers=3)
        async def work(self, ev: StepAEvent) -> StepACompleteEvent:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(random.random() / 100)
            self.now -= 1
            return StepACompleteEvent(result=ev.query)

        @step
        async def join(self, ctx: Context, ev: StepACompleteEvent) -> StopEvent | None:
            done = ctx.collect_events(ev, [StepACompleteEvent] * 10)
            return StopEvent(result=len(done)) if done else None

    workflow = Limited()
    assert await workflow.run() == 10
    assert workflow.most == 3


async def test_synchronous_steps_send_from_their_threads():
    class Threads(Workflow):
        @step
        def begin(self, ctx: Context, ev: StartEvent) -> StepAEvent:
            for n in range(5):
                ctx.send_event(StepAEvent(query=str(n)))

        @step
        def join(self, ctx: Context, ev: StepAEvent) -> StopEvent | None:
            got = ctx.collect_events(ev, [StepAEvent] * 5)
            return StopEvent(result=sorted(event.query for event in got)) if got else None

    assert await Threads().run() == ["0", "1", "2", "3", "4"]


async def test_targeted_event_must_fit_its_step():
    class Targets(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
            with pytest.raises(WorkflowRuntimeError, match="Step nowhere does not exist"):
                ctx.send_event(StepAEvent(query=""), step="nowhere")
            with pytest.raises(WorkflowRuntimeError, match="Step begin does not accept event of type"):
                ctx.send_event(StepAEvent(query=""), step="begin")
            return StopEvent(result="ok")

    assert await Targets().run() == "ok"


def declare(body: str) -> None:
    """Execute a class body that is expected to be refused."""
    names = {"Workflow": Workflow, "step": step, "StartEvent": StartEvent, "StopEvent": StopEvent, "Event": Event}
    exec(body, {**names, "StepAEvent": StepAEvent})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "class W(Workflow):\n @step\n async def s(self, x: int) -> StopEvent: ...",
            "Step signature must have at least one parameter annotated as type Event",
        ),
        (
            "class W(Workflow):\n @step\n async def s(self, a: StartEvent, b: StepAEvent) -> StopEvent: ...",
            "Step signature must contain exactly one parameter of type Event but found 2.",
        ),
        (
            "class W(Workflow):\n @step\n async def s(self, ev: StartEvent): ...",
            "Return types of workflows step functions must be annotated with their type.",
        ),
        (
            "class W(Workflow):\n @step(num_workers=0)\n async def s(self, ev: StartEvent) -> StopEvent: ...",
            "num_workers must be an integer greater than 0",
        ),
        (
            "@step()\nasync def s(ev: StartEvent) -> StopEvent: ...",
            "To decorate s please pass a workflow class to the @step decorator.",
        ),
        (
            (
                "class W(Workflow):\n @step\n async def s(self, ev: StartEvent) -> StopEvent: ...\n"
                "@step(workflow=W)\nasync def s(ev: StartEvent) -> StopEvent: ..."
            ),
            "A step s is already part of this workflow, please choose another name.",
        ),
    ],
)
def test_wrong_declaration_is_refused_with_the_known_message(body, message):
    with pytest.raises(WorkflowValidationError) as caught:
        declare(body)
    assert str(caught.value) == message


async def test_steps_that_do_not_fit_together_are_refused_before_anything_starts():
    class Consumes(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent:
            return StopEvent()

        @step
        async def more(self, ev: StepAEvent) -> StopEvent:
            return StopEvent()

    class Produces(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent | StepBEvent:
            return StopEvent()

    with pytest.raises(WorkflowValidationError, match=r"^The following events are consumed but never produced: Step"):
        Consumes().run()
    with pytest.raises(WorkflowValidationError, match=r"^The following events are produced but never consumed: Step"):
        Produces().run()
    assert await Produces(disable_validation=True).run() is None


async def test_subclass_overrides_a_step_and_keeps_the_others():
    class Base(Workflow):
        @step
        async def one(self, ev: StartEvent) -> StepAEvent:
            return StepAEvent(query="base")

        @step
        async def two(self, ev: StepAEvent) -> StopEvent:
            return StopEvent(result=ev.query)

    class Sub(Base):
        @step
        async def one(self, ev: StartEvent) -> StepBEvent:
            return StepBEvent(query="sub")

        @step
        async def between(self, ev: StepBEvent) -> StepAEvent:
            return StepAEvent(query=ev.query)

    assert await Sub().run() == "sub"
    assert await Base().run() == "base"
