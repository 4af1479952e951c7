"""The handler: an awaitable that behaves like a future, and a way to cancel its run."""

from __future__ import annotations

import asyncio

import pytest

from treadle import (
    Context,
    Event,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    WorkflowCancelledByUser,
    WorkflowCancelledEvent,
    WorkflowRuntimeError,
    step,
)


class Gate(Workflow):
    """Ends when its gate opens: with `result`, or with it raised."""

    def __init__(self, **options):
        super().__init__(timeout=None, **options)
        self.gate = asyncio.Event()
        self.cancelled = []

    @step
    async def stand(self, ctx: Context, ev: StartEvent) -> StopEvent:
        ctx.write_event_to_stream(Event(msg="here"))
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(ev.get("name"))
            raise
        if isinstance(ev.result, Exception):
            raise ev.result
        return StopEvent(result=ev.result)


async def test_handler_tells_the_result_once_there_is_one():
    workflow = Gate()
    handler = workflow.run(result=[1])
    with pytest.raises(asyncio.InvalidStateError):
        handler.result()
    with pytest.raises(asyncio.InvalidStateError):
        handler.exception()
    assert (handler.done(), handler.is_done(), handler.cancelled(), handler.status) == (False, False, False, "running")
    assert handler.ctx.is_running
    workflow.gate.set()
    assert await handler == [1]
    assert handler.result() == [1]
    assert handler.exception() is None
    assert (handler.done(), handler.is_done(), handler.cancelled(), handler.status) == (True, True, False, "completed")
    assert not handler.ctx.is_running
    assert str(handler) == "[1]"


async def test_handler_raises_what_the_run_failed_with_as_often_as_it_is_asked():
    workflow = Gate()
    error = LookupError("no")
    handler = workflow.run(result=error)
    workflow.gate.set()
    for _ in range(3):
        with pytest.raises(LookupError) as caught:
            await handler
        assert caught.value is error
    with pytest.raises(LookupError):
        handler.result()
    assert handler.exception() is error
    assert (handler.done(), handler.cancelled(), handler.status) == (True, False, "failed")


async def test_handler_is_awaited_again_and_by_several():
    workflow = Gate()
    handler = workflow.run(result="one")

    async def wait():
        return await handler

    waiting = [asyncio.ensure_future(wait()) for _ in range(3)]
    await asyncio.sleep(0)
    workflow.gate.set()
    assert await asyncio.gather(*waiting) == ["one"] * 3
    assert await handler == "one"
    assert await asyncio.wait_for(handler, 1) == "one"
    assert await asyncio.gather(handler, handler) == ["one", "one"]


async def test_who_stops_waiting_does_not_stop_the_run():
    workflow = Gate()
    handler = workflow.run(result="still")

    async def wait():
        return await handler

    patient, impatient = asyncio.ensure_future(wait()), asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(handler, 0.001)
    assert not handler.done()
    workflow.gate.set()
    assert await patient == "still"
    assert workflow.cancelled == []


async def test_who_stops_waiting_as_the_run_ends_is_no_trouble():
    workflow = Gate()
    handler = workflow.run(result="end")

    async def wait():
        return await handler

    task = asyncio.ensure_future(wait())
    handler.add_done_callback(lambda _: task.cancel())
    workflow.gate.set()
    await asyncio.wait([task])
    assert await handler == "end"


async def test_done_callback_gets_the_handler_also_when_the_run_is_over():
    workflow = Gate()
    handler, told = workflow.run(result=7), []
    handler.add_done_callback(told.append)
    await asyncio.sleep(0)
    assert told == []
    workflow.gate.set()
    await handler
    await asyncio.sleep(0)
    assert told == [handler]
    handler.add_done_callback(lambda handler: told.append(handler.result()))
    await asyncio.sleep(0)
    assert told == [handler, 7]


def test_run_is_awaited_on_its_own_event_loop_and_its_result_read_on_any():
    workflow, loop = Gate(), asyncio.new_event_loop()

    async def begin():
        return workflow.run(result="end")

    async def wait(handler):
        return await handler

    handler = loop.run_until_complete(begin())
    with pytest.raises(WorkflowRuntimeError, match=r"^The run goes on in another event loop; await it there\.$"):
        asyncio.run(wait(handler))
    workflow.gate.set()
    assert loop.run_until_complete(wait(handler)) == "end"
    loop.close()
    assert asyncio.run(wait(handler)) == "end"


