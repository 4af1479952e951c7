"""What `verbose=True` prints, byte for byte."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

from treadle import ConstantDelayRetryPolicy, Context, Event, StartEvent, StopEvent, Workflow, step


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


LISTING = """\
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
    assert capsys.readouterr().out == LISTING
    assert result == [StepCCompleteEvent, StepACompleteEvent, StepBCompleteEvent]


async def test_verbose_stepwise_run_prints_the_same(capsys):
    handler = ConcurrentFlow(timeout=10, verbose=True).run()
    while not handler.is_done():
        handler.ctx.send_event(await handler.run_step())
    assert capsys.readouterr().out == LISTING


async def test_verbose_iteration_prints_the_same(capsys):
    async for _ in ConcurrentFlow(timeout=10, verbose=True).run():
        pass
    assert capsys.readouterr().out == LISTING


async def test_verbose_run_tells_of_a_retry(capsys):
    class Flaky(Workflow):
        @step(retry_policy=ConstantDelayRetryPolicy(delay=0.01))
        async def flaky_step(self, ctx: Context, ev: StartEvent) -> StopEvent:
            if ctx.attempt == 1:
                raise OSError
            return StopEvent()

    await Flaky(verbose=True).run()
    assert capsys.readouterr().out == (
        "Running step flaky_step\n"
        "Step flaky_step produced an error, retry in 0.01 seconds\n"
        "Running step flaky_step\n"
        "Step flaky_step produced event StopEvent\n"
    )


async def test_step_that_waits_is_told_once(capsys):
    class Waits(Workflow):
        @step
        async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.wait_for_event(StepAEvent)
            return StopEvent()

    handler = Waits(verbose=True).run()
    async for _ in handler:
        handler.ctx.send_event(StepAEvent(query=""))
    assert capsys.readouterr().out == "Running step ask\nStep ask produced event StopEvent\n"


async def test_run_goes_on_when_nobody_can_read_what_it_prints():
    class Only(Workflow):
        @step
        async def only(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result="done")

    closed = io.StringIO()
    closed.close()
    with redirect_stdout(closed):
        assert await Only(verbose=True, timeout=None).run() == "done"


async def test_quiet_run_prints_nothing(capsys):
    class Quiet(Workflow):
        @step
        async def only(self, ev: StartEvent) -> StopEvent:
            return StopEvent()

    await Quiet().run()
    assert capsys.readouterr().out == ""
