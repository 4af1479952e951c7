"""Failures: what a step may raise, retries, who catches, and timeouts."""

from __future__ import annotations

import asyncio

import pytest

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    Workflow,
    WorkflowRuntimeError,
    catch_error,
    step,
)


class A(Event):
    n: int = 0


class Raises(Workflow):
    """Raises what `make` makes."""

    def __init__(self, make, **options):
        super().__init__(**options)
        self.make = make

    @step
    async def wrong(self, ev: StartEvent) -> StopEvent:
        raise self.make()


class RaisesInThread(Raises):
    @step
    def wrong(self, ev: StartEvent) -> StopEvent:
        raise self.make()


class OddError(Exception):
    def __str__(self):
        raise RuntimeError("and this fails too")


@pytest.mark.parametrize("kind", [Raises, RaisesInThread])
@pytest.mark.parametrize("make", [ZeroDivisionError, OddError, SystemExit, lambda: ExceptionGroup("two", [OSError()])])
async def test_step_raises_its_own_exception_with_its_name_in_a_note(kind, make):
    made = make()
    with pytest.raises(type(made)) as caught:
        await kind(lambda: made).run()
    assert caught.value is made
    assert made.__notes__ == ["in step wrong"]


async def test_exception_that_is_raised_again_and_again_has_one_note():
    error = OSError("always the same")
    for _ in range(3):
        with pytest.raises(OSError, match="always"):
            await Raises(lambda: error).run()
    assert error.__notes__ == ["in step wrong"]


@pytest.mark.parametrize(
    ("kind", "message"),
    [(Raises, "coroutine raised StopIteration"), (RaisesInThread, "step raised StopIteration")],
)
async def test_stop_iteration_is_a_runtime_error_as_in_any_coroutine(kind, message):
    with pytest.raises(RuntimeError) as caught:
        await kind(StopIteration).run()
    assert str(caught.value) == message


CANCELLED = "Step wrong was cancelled, and its run was not."


async def test_cancellation_raised_by_a_step_fails_the_run_and_nobody_else():
    with pytest.raises(WorkflowRuntimeError) as caught:
        await Raises(lambda: asyncio.CancelledError("by a library")).run()
    assert str(caught.value) == CANCELLED
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


async def test_step_whose_task_is_cancelled_fails_at_once():
    class Cancels(Workflow):
        @step
        async def wrong(self, ev: StartEvent) -> StopEvent:
            asyncio.current_task().cancel()
            await asyncio.sleep(0)
            return StopEvent()

    with pytest.raises(WorkflowRuntimeError) as caught:
        await Cancels(timeout=None).run()
    assert str(caught.value) == CANCELLED


async def test_steps_that_were_queued_go_on_when_a_step_is_cancelled():
    class Cancels(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            for n in range(6):
                ctx.send_event(A(n=n))
            return None

        @step(num_workers=2, retry_policy=ConstantDelayRetryPolicy(delay=0))
        async def work(self, ctx: Context, ev: A) -> StopEvent | None:
            if ctx.attempt == 1:
                asyncio.current_task().cancel()
            await asyncio.sleep(0)
            return StopEvent(result="all") if ctx.collect_events(ev, [A] * 6) else None

    assert await Cancels(timeout=None).run() == "all"


def test_keyboard_interrupt_ends_the_program():
    async def main():
        handler = Raises(KeyboardInterrupt).run()
        await handler

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())


async def test_timeout_of_a_steps_own_is_an_error_like_any_other():
    class Impatient(Workflow):
        @step
        async def wait(self, ev: StartEvent) -> StopEvent:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
            return StopEvent()

    with pytest.raises(TimeoutError):
        await Impatient().run()


async def test_other_steps_are_cancelled_when_one_fails():
    class Both(Workflow):
        left = False

        @step
        async def stay(self, ev: StartEvent) -> StopEvent:
            try:
                await asyncio.Event().wait()
            finally:
                self.left = True

        @step
        async def wrong(self, ev: StartEvent) -> StopEvent:
            raise LookupError

    workflow = Both()
    with pytest.raises(LookupError):
        await workflow.run()
    await asyncio.sleep(0)
    assert workflow.left


