"""Workflow: a class with steps, and `run()`."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import EllipsisType
from typing import Any

from pydantic import BaseModel, ValidationError

from treadle.engine import steps
from treadle.engine.context import Context, current_context
from treadle.engine.deadlines import Deadline, checked, due_at
from treadle.engine.events import BASE_TYPES, Event, StartEvent
from treadle.engine.handler import WorkflowHandler
from treadle.engine.idle import IdleRun
from treadle.engine.loop import RunLoop
from treadle.engine.resource import ResourceCache
from treadle.engine.serializers import model_fields
from treadle.engine.slots import Slots
from treadle.engine.state import Outcome, RunState
from treadle.engine.steps import specs_of
from treadle.engine.table import StepTable, compile_table
from treadle.engine.validation import start_class, validate, warnings_of
from treadle.errors import WorkflowRuntimeError, WorkflowValidationError


class Workflow:
    """Base class of workflows: give it steps, make an instance, `await` its `run()`.

    `timeout` is in seconds of active time (10 unless given), None for no limit; `deadline` ends a run that is not over
    by then, whatever it waits for: seconds from its start, or a datetime with its time zone. `disable_validation` skips
    the check before a run and `strict` makes its warnings errors; `verbose` prints every step; `num_concurrent_runs` is
    how many runs of this instance go on at a time, the others wait their turn. A literal `...` means the default.

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
        num_concurrent_runs: int | None = None,
        workflow_name: str | None = None,
        strict: bool = False,
        deadline: Deadline | None = None,
    ) -> None:
        self.timeout: float | None = 10.0 if isinstance(timeout, EllipsisType) else timeout
        self.timeout_given = not isinstance(timeout, EllipsisType)
        self.deadline = checked(deadline)
        self.disable_validation = disable_validation
        self.verbose = verbose
        self.strict = strict
        self.num_concurrent_runs = num_concurrent_runs
        self.workflow_name = workflow_name or type(self).__name__
        self.slots: dict[str, Workflow] = {}
        self.recent: RunState | None = None
        self._free = Slots(num_concurrent_runs) if num_concurrent_runs is not None else None
        self._resources = ResourceCache()
        self._table: StepTable | None = None
        self._made_of = -1
        self._valid = False

    @property
    def table(self) -> StepTable:
        """The compiled steps of this instance. Raises WorkflowValidationError for a signature that cannot be read."""
        if self._table is None or self._made_of != steps.generation():
            self._made_of = steps.generation()
            self._table = compile_table(
                specs_of(self).values(), self, slots=self.slots, resources=self._resources
            )
            self._valid = False
        return self._table

    def add_workflows(self, **slots: Workflow) -> None:
        """Fill the slots of the steps, parameters by name, with the workflows to be nested there."""
        for name, workflow in slots.items():
            if not isinstance(workflow, Workflow):
                raise WorkflowValidationError(
                    f"Slot {name} takes an instance of a workflow, not {type(workflow).__name__}."
                )
        self.slots.update(slots)
        self._table = None

    def validate(self, strict: bool | None = None) -> bool:
        """Check that the steps fit together; return whether the workflow asks people.

        Raises WorkflowValidationError with the names of what does not fit; with `strict` (default: as the workflow was
        made) also for what `warnings` tells.
        """
        return validate(self.table, strict=self.strict if strict is None else strict)

    def check(self) -> None:
        """Validate it before its first run, unless it was made with `disable_validation`. Raises as `validate` does."""
        table = self.table  # first: other steps than before are not valid yet
        if not self._valid and not self.disable_validation:
            validate(table, strict=self.strict)
            self._valid = True

    def warnings(self) -> list[str]:
        """What runs but is probably not meant: steps nothing reaches, dead ends, no path to a stop."""
        return warnings_of(self.table)

    def event_types(self) -> dict[str, type[Event]]:
        """The event classes a run may mention, by name: those of its modules, its signatures, and the base ones."""
        return known_events(type(self), self.table)

    def idle(self, state: RunState | None = None, run_id: str = "") -> IdleRun:
        """The state behind a context that no run has taken yet."""
        table = self.table
        if state is None:
            state = RunState(table.routes)
            state.context.update(initial_values(table))
        return IdleRun(state, table.state_type, run_id)

    def run(
        self,
        ctx: Context[Any] | EllipsisType | None = None,
        stepwise: bool = False,
        start_event: StartEvent | None = None,
        run_id: str | None = None,
        **kwargs: Any,
    ) -> WorkflowHandler:
        """Start a run in the background and return its handler; keywords become the fields of the start event.

        `ctx` of an earlier run carries its state on; one restored in the middle of a run continues that run, unless
        there is new input. `stepwise` holds the run before its first step, for `run_step`. Inside a step the run is a
        child of the step's run. Needs a running event loop. Raises WorkflowValidationError before anything starts,
        pydantic.ValidationError for wrong fields.
        """
        if isinstance(ctx, EllipsisType):
            ctx = None
        table = self.table
        self.check()
        if ctx is not None and start_event is None and not kwargs and _is_unfinished(ctx):
            return self._continue(ctx, run_id, stepwise=stepwise)
        event = start_event if start_event is not None else start_class(table)(**kwargs)
        if type(event) not in table.routes.takers or not isinstance(event, StartEvent):
            wanted = [kind.__name__ for kind in table.routes.takers if issubclass(kind, StartEvent)]
            raise WorkflowRuntimeError(f"start_event must be of {' or '.join(wanted)}, not {type(event).__name__}.")
        parent = current_context.get()
        if parent is not None:
            child: WorkflowHandler | None = parent.nest(self, event, ctx=ctx, stepwise=stepwise, run_id=run_id)
            if child is not None:
                return child
        return self.launch(event, ctx=ctx, stepwise=stepwise, run_id=run_id)

    def launch(
        self,
        event: Event,
        *,
        ctx: Context[Any] | None = None,
        stepwise: bool = False,
        run_id: str | None = None,
    ) -> WorkflowHandler:
        """Start a run in memory, whatever runs around it."""
        handler, loop = self._prepare(run_id, ctx, None)
        values = dict(initial_values(self.table))
        if ctx is not None:
            values.update(ctx.values())
        handler.attach(loop, ctx if ctx is not None and not ctx.is_running else None)
        due = due_at(self.deadline, loop.now())
        loop.start(event, context=values, held=stepwise, when_free=self._free, deadline=due)
        return handler

    def _continue(self, ctx: Context[Any], run_id: str | None, *, stepwise: bool) -> WorkflowHandler:
        state = ctx.outbox.state
        handler, loop = self._prepare(run_id or ctx.outbox.run_id, ctx, state)
        handler.attach(loop, ctx)
        for event in state.prompts.values():  # whoever reads the stream now has not seen them
            loop.published.publish(event)
        loop.stepwise = stepwise
        if stepwise:
            loop.hold()
        if self._free is None:
            loop.resume()
        else:
            self._free.take(loop.resume)
        return handler

    def _prepare(
        self, run_id: str | None, ctx: Context[Any] | None, state: RunState | None
    ) -> tuple[WorkflowHandler, RunLoop]:
        try:
            handler = WorkflowHandler(run_id or f"r_{secrets.token_hex(8)}", self.workflow_name)
        except RuntimeError:
            raise WorkflowRuntimeError(
                "run() needs a running event loop: call it inside an async function, as asyncio.run(main()) does."
            ) from None
        free = self._free

        def ended(outcome: Outcome, error: BaseException | None) -> None:
            if free is not None:
                free.give_back(loop.begin if state is None else loop.resume)
            handler.settle(outcome, error)

        loop = RunLoop(
            self.table,
            run_id=handler.run_id,
            clock=_clock(state.last_at if state is not None else 0.0),
            ended=ended if free is not None else handler.settle,
            state=state,
            timeout=self.timeout,
            say=_say if self.verbose else None,
        )
        self.recent = loop.state
        return handler, loop


