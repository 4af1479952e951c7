"""Workflow: a class with steps, and `run()`."""

from __future__ import annotations

import secrets
import time
from types import EllipsisType
from typing import Any

from treadle.engine.context import Context
from treadle.engine.events import StartEvent
from treadle.engine.handler import WorkflowHandler
from treadle.engine.loop import RunLoop
from treadle.engine.steps import specs_of
from treadle.engine.table import StepTable, compile_table
from treadle.engine.validation import start_class, validate
from treadle.errors import WorkflowRuntimeError


class Workflow:
    """Base class of workflows: give it steps, make an instance, `await` its `run()`.

    `timeout` is in seconds of active time (10 unless given), None for no limit; `disable_validation` skips the check
    before a run; `verbose` prints every step. A literal `...` means the default.

    >>> import asyncio
    >>> from treadle import StartEvent, StopEvent, Workflow, step
    >>> class Hello(Workflow):
    ...     @step
    ...     async def greet(self, ev: StartEvent) -> StopEvent:
    ...         return StopEvent(result=f"Hello, {ev.name}!")
    >>> async def main():
    ...     return await Hello(timeout=10).run(name="Ada")
    >>> asyncio.run(main())
    'Hello, Ada!'
    """

    def __init__(
        self,
        timeout: float | EllipsisType | None = ...,
        disable_validation: bool = False,
        verbose: bool = False,
    ) -> None:
        self.timeout: float | None = 10.0 if isinstance(timeout, EllipsisType) else timeout
        self.timeout_given = not isinstance(timeout, EllipsisType)
        self.disable_validation = disable_validation
        self.verbose = verbose
        self._table: StepTable | None = None
        self._valid = False

    @property
    def table(self) -> StepTable:
        """The compiled steps of this instance. Raises WorkflowValidationError for a signature that cannot be read."""
        if self._table is None:
            self._table = compile_table(specs_of(type(self)).values(), self)
        return self._table

    def validate(self) -> bool:
        """Check that the steps fit together; return whether the workflow asks people.

        Raises WorkflowValidationError with the names of what does not fit.
        """
        return validate(self.table)

    def run(
        self,
        ctx: Context[Any] | None = None,
        start_event: StartEvent | None = None,
        run_id: str | None = None,
        **kwargs: Any,
    ) -> WorkflowHandler:
        """Start a run in the background and return its handler; keywords become the fields of the start event.

        `ctx` of an earlier run carries its state on. Needs a running event loop.
        Raises WorkflowValidationError before anything starts, pydantic.ValidationError for wrong fields.
        """
        table = self.table
        if not self._valid and not self.disable_validation:
            self.validate()
            self._valid = True
        event = start_event if start_event is not None else start_class(table)(**kwargs)
        if not isinstance(event, StartEvent):
            raise WorkflowRuntimeError(f"start_event must be a StartEvent, not {type(event).__name__}.")
        handler = WorkflowHandler(run_id or f"r_{secrets.token_hex(8)}")
        loop = RunLoop(
            table, clock=time.time, ended=handler.settle, timeout=self.timeout, say=print if self.verbose else None
        )
        handler.attach(loop)
        loop.start(event, context=dict(ctx.values()) if ctx is not None else {})
        return handler