class Spy:
    """A policy that remembers what it was asked."""

    def __init__(self, *delays):
        self.delays = list(delays)
        self.asked = []

    def next(self, elapsed_time, attempts, error):
        self.asked.append((elapsed_time, attempts, str(error)))
        delay = self.delays.pop(0)
        if isinstance(delay, Exception):
            raise delay
        return delay


def failing(policy, times=99):
    class Fails(Workflow):
        @step(retry_policy=policy)
        async def flaky(self, ctx: Context, ev: StartEvent) -> StopEvent:
            if ctx.attempt <= times:
                raise OSError(f"attempt {ctx.attempt}")
            return StopEvent(result=ctx.attempt)

    return Fails()


async def test_policy_is_asked_with_real_elapsed_time_and_attempts_from_zero():
    spy = Spy(0.02, 0, None)
    with pytest.raises(OSError, match="attempt 3"):
        await failing(spy).run()
    (first, *_), (second, *_), _ = spy.asked
    assert [(attempts, error) for _, attempts, error in spy.asked] == [
        (0, "attempt 1"),
        (1, "attempt 2"),
        (2, "attempt 3"),
    ]
    assert first == 0
    assert 0.02 <= second < 5


@pytest.mark.parametrize("at_most", [0, 1, 2])
async def test_constant_policy_tries_again_at_most_so_often(at_most):
    policy = ConstantDelayRetryPolicy(delay=0, maximum_attempts=at_most)
    with pytest.raises(OSError, match=f"attempt {at_most + 1}"):
        await failing(policy).run()
    assert await failing(policy, times=at_most).run() == at_most + 1


async def test_policy_that_raises_or_talks_nonsense_fails_the_run():
    broken = ValueError("broken policy")
    with pytest.raises(ValueError, match="broken policy") as caught:
        await failing(Spy(broken)).run()
    assert isinstance(caught.value.__context__, OSError)
    with pytest.raises(WorkflowRuntimeError, match="returned 'soon' from next"):
        await failing(Spy("soon")).run()


async def test_synchronous_step_is_tried_again_too():
    class Fails(Workflow):
        @step(retry_policy=ConstantDelayRetryPolicy(delay=0))
        def flaky(self, ctx: Context, ev: StartEvent) -> StopEvent:
            if ctx.attempt == 1:
                raise OSError
            return StopEvent(result=ctx.attempt)

    assert await Fails().run() == 2


async def test_delayed_step_holds_no_worker():
    class Delays(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            ctx.send_event(A(n=1))
            return A(n=2)

        @step(num_workers=1, retry_policy=ConstantDelayRetryPolicy(delay=60))
        async def work(self, ev: A) -> StopEvent:
            if ev.n == 1:
                raise OSError
            return StopEvent(result=ev.n)

    assert await Delays().run() == 2


async def test_spent_retries_go_to_the_step_that_catches():
    class Careful(Workflow):
        @step(retry_policy=ConstantDelayRetryPolicy(delay=0, maximum_attempts=2))
        async def weave(self, ev: StartEvent) -> StopEvent:
            raise OSError("a thread broke")

        @catch_error(for_steps=["weave"])
        async def mend(self, ev: StepFailedEvent) -> StopEvent:
            return StopEvent(result=ev)

    handler = Careful().run(colour="madder")
    event = await handler
    assert (event.step, event.attempts, event.input_event) == ("weave", 3, StartEvent(colour="madder"))
    assert isinstance(event.exception, OSError)
    assert event.elapsed >= 0
    assert handler.exception() is None


async def test_catching_step_that_raises_fails_the_run():
    class Careless(Workflow):
        @step
        async def weave(self, ev: StartEvent) -> StopEvent:
            raise OSError("a thread broke")

        @catch_error
        async def mend(self, ev: StepFailedEvent) -> StopEvent:
            raise LookupError("no needle") from ev.exception

    with pytest.raises(LookupError) as caught:
        await Careless().run()
    assert caught.value.__notes__ == ["in step mend"]
    assert caught.value.__cause__.__notes__ == ["in step weave"]
