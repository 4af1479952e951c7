"""Synchronous steps: they run in threads, beside the event loop, and may outlive their run and even the loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from functools import wraps

import pytest

from treadle import Context, Event, StartEvent, StopEvent, Workflow, WorkflowCancelledByUser, WorkflowRuntimeError, step


class A(Event):
    n: int = 0


class B(Event):
    n: int = 0


async def test_synchronous_steps_send_and_collect_from_their_threads_in_order():
    class Threads(Workflow):
        @step
        def begin(self, ctx: Context, ev: StartEvent) -> A:
            for n in range(5):
                ctx.send_event(A(n=n))
            return A(n=5)

        @step(num_workers=1)
        def join(self, ctx: Context, ev: A) -> StopEvent | None:
            got = ctx.collect_events(ev, [A] * 6)
            return StopEvent(result=[event.n for event in got]) if got else None

    assert await Threads().run() == [0, 1, 2, 3, 4, 5]


async def test_synchronous_step_does_not_stop_the_others():
    class Beside(Workflow):
        met = threading.Event()

        @step
        def block(self, ev: StartEvent) -> A:
            assert self.met.wait(5)
            return A()

        @step
        async def meet(self, ev: StartEvent) -> B:
            self.met.set()
            return B()

        @step
        async def join(self, one: A, other: B) -> StopEvent:
            return StopEvent(result="both")

    assert await Beside().run() == "both"


async def test_synchronous_step_knows_its_attempt_and_streams():
    class Knows(Workflow):
        @step
        def only(self, ctx: Context, ev: StartEvent) -> StopEvent:
            ctx.write_event_to_stream(A(n=1))
            return StopEvent(result=(ctx.attempt, ctx.idempotency_key, ctx.is_running))

    handler = Knows().run(run_id="r_1")
    assert [event.n async for event in handler.stream_events()] == [1]
    assert await handler == (1, "r_1:1:only", True)


async def test_coroutine_function_that_a_decorator_hides_is_awaited():
    def traced(function):
        @wraps(function)
        def call(*args, **kwargs):
            return function(*args, **kwargs)

        return call

    class Traced(Workflow):
        @step
        @traced
        async def only(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=asyncio.get_running_loop() is not None)

    assert await Traced().run() is True


async def test_synchronous_step_cannot_start_a_run_without_an_event_loop():
    class Nested(Workflow):
        @step
        def only(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=Nested().run())

    with pytest.raises(WorkflowRuntimeError, match=r"run\(\) needs a running event loop: call it inside an async"):
        await Nested().run()


class Outlives(Workflow):
    """A step that goes on in its thread when its run is over, and then sends."""

    def __init__(self):
        super().__init__(timeout=None, disable_validation=True)
        self.entered, self.go, self.told = threading.Event(), threading.Event(), threading.Event()
        self.heard = None

    @step
    def work(self, ctx: Context, ev: StartEvent) -> StopEvent:
        self.entered.set()
        assert self.go.wait(5)
        try:
            ctx.send_event(A())
            ctx.write_event_to_stream(A())
            self.heard = ctx.collect_events(ev, [StartEvent])
        except (RuntimeError, WorkflowRuntimeError) as error:
            self.heard = error
        self.told.set()
        return StopEvent(result="late")

    @step
    async def take(self, ev: A) -> StopEvent:
        return StopEvent(result="late too")


async def test_step_that_outlives_its_run_changes_nothing():
    workflow = Outlives()
    handler = workflow.run()
    await asyncio.to_thread(workflow.entered.wait, 5)
    await handler.cancel_run()
    workflow.go.set()
    await asyncio.to_thread(workflow.told.wait, 5)
    assert workflow.heard is None
    with pytest.raises(WorkflowCancelledByUser):
        await handler
    assert len([event async for event in handler.stream_events()]) == 1, "that it was cancelled"


@pytest.mark.parametrize("closed", [True, False])
def test_step_that_outlives_its_event_loop_is_told(closed):
    workflow = Outlives()
    loop = asyncio.new_event_loop()

    async def begin():
        handler = workflow.run()
        await asyncio.to_thread(workflow.entered.wait, 5)
        return handler

    loop.run_until_complete(begin())
    if closed:
        loop.close()
    workflow.go.set()
    if not closed:
        assert not workflow.told.wait(0.05), "the loop may run again"
        loop.close()
    assert workflow.told.wait(5)
    assert str(workflow.heard) == ("Event loop is closed" if closed else "The event loop of the run is closed.")


PROGRAM = """
import asyncio, threading, time
from treadle import Context, Event, StartEvent, StopEvent, Workflow, step

class Slow(Workflow):
    @step
    def work(self, ctx: Context, ev: StartEvent) -> StopEvent:
        entered.set()
        for _ in range(200):
            time.sleep(0.001)
            ctx.write_event_to_stream(Event())
        return StopEvent()

entered = threading.Event()

async def main():
    handler = Slow().run()
    await asyncio.to_thread(entered.wait)

asyncio.run(main())
print("over")
"""


def test_program_ends_although_a_step_is_still_in_its_thread():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=20, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "over\n", "")
