"""The handler: the live object `run()` returns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from treadle.engine.context import Context
from treadle.engine.events import Event, StopEvent
from treadle.engine.loop import RunLoop
from treadle.engine.state import Outcome
from treadle.errors import (
    RunInterrupted,
    WorkflowCancelledByUser,
    WorkflowRuntimeError,
    WorkflowStalledError,
    WorkflowTimeoutError,
)

_ERRORS: dict[str, type[Exception]] = {
    "WorkflowTimeoutError": WorkflowTimeoutError,
    "WorkflowCancelledByUser": WorkflowCancelledByUser,
    "WorkflowStalledError": WorkflowStalledError,
}


class WorkflowHandler:
    """Await it for the result; stream its events; look into its context; cancel it.

    `result()` raises asyncio.InvalidStateError before the end, and then whatever the run failed with:
    the step's own exception, WorkflowTimeoutError, WorkflowCancelledByUser or WorkflowRuntimeError.
    """

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._cursor = 0
        self._ctx: Context[Any] | None = None
        self._loop: RunLoop

    def attach(self, loop: RunLoop) -> None:
        """Give the handler its loop; done once, before the run starts."""
        self._loop = loop
        self._ctx = Context(loop)

    def settle(self, outcome: Outcome, error: BaseException | None) -> None:
        """The run ended: let everybody who waits know."""
        if self._future.done():
            return
        if outcome.status == "completed":
            event = outcome.event
            self._future.set_result(event.result if type(event) is StopEvent else event)
            return
        if error is None:
            facts = outcome.error
            kind = _ERRORS.get(facts.type, WorkflowRuntimeError) if facts is not None else RunInterrupted
            error = kind(facts.message if facts is not None else "The run was interrupted.")
        if isinstance(error, StopIteration):  # a future refuses it
            error = WorkflowRuntimeError(f"A step raised StopIteration: {error}")
        self._future.set_exception(error)
        self._future.exception()  # asked once, so that a run nobody awaits ends quietly

    @property
    def ctx(self) -> Context[Any]:
        """The run's context, usable from outside, during the run and after it."""
        assert self._ctx is not None
        return self._ctx

    def __await__(self) -> Generator[Any, None, Any]:
        # Shielded, so that whoever stops waiting does not stop the run.
        future = self._future if self._future.done() else asyncio.shield(self._future)
        return future.__await__()

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

    def add_done_callback(self, callback: Callable[[asyncio.Future[Any]], object]) -> None:
        """Call `callback` with the future of the result when the run ends."""
        self._future.add_done_callback(callback)

    async def cancel_run(self) -> None:
        """Cancel the run: its steps are cancelled, awaiting it raises WorkflowCancelledByUser."""
        self._loop.cancel()

    async def stream_events(self) -> AsyncGenerator[Event, None]:
        """Yield what steps write to the stream, in order, until the run ends.

        Breaking off and coming back goes on where this handler stopped. A plain StopEvent is not yielded.
        """
        while (event := await self._loop.published.read(self._cursor)) is not None:
            self._cursor += 1
            yield event
