"""The handler: the live object `run()` returns."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from treadle.engine.context import Context
from treadle.engine.events import Event, StopEvent
from treadle.engine.failures import exception_of
from treadle.engine.loop import RunLoop
from treadle.engine.state import Outcome, RunState
from treadle.engine.stream import StreamReader
from treadle.engine.table import StepTable
from treadle.errors import WorkflowRuntimeError


class WorkflowHandler:
    """Await it for the result; stream its events; run it step by step; look into its context; cancel it.

    `result()` raises asyncio.InvalidStateError before the end, and then whatever the run failed with:
    the step's own exception, WorkflowTimeoutError, WorkflowCancelledByUser or WorkflowRuntimeError.

    `async for event in handler` runs one step an iteration and gives the event it returned, None if it returned none.
    """

    __slots__ = ("__weakref__", "_cursor", "_future", "_reader", "_run", "_waiters", "ctx", "run_id", "workflow_name")

    ctx: Context[Any]
    """The run's context, usable from outside, during the run and after it."""

    def __init__(self, run_id: str, workflow_name: str = "") -> None:
        self.run_id = run_id
        self.workflow_name = workflow_name
        self._future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiters: list[asyncio.Future[None]] = []
        self._reader: weakref.ref[StreamReader] | None = None
        self._cursor = [0]
        self._run: RunLoop

    def attach(self, run: RunLoop, ctx: Context[Any] | None = None) -> None:
        """Give the handler its run, and the context its caller passed; done once, before the run starts."""
        self._run = run
        if ctx is None:
            ctx = Context(run.outbox)
        else:
            ctx.bind(run.outbox)
        self.ctx = ctx

    def settle(self, outcome: Outcome, error: BaseException | None) -> None:
        """The run ended: let everybody who waits know."""
        if self._future.done():
            return
        if outcome.status == "completed":
            event = outcome.event
            self._future.set_result(event.result if type(event) is StopEvent else event)
        else:
            error = error if error is not None else exception_of(outcome)
            if isinstance(error, StopIteration):  # a future refuses it
                error = WorkflowRuntimeError(f"A step raised StopIteration: {error}")
            self._future.set_exception(error)
            self._future.exception()  # asked once, so that a run nobody awaits ends quietly
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    @property
    def table(self) -> StepTable:
        """The steps of the workflow it runs."""
        return self._run.table

    @property
    def state(self) -> RunState:
        """Everything the run is right now; to be read, not changed."""
        return self._run.state

    @property
    def status(self) -> str:
        """The run's state, in the words of the glossary: running, held, waiting, completed, failed ..."""
        return self._run.state.status

    @property
    def only_waits(self) -> bool:
        """Whether the run has begun, is not over, and no time counts for it: it is held, or waits for people."""
        state = self._run.state
        return state.seq > 0 and state.outcome is None and not state.busy

    def watch(self, look: Callable[[], None]) -> None:
        """Call `look` after everything that happens to the run, and now."""
        self._run.look = look
        look()

    def __await__(self) -> Generator[Any, None, Any]:
        if not self._future.done():
            self._run.let_go()
        if not self._future.done():
            loop = asyncio.get_running_loop()
            if loop is not self._future.get_loop():
                raise WorkflowRuntimeError("The run goes on in another event loop; await it there.")
            # A future for this waiter alone, so that whoever stops waiting does not stop the run.
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.append(waiter)
            try:
                yield from waiter
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        return self._future.result()

    def __str__(self) -> str:
        return str(self.result())

    def result(self) -> Any:
        """The result of the ended run; raises what the run failed with."""
        return self._future.result()

    def exception(self) -> BaseException | None:
        """What the ended run failed with, None if it completed."""
        return self._future.exception()

    def done(self) -> bool:
        """Whether the run ended."""
        return self._future.done()

    is_done = done

    def cancelled(self) -> bool:
        """Whether the run ended by being cancelled."""
        return self.status == "cancelled"

    def add_done_callback(self, callback: Callable[[WorkflowHandler], object]) -> None:
        """Call `callback` with this handler, soon after the run ended."""
        self._future.add_done_callback(lambda _: callback(self))

    def stop(self) -> None:
        """Cancel the run now: `cancel_run` for callers who cannot await."""
        self._run.cancel()

    async def cancel_run(self) -> None:
        """Cancel the run: its steps are cancelled, awaiting it raises WorkflowCancelledByUser."""
        self._run.cancel()
        await asyncio.sleep(0)  # the turn in which the steps get to know

    def stream_events(self, include_stop: bool = False, expose_internal: bool = False) -> StreamReader:
        """Read what steps write to the stream, in order, until the run ends: `async for event in ...`.

        Every reading begins at the beginning, also after the end, but one that follows a reading broken off goes on
        where that one stopped. A plain StopEvent comes with `include_stop` only; `expose_internal` adds a
        StepStateChanged for every start and end of a step from here on. A subclass of StopEvent always comes, and so
        does the WorkflowFailedEvent, WorkflowTimedOutEvent or WorkflowCancelledEvent of a run that did not complete.
        """
        if expose_internal:
            self._run.watched = True
        reader = self._reader() if self._reader is not None else None
        broken_off = self._reader is not None and reader is None and self._cursor[0] >= 0
        self._cursor = cursor = [self._cursor[0] if broken_off else 0]
        reading = StreamReader(
            self._run.published, cursor, include_stop=include_stop, expose_internal=expose_internal
        )
        self._reader = weakref.ref(reading)
        return reading

    async def run_step(self) -> Event | None:
        """Run one step and return its event, not sent on; None if it made none or the run is over.

        Look at the event, change it if you like, and send it on by `handler.ctx.send_event(event)`; it is dropped when
        the next step runs. The first call makes a run stepwise that has just been started. Waits while there is nothing
        to run.

        Awaiting the handler lets such a run go on by itself, with the event in your hand. One started by
        `run(stepwise=True)` stays held, so that one task may await what another runs step by step.
        """
        return await self._run.run_step(dispatch=False)

    async def __aiter__(self) -> AsyncGenerator[Event | None, None]:
        while not self.is_done():
            event = await self._run.run_step(dispatch=True)
            if event is not None or not self.is_done():
                yield event