def _clock(at: float) -> Callable[[], float]:
    """The clock of a run: the one on the wall, but that it goes on evenly when somebody sets that; not before `at`."""
    steady = time.monotonic
    ahead = max(time.time(), at) - steady()
    return lambda: ahead + steady()


def _say(text: str) -> None:
    with suppress(OSError, ValueError):  # nobody reads it any more
        print(text)  # noqa: T201 - verbose is asked for


def known_events(workflow: type, table: StepTable) -> dict[str, type[Event]]:
    """The event classes a run of `workflow` may mention, by name."""
    types: dict[str, type[Event]] = dict(BASE_TYPES)
    modules = [base.__module__ for base in reversed(workflow.__mro__) if base not in (Workflow, object)]
    modules += [step.spec.function.__module__ for step in table.steps.values()]
    for name in dict.fromkeys(modules):
        module = sys.modules.get(name)
        if module is not None:
            types.update(
                (name, value)
                for name, value in vars(module).items()
                if isinstance(value, type) and issubclass(value, Event) and value.__name__ == name
            )
    for step in table.steps.values():
        for kind in (*step.spec.signature.accepts, *step.spec.signature.emits):
            types[kind.__name__] = kind
    return types


def initial_values(table: StepTable) -> dict[str, Any]:
    """What the state of a new run has in it: the defaults of its declared type."""
    kind = table.state_type
    if kind is None or not issubclass(kind, BaseModel):
        return {}
    try:
        return model_fields(kind())
    except ValidationError as error:
        lacking = ", ".join(str(problem["loc"][0]) for problem in error.errors())
        raise WorkflowValidationError(
            f"The state {kind.__name__} cannot be made without input; give its fields defaults: {lacking}."
        ) from None


def _is_unfinished(ctx: Context[Any]) -> bool:
    return isinstance(ctx.outbox, IdleRun) and ctx.outbox.unfinished
