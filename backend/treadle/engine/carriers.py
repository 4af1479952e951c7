"""Carriers: the tasks that run the steps of one run.

A carrier takes the next ready delivery as long as there is one, so that a chain of steps that never suspend costs no
task switches at all. While it executes a step and others are ready, a spare one stands by.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from inspect import isawaitable
from time import perf_counter
from typing import Any, Protocol

from treadle.engine.context import Context, Outbox, current_context
from treadle.engine.events import Event
from treadle.engine.state import Delivery
from treadle.engine.table import Call, StepTable
from treadle.engine.tenure import lapsed
from treadle.errors import WorkflowRuntimeError

TURN = 0.001
"""Seconds of steps after which a carrier lets everybody else on the event loop have a turn."""

_threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="treadle-step")


class Carried(Protocol):
    """The loop, as far as its carriers need it."""

    table: StepTable
    over: bool
    owned: Callable[[], bool] | None
    say: Callable[[str], None] | None

    @property
    def outbox(self) -> Outbox: ...
    def abandon(self, error: BaseException) -> None: ...
    def step_finished(self, delivery: Delivery, event: Event | None) -> None: ...
    def step_failed(self, delivery: Delivery, error: BaseException) -> None: ...
    def step_cancelled(self, delivery: Delivery, cause: asyncio.CancelledError) -> None: ...


class Carriers:
    """Executes deliveries in the order they are added."""

    __slots__ = ("_around", "_ready", "_run", "_spare", "_tasks", "_values")

    def __init__(self, run: Carried) -> None:
        self._run = run
        self._ready: deque[Delivery] = deque()
        self._tasks: dict[asyncio.Task[None], str | None] = {}
        self._spare = False
        self._around = around = copy_context()
        around.run(current_context.set, None)
        self._values = [(var, value) for var, value in around.items() if var is not current_context]

    def add(self, delivery: Delivery) -> None:
        """Queue a delivery; `go` sees that somebody takes it."""
        self._ready.append(delivery)

    def go(self) -> None:
        """Let a carrier take what is ready, unless one stands by."""
        if self._ready and not self._spare:
            self._spawn()

    def begin_with(self, act: Callable[[], None]) -> None:
        """Have a carrier call `act` first, then take what is ready."""
        self._spawn(act)

    def cancel(self) -> None:
        """Stop all of them but the one this is called from; what is ready is not executed."""
        self._ready.clear()
        current = asyncio.current_task()
        for task in list(self._tasks):
            if task is not current:
                task.cancel()

    def step_of(self, task: asyncio.Task[Any]) -> str | None:
        """The step `task` executes for this run, None if it is not one of its carriers."""
        return self._tasks.get(task)

    def _spawn(self, first: Callable[[], None] | None = None) -> None:
        self._spare = True
        task = asyncio.get_running_loop().create_task(self._carry(first), context=self._around.copy())
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    async def _carry(self, first: Callable[[], None] | None) -> None:
        if first is not None:
            first()
        self._spare = False
        me = asyncio.current_task()
        assert me is not None
        run = self._run
        began = perf_counter()
        while self._ready and not lapsed(run):
            delivery = self._ready.popleft()
            if self._ready and not self._spare:
                self._spawn()
            self._tasks[me] = delivery.step
            await self._execute(delivery)
            self._tasks[me] = None
            if self._has_left_something():
                if self._ready and not self._spare:
                    self._spawn()
                return
            if perf_counter() - began > TURN:
                await asyncio.sleep(0)
                began = perf_counter()

    def _has_left_something(self) -> bool:
        """Whether the last step has set a context variable, which would be there for the next one of this carrier."""
        if len(copy_context()) != len(self._around):
            return True
        return any(var.get() is not value for var, value in self._values)

    async def _execute(self, delivery: Delivery) -> None:
        run = self._run
        step = run.table.steps[delivery.step]
        context: Context[Any] = Context(run.outbox, delivery)
        current_context.set(context)
        if run.say is not None:
            run.say(f"Running step {step.name}")
        try:
            call = step.call if step.prepare is None else await step.prepare()
            given: Any = delivery.event if delivery.inputs is None else delivery.inputs
            if step.is_async:
                event = await call(context, given)
            else:
                work = copy_context().run
                event = await asyncio.get_running_loop().run_in_executor(_threads, work, _called, call, context, given)
                if isawaitable(event):  # a decorator hid that the step is a coroutine function
                    event = await event
            if event is not None and not isinstance(event, Event):
                raise WorkflowRuntimeError(
                    f"Step function {step.name} returned {type(event).__name__} instead of an Event instance."
                )
        except GeneratorExit:  # the event loop was closed under it
            raise
        except asyncio.CancelledError as error:
            if run.over or _is_closing():
                raise
            run.step_cancelled(delivery, error)
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
        except KeyboardInterrupt as error:
            run.step_failed(delivery, error)
            raise
        except BaseException as error:  # sys.exit() in a step ends its run, not the process
            run.step_failed(delivery, error)
        else:
            self._spare, spare = True, self._spare  # this carrier goes on with what follows: no second one for it
            run.step_finished(delivery, event)
            self._spare = spare


def _is_closing() -> bool:
    """Whether the event loop ends: then all of its tasks are cancelled, the one that awaits the run too."""
    return all(task.cancelling() for task in asyncio.all_tasks())


def _called(call: Call, context: Context[Any], given: Any) -> Any:
    try:
        return call(context, given)
    except StopIteration as error:  # no future takes it
        raise RuntimeError("step raised StopIteration") from error
