"""The outbox: what the contexts of one run ask for, turned into ticks on the loop's own thread."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future as ThreadFuture
from concurrent.futures import wait as wait_for
from contextlib import suppress
from itertools import groupby
from typing import Any, Protocol
from weakref import WeakValueDictionary

from treadle.engine import ticks
from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent
from treadle.engine.lending import Lending
from treadle.engine.nesting import ChildRun, Launch, Nestable
from treadle.engine.rules.collecting import collected_batch
from treadle.engine.state import Delivery, RunState
from treadle.engine.table import StepTable
from treadle.engine.tenure import lapsed
from treadle.errors import LimitExceeded, WorkflowRuntimeError


class Running(Protocol):
    """The loop, as far as its outbox needs it."""

    table: StepTable
    run_id: str
    state: RunState
    over: bool
    lending: Lending | None
    owned: Callable[[], bool] | None

    def now(self) -> float: ...
    def saved(self) -> RunState: ...
    def submit(self, tick: ticks.Tick) -> None: ...
    def stream(self, event: Event, source: ticks.Key | None) -> None: ...
    def abandon(self, error: BaseException) -> None: ...
    async def written(self) -> None: ...
    def context_at_start(self) -> dict[str, Any] | None: ...
    def maker_of(self, event: Event) -> ticks.Key | None: ...
    def has_gone(self, event: Event) -> bool: ...
    def step_paused(self, key: ticks.Key) -> None: ...


class RunOutbox:
    """Serves the contexts of one run; a synchronous step calls from a thread of its own."""

    __slots__ = ("_acts", "_children", "_edits", "_launch", "_loop", "_run", "_thread", "suspended")

    def __init__(self, run: Running, launch: Launch | None) -> None:
        self._run = run
        self._launch = launch
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self.suspended: dict[ticks.Key, asyncio.Future[None]] | None = None
        self._children: dict[tuple[int, str, int], ChildRun] | None = None
        self._edits: asyncio.Lock | None = None
        self._acts: WeakValueDictionary[tuple[int, str, str], asyncio.Lock] | None = None

    @property
    def run_id(self) -> str:
        return self._run.run_id

    @property
    def state(self) -> RunState:
        return self._run.state

    def saved(self) -> RunState:
        return self._run.saved()

    @property
    def state_type(self) -> type | None:
        return self._run.table.state_type

    @property
    def is_running(self) -> bool:
        return not self._run.over

    def context_values(self) -> dict[str, Any]:
        early = self._run.context_at_start()
        return early if early is not None else self._run.state.context

    def lend(self, key: str, value: Any, delivery: Delivery) -> None:
        """A step is given a value that it may change in place."""
        if self._run.lending is not None and not self._run.over:
            self._run.lending.lend(key, value, delivery)

    def edit_lock(self) -> asyncio.Lock:
        if self._edits is None:
            self._edits = asyncio.Lock()
        return self._edits

    def change_context(self, key: str, value: Any, *, delivery: Delivery | None) -> None:
        run, owner = self._run, delivery.key if delivery is not None else None
        if run.over:  # nothing follows from it any more, but a run that continues from this context has it
            run.state.context[key] = value
        else:
            self._here(lambda: run.submit(ticks.ContextChanged(run.now(), owner, key, value)))

    def remove_context(self, key: str, *, delivery: Delivery | None) -> None:
        run, owner = self._run, delivery.key if delivery is not None else None
        if run.over:
            run.state.context.pop(key, None)
        else:
            self._here(lambda: run.submit(ticks.ContextRemoved(run.now(), owner, key)))

    def send(self, event: Event, *, target: str | None, delivery: Delivery | None, index: int) -> None:
        run = self._run
        if target is not None:
            if target not in run.table.steps:
                raise WorkflowRuntimeError(f"Step {target} does not exist")
            if not run.table.accepts(target, type(event)):
                raise WorkflowRuntimeError(f"Step {target} does not accept event of type {type(event)}")
        if delivery is None and run.has_gone(event):
            return
        if delivery is None:
            source = run.maker_of(event)
        elif delivery.memo is not None and index < delivery.memo.sent:
            return  # an earlier attempt has sent it
        else:
            source = delivery.key
        self._here(lambda: run.submit(ticks.EventSent(run.now(), event, target, source, index)))

    def stream(self, event: Event, *, delivery: Delivery | None) -> None:
        source = (delivery.seq, delivery.step) if delivery is not None else None
        if threading.get_ident() == self._thread:
            self._run.stream(event, source)
        else:
            self._here(lambda: self._run.stream(event, source))

    def collect(self, expected: Sequence[type[Event]], *, delivery: Delivery, call: int) -> list[Event] | None:
        batch: list[Event] | None = self._here(lambda: self._collect(expected, delivery, call))
        return batch

    def _collect(self, expected: Sequence[type[Event]], delivery: Delivery, call: int) -> list[Event] | None:
        run = self._run
        if run.over or run.state.outcome is not None or run.state.at_work(delivery.key) is None:
            return None
        if delivery.memo is None or call >= len(delivery.memo.batches):
            buffer = run.state.buffers.get(delivery.step)
            told = buffer is not None and buffer.need == len(expected) > len(buffer.events) + 1
            runs = None if told else [(name, len(list(group))) for name, group in groupby(k.__name__ for k in expected)]
            run.submit(ticks.EventsCollected(run.now(), delivery.key, runs))
        return collected_batch(run.state, delivery.key, call)

    async def wait(
        self,
        expected: type[Event],
        *,
        event: Event | None,
        requirements: dict[str, Any],
        timeout: float | None,
        delivery: Delivery,
        call: int,
    ) -> Event | None:
        run, key = self._run, delivery.key
        if delivery.memo is not None and call < len(delivery.memo.waited):
            return delivery.memo.waited[call]
        if self.suspended is None:
            self.suspended = {}
        step = f"Step {delivery.step}"
        if key in self.suspended:
            raise WorkflowRuntimeError(f"{step} waits for an event already; wait for one at a time.")
        if threading.get_ident() != self._thread:
            raise WorkflowRuntimeError(f"{step} is not async, and wait_for_event works in async steps only.")
        if run.over or key not in run.state.running:
            raise WorkflowRuntimeError(f"{step} is over and cannot wait for {expected.__name__} any more.")
        came = self.suspended[key] = self._loop.create_future()
        due = run.now() + timeout if timeout is not None else None
        human = issubclass(expected, HumanResponseEvent) or isinstance(event, InputRequiredEvent)
        run.submit(ticks.WaitStarted(run.now(), key, expected.__name__, requirements, due, event, human))
        run.step_paused(key)
        try:
            await came
        except asyncio.CancelledError:
            if self.is_running and key in run.state.waits:  # the step gave up waiting: it takes its worker back
                came = self.suspended[key] = self._loop.create_future()
                run.submit(ticks.WaitTimedOut(run.now(), key))
                await came
            raise
        return delivery.memory().waited[call]

    def wake(self, delivery: Delivery) -> bool:
        """Let a step that waits go on; whether there was one."""
        came = self.suspended.pop(delivery.key, None) if self.suspended else None
        if came is None:
            return False
        if not came.done():
            came.set_result(None)
        return True

    def step_over(self, key: ticks.Key) -> None:
        """A step ended; what waits in its name does not wait any more."""
        came = self.suspended.pop(key, None) if self.suspended else None
        if came is not None:
            came.cancel()

    async def once(self, key: str, act: Callable[[], Any], *, delivery: Delivery) -> Any:
        run = self._run
        if self._acts is None:
            self._acts = WeakValueDictionary()
        lock = self._acts.setdefault((delivery.seq, delivery.step, key), asyncio.Lock())
        async with lock:
            if delivery.memo is not None and key in delivery.memo.results:
                return delivery.memo.results[key]
            if lapsed(run):
                raise asyncio.CancelledError
            value = act()
            if inspect.isawaitable(value):
                value = await value
            self._here(lambda: run.submit(ticks.ResultKept(run.now(), delivery.key, key, value)))
            await run.written()
            return value

    def nest(
        self, workflow: Nestable, event: Event, *, delivery: Delivery, call: int, options: Mapping[str, Any]
    ) -> Any:
        if threading.get_ident() != self._thread:  # an event loop of its own, which the parent cannot reach
            return None
        if self._children is None:
            self._children = {}
        run, children = self._run, self._children
        if delivery.attempt and (known := self._started_before(workflow, event, delivery, call)) is not None:
            known.attempt = delivery.attempt
            return known.handler
        key = (*delivery.key, call)
        while (older := children.get(key)) is not None and older.good:
            call += 1
            key = (*delivery.key, call)
        handler = (
            self._launch(workflow, event, key)
            if self._launch is not None and not any(options.values())
            else workflow.launch(event, **options)
        )
        child = children[key] = ChildRun(workflow, event, handler, delivery.attempt)

        def ended(_: object) -> None:
            known = run.state.children.get(key)
            if children[key] is child and known is not None and known.status != child.status:
                run.submit(ticks.ChildEnded(run.now(), delivery.key, call, child.status))

        def looked() -> None:
            known, status = run.state.children.get(key), "waiting" if handler.only_waits else "running"
            if children[key] is child and known is not None and known.lives and known.status != status:
                with suppress(LimitExceeded):  # that is its parent's trouble
                    run.submit(ticks.ChildChanged(run.now(), delivery.key, call, status))

        recorded = run.state.children.get(key)
        if recorded is None or recorded.run_id != handler.run_id:  # not one that a lost attempt has started
            run.submit(ticks.ChildStarted(run.now(), delivery.key, call, workflow.workflow_name, handler.run_id))
        handler.add_done_callback(ended)
        handler.watch(looked)
        return handler

    def _started_before(self, workflow: Nestable, event: Event, delivery: Delivery, call: int) -> ChildRun | None:
        """The run that an earlier attempt of this step has started for the same: by the same call, else by another."""
        fitting = {
            key[2]: child
            for key, child in (self._children or {}).items()
            if key[:2] == delivery.key and child.attempt < delivery.attempt and child.is_for(workflow, event)
        }
        return fitting.get(call) or next(iter(fitting.values()), None)

    def close(self) -> None:
        """The run is over: its nested runs go no further, and nobody waits any more."""
        for came in (self.suspended or {}).values():
            came.cancel()
        for child in (self._children or {}).values():
            child.stop()

    def _here(self, act: Callable[[], Any]) -> Any:
        if threading.get_ident() == self._thread:
            return act()
        answer: ThreadFuture[Any] = ThreadFuture()

        def answer_it() -> None:
            try:
                answer.set_result(act())
            except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
                answer.set_exception(error)

        self._loop.call_soon_threadsafe(answer_it)
        while not wait_for([answer], timeout=1.0).done:
            if self._loop.is_closed():
                raise WorkflowRuntimeError("The event loop of the run is closed.")
        return answer.result()
