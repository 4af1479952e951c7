"""What must be neither more nor less after joins, batches, restarts and steps that share a carrier."""

from __future__ import annotations

import asyncio
import json
from contextvars import ContextVar

import pytest
from turns import turns, until

from treadle import Context, Event, StartEvent, StepFailedEvent, StopEvent, Workflow, catch_error, step
from treadle.engine.commands import RunStep
from treadle.engine.reducer import apply
from treadle.engine.replay import fold
from treadle.engine.snapshot import from_snapshot, to_snapshot
from treadle.engine.state import Routes
from treadle.engine.ticks import EventSent, RunResumed, RunStarted


class Risk(Event):
    pass


class Mended(Event):
    pass


class Other(Event):
    pass


class Tick(Event):
    pass


class JoinsAgain(Workflow):
    """Its failure is caught, and leads to itself again through a join that another event completes."""

    def __init__(self):
        super().__init__()
        self.calls = 0
        self.caught = asyncio.Event()

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Risk | Tick:
        ctx.send_event(Tick())
        return Risk()

    @step
    async def pump(self, ctx: Context, ev: Tick) -> Tick | Other:
        await self.caught.wait()
        self.caught.clear()
        await turns()
        ctx.send_event(Other())
        return Tick()

    @step
    async def risk(self, ev: Risk) -> StopEvent:
        raise OSError("always")

    @catch_error(for_steps=["risk"], max_recoveries=2)
    async def mend(self, ev: StepFailedEvent) -> Mended:
        self.calls += 1
        self.caught.set()
        return Mended()

    @step
    async def join(self, one: Mended, two: Other) -> Risk:
        return Risk()


class CollectsAgain(JoinsAgain):
    """The same through a batch."""

    @step
    async def join(self, ctx: Context, ev: Mended | Other) -> Risk | None:
        return Risk() if ctx.collect_events(ev, [Mended, Other]) else None


@pytest.mark.parametrize("kind", [JoinsAgain, CollectsAgain])
async def test_catcher_is_called_as_often_as_it_may_be_also_through_joins_and_batches(kind):
    workflow = kind()
    with pytest.raises(OSError, match="always"):
        await workflow.run()
    assert workflow.calls == 2


def test_calls_of_catchers_are_in_a_saved_run_that_waits_in_a_join():
    state = fold([RunStarted(0.0, StartEvent(), {})], JoinsAgain().table.routes)
    state.carried[3] = {"mend": 1}
    data = json.loads(json.dumps(to_snapshot(state)))
    assert from_snapshot(data, state.routes, JoinsAgain().event_types()).carried == {3: {"mend": 1}}


def test_step_with_more_workers_than_before_takes_what_was_queued():
    takers = {StartEvent: ("begin",), Other: ("work",)}
    few, more = Routes(takers, {"begin": 1, "work": 1}), Routes(takers, {"begin": 1, "work": 3})
    ticks = [RunStarted(0.0, StartEvent(), {}), *(EventSent(0.0, Other(), source=(1, "begin")) for _ in range(4))]
    data = to_snapshot(fold(ticks, few))
    state = from_snapshot(data, more, {"StartEvent": StartEvent, "Other": Other})
    commands = apply(state, RunResumed(1.0, "w", "a test"))
    begun = [command.delivery.key for command in commands if isinstance(command, RunStep)]
    assert begun == [(1, "begin"), (2, "work"), (3, "work"), (4, "work")]
    assert (state.steps["work"].running, [queued.seq for queued in state.queued["work"]]) == (3, [5])


VARIABLE: ContextVar[str] = ContextVar("variable")
KNOWN: ContextVar[str] = ContextVar("known", default="unset")


class Leaks(Workflow):
    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Risk | Other:
        VARIABLE.set("begin")
        KNOWN.set("begin")
        ctx.send_event(Other())
        return Risk()

    @step
    async def beside(self, ev: Other) -> None:
        assert VARIABLE.get("nothing") == "nothing"

    @step
    async def end(self, ev: Risk) -> StopEvent:
        return StopEvent(result=(VARIABLE.get("nothing"), KNOWN.get()))


@pytest.mark.parametrize("around", [None, "around"])
async def test_context_variable_of_one_step_is_not_there_in_the_next(around):
    if around is not None:
        KNOWN.set(around)
    assert await Leaks().run() == ("nothing", around or "unset")


async def test_run_saved_before_its_first_step_begins_with_its_first_attempt():
    class Counts(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
            return StopEvent(result=ctx.attempt)

    workflow = Counts()
    handler = workflow.run()
    data = json.loads(json.dumps(handler.ctx.to_dict()))
    assert await handler == 1
    assert await workflow.run(ctx=Context.from_dict(workflow, data)) == 1


async def test_time_limit_around_a_wait_gives_the_worker_back_and_the_step_goes_on():
    class Impatient(Workflow):
        @step(num_workers=1)
        async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ctx.wait_for_event(Other), 0.01)
            return StopEvent(result=type(await asyncio.wait_for(ctx.wait_for_event(Other), 30)).__name__)

    handler = Impatient().run()
    await until(lambda: handler.state.waits)
    await until(lambda: not handler.state.waits)
    await until(lambda: handler.state.waits)
    handler.ctx.send_event(Other())
    assert await handler == "Other"
    assert handler.state.steps["begin"].running == 0
