"""What `run()` does: input, result, independence, the order of steps, and the end of a run with nothing left to do."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from pydantic import ValidationError

from treadle import (
    Context,
    Event,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    WorkflowRuntimeError,
    WorkflowValidationError,
    step,
)


class A(Event):
    n: int = 0


class B(Event):
    n: int = 0


class Echo(Workflow):
    @step
    async def echo(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=ev.value)


@pytest.mark.parametrize("value", [0, "", [], {}, False, None, 0.0, b""])
async def test_falsy_results_come_back_as_they_are(value):
    result = await Echo().run(value=value)
    assert result == value
    assert type(result) is type(value)


async def test_result_is_the_object_itself():
    value = object()
    assert await Echo().run(value=value) is value


async def test_stop_event_subclass_is_the_result():
    class Report(StopEvent):
        text: str

    class Reporting(Workflow):
        @step
        async def only(self, ev: StartEvent) -> Report:
            return Report(text="done", result="ignored")

    report = await Reporting().run()
    assert (type(report), report.text, report.result) == (Report, "done", "ignored")


async def test_run_returns_at_once_and_starts_in_the_background():
    class Quick(Workflow):
        started = False

        @step
        async def only(self, ev: StartEvent) -> StopEvent:
            self.started = True
            return StopEvent()

    workflow = Quick()
    handler = workflow.run()
    assert not workflow.started
    assert not handler.is_done()
    await handler
    assert workflow.started


def test_run_outside_an_event_loop_says_what_to_do():
    with pytest.raises(WorkflowRuntimeError) as caught:
        Echo().run(value=1)
    assert str(caught.value) == (
        "run() needs a running event loop: call it inside an async function, as asyncio.run(main()) does."
    )


def test_one_instance_runs_on_one_event_loop_after_the_other():
    workflow = Echo()

    async def main(value):
        return await workflow.run(value=value)

    assert [asyncio.run(main(n)) for n in range(3)] == [0, 1, 2]


async def test_runs_of_one_instance_are_independent():
    class Slow(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            await ctx.set("name", ev.name)
            for n in range(3):
                ctx.send_event(A(n=n))
            return A(n=3)

        @step
        async def gather(self, ctx: Context, ev: A) -> StopEvent | None:
            await asyncio.sleep(0)
            if ctx.collect_events(ev, [A] * 4) is None:
                return None
            return StopEvent(result=await ctx.get("name"))

    workflow = Slow()
    handlers = [workflow.run(name=n) for n in range(20)]
    assert await asyncio.gather(*handlers) == list(range(20))
    assert len({handler.run_id for handler in handlers}) == 20


async def test_run_id_may_be_given():
    handler = Echo().run(value=1, run_id="r_mine")
    assert handler.run_id == "r_mine"
    assert await handler == 1


class Order(StartEvent):
    cups: int


class Cafe(Workflow):
    @step
    async def serve(self, ev: Order) -> StopEvent:
        return StopEvent(result=ev)


async def test_keywords_become_the_declared_start_event():
    assert await Cafe().run(cups="2", sugar=True) == Order(cups=2, sugar=True)


async def test_wrong_keywords_are_refused_before_anything_starts():
    with pytest.raises(ValidationError, match="cups"):
        Cafe().run(cups="many")
    with pytest.raises(ValidationError, match="Field required"):
        Cafe().run()


async def test_start_event_may_be_given():
    order = Order(cups=3)
    assert await Cafe().run(start_event=order) is order


@pytest.mark.parametrize("wrong", [A(), StopEvent(), StartEvent(cups=1), "text"])
async def test_wrong_start_event_is_refused_at_once(wrong):
    with pytest.raises(WorkflowRuntimeError) as caught:
        Cafe().run(start_event=wrong)
    assert str(caught.value) == f"start_event must be of Order, not {type(wrong).__name__}."


async def test_step_may_return_a_start_event_and_go_through_the_start_again():
    class Loop(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StartEvent | StopEvent:
            return StopEvent(result=ev.n) if ev.n == 3 else StartEvent(n=ev.n + 1)

    assert await Loop().run(n=0) == 3


async def test_steps_that_do_not_fit_together_are_refused_before_anything_starts():
    class Consumes(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent:
            return StopEvent()

        @step
        async def more(self, ev: B | A) -> StopEvent:
            return StopEvent()

    class Produces(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent | B:
            return StopEvent()

    class Asks(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent | InputRequiredEvent:
            return StopEvent(result="asked nobody")

    with pytest.raises(WorkflowValidationError) as caught:
        Consumes().run()
    assert str(caught.value) == "The following events are consumed but never produced: A, B"
    with pytest.raises(WorkflowValidationError) as caught:
        Produces().run()
    assert str(caught.value) == "The following events are produced but never consumed: B"
    assert await Produces(disable_validation=True).run() is None
    assert Asks().validate() is True, "it may ask people"
    assert Echo().validate() is False
    assert await Asks().run() == "asked nobody"


async def test_ended_run_is_collected():
    """Of the most recent run the workflow keeps the state, to draw it; of the others nothing."""

    class Value:
        pass

    workflow = Echo()

    async def one():
        handler, value = workflow.run(value=Value()), Value()
        await handler.ctx.set("value", value)
        result = await handler
        return weakref.ref(handler), weakref.ref(value), weakref.ref(result)

    gone = await one()
    await workflow.run(value=None)
    await asyncio.sleep(0)
    gc.collect()
    assert [reference() for reference in gone] == [None, None, None]


async def test_many_runs_of_one_instance_do_not_grow():
    workflow = Echo(num_concurrent_runs=2)

    async def objects(runs):
        for _ in range(runs):
            await workflow.run(value=None)
        gc.collect()
        return len(gc.get_objects())

    before = await objects(100)
    assert await objects(2_000) <= before + 20