async def test_failed_run_that_nobody_awaits_ends_quietly():
    workflow = Gate()
    handler = workflow.run(result=ValueError("unseen"))
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    ended = asyncio.Event()
    handler.add_done_callback(lambda _: ended.set())
    workflow.gate.set()
    await ended.wait()
    del handler
    await asyncio.sleep(0)
    assert told == []


async def test_cancelled_run_cancels_its_steps_and_says_so():
    workflow = Gate()
    handler = workflow.run(name="a")
    async for _ in handler.stream_events():
        break
    await handler.cancel_run()
    assert (handler.done(), handler.cancelled(), handler.status) == (True, True, "cancelled")
    with pytest.raises(WorkflowCancelledByUser, match=r"^The run was cancelled\.$"):
        await handler
    with pytest.raises(WorkflowCancelledByUser):
        handler.result()
    assert isinstance(handler.exception(), WorkflowCancelledByUser)
    assert workflow.cancelled == ["a"]
    assert [type(event) async for event in handler.stream_events()] == [WorkflowCancelledEvent]
    await handler.cancel_run()
    assert handler.cancelled()


async def test_run_cancelled_before_its_first_step_executes_none():
    workflow = Gate()
    handler = workflow.run(name="b")
    await handler.cancel_run()
    with pytest.raises(WorkflowCancelledByUser):
        await handler
    assert [type(event) async for event in handler.stream_events()] == [WorkflowCancelledEvent]
    assert workflow.cancelled == []


async def test_ended_run_stays_as_it_ended_when_it_is_cancelled():
    workflow = Gate()
    workflow.gate.set()
    handler = workflow.run(result="done")
    assert await handler == "done"
    await handler.cancel_run()
    assert not handler.cancelled()
    assert await handler == "done"


async def test_step_that_swallows_its_cancellation_is_not_heard_any_more(capsys):
    class Stubborn(Workflow):
        def __init__(self):
            super().__init__(verbose=True)
            self.left = asyncio.Event()

        @step
        async def stay(self, ctx: Context, ev: StartEvent) -> StopEvent:
            ctx.write_event_to_stream(Event(msg="here"))
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ctx.send_event(StopEvent(result="sent"))
                ctx.write_event_to_stream(Event(msg="late"))
                self.left.set()
            return StopEvent(result="returned")

    workflow = Stubborn()
    handler = workflow.run()
    seen = []
    async for event in handler.stream_events(expose_internal=True):
        seen.append(type(event).__name__)
        if event.get("msg") == "here":
            await handler.cancel_run()
    await workflow.left.wait()
    await asyncio.sleep(0)
    with pytest.raises(WorkflowCancelledByUser):
        await handler
    assert seen[-1] == "WorkflowCancelledEvent"
    assert len([event async for event in handler.stream_events(expose_internal=True)]) == len(seen)
    assert capsys.readouterr().out == "Running step stay\n"


async def test_step_may_cancel_its_own_run():
    class Suicidal(Workflow):
        @step
        async def give_up(self, ev: StartEvent) -> StopEvent:
            await self.handler.cancel_run()
            return StopEvent(result="too late")

    workflow = Suicidal()
    workflow.handler = workflow.run()
    with pytest.raises(WorkflowCancelledByUser):
        await workflow.handler


async def test_cancelled_run_withdraws_its_question():
    class Asks(Workflow):
        @step
        async def ask(self, ev: StartEvent) -> InputRequiredEvent | StopEvent:
            return InputRequiredEvent(prefix="?")

    handler = Asks().run()
    async for _ in handler.stream_events():
        break
    assert (handler.status, len(handler.state.prompts)) == ("waiting", 1)
    await handler.cancel_run()
    assert handler.status == "cancelled"


async def test_context_is_usable_from_outside_in_the_middle_and_at_the_end():
    workflow = Gate()
    handler = workflow.run(result=None)
    await handler.ctx.set("colour", "indigo")
    assert await handler.ctx.get("colour") == "indigo"
    async for _ in handler.stream_events():
        assert await handler.ctx.running_steps() == ["stand"]
        await handler.ctx.set("colour", "madder")
        workflow.gate.set()
    await handler
    assert await handler.ctx.get("colour") == "madder"
    assert await handler.ctx.running_steps() == []
