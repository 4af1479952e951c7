"""The context: state, sending, collecting and waiting inside a run, as a step sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Generic, ParamSpec, Protocol, overload

from typing_extensions import TypeVar

from treadle.engine.events import Event, InputRequiredEvent
from treadle.engine.state import MISSING, Delivery, RunState
from treadle.engine.statestore import StateStore
from treadle.errors import WorkflowRuntimeError

S = TypeVar("S", default=Any)
T = TypeVar("T")
P = ParamSpec("P")
E = TypeVar("E", bound=Event)


class Outbox(Protocol):
    """What a context may ask of the loop that runs its step."""

    @property
    def run_id(self) -> str: ...
    @property
    def state(self) -> RunState: ...
    def saved(self) -> RunState: ...
    @property
    def state_type(self) -> type | None: ...
    @property
    def is_running(self) -> bool: ...
    def context_values(self) -> dict[str, Any]: ...
    def lend(self, key: str, value: Any, delivery: Delivery) -> None: ...
    def edit_lock(self) -> asyncio.Lock: ...
    def change_context(self, key: str, value: Any, *, delivery: Delivery | None) -> None: ...
    def remove_context(self, key: str, *, delivery: Delivery | None) -> None: ...
    def send(self, event: Event, *, target: str | None, delivery: Delivery | None, index: int) -> None: ...
    def stream(self, event: Event, *, delivery: Delivery | None) -> None: ...
    def collect(self, expected: Sequence[type[Event]], *, delivery: Delivery, call: int) -> list[Event] | None: ...
    async def wait(
        self,
        expected: type[Event],
        *,
        event: Event | None,
        requirements: dict[str, Any],
        timeout: float | None,
        delivery: Delivery,
        call: int,
    ) -> Event | None: ...
    async def once(self, key: str, act: Callable[[], Any], *, delivery: Delivery) -> Any: ...
    def nest(
        self, workflow: Any, event: Event, *, delivery: Delivery, call: int, options: Mapping[str, Any]
    ) -> Any: ...


class Source(Protocol):
    """What a context can be made for: a workflow, which knows its event classes and what a saved run needs."""

    workflow_name: str

    def idle(self, state: RunState | None = None, run_id: str = "") -> Outbox: ...
    def event_types(self) -> Mapping[str, type[Event]]: ...


class Value:
    """An awaitable value that can be indexed before it is awaited: `await ctx.get("rows")[1]`."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], Any]) -> None:
        self._read = read

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()
        return self._read()

    def __getitem__(self, key: Any) -> Value:
        return Value(lambda: self._read()[key])


class Context(Generic[S]):
    """State, sending, collecting, waiting and streaming inside a run. A step asks for it by an annotated parameter.

    `Context(workflow)` makes a fresh one to pass to `run(ctx=...)`; the run's state is then found in it.

    >>> import asyncio
    >>> from treadle import Context, StartEvent, StopEvent, Workflow, step
    >>> class Count(Workflow):
    ...     @step
    ...     async def count(self, ctx: Context, ev: StartEvent) -> StopEvent:
    ...         await ctx.set("runs", await ctx.get("runs", default=0) + 1)
    ...         return StopEvent(result=await ctx.get("runs"))
    >>> async def main():
    ...     first = Count().run()
    ...     await first
    ...     return await Count().run(ctx=first.ctx)
    >>> asyncio.run(main())
    2
    """

    __slots__ = ("_asked", "_calls", "_delivery", "_nested", "_outbox", "_sent", "_waits")

    def __init__(self, source: Source | Outbox, delivery: Delivery | None = None) -> None:
        self._outbox: Outbox = source if delivery is not None else _outbox_of(source)  # type: ignore[assignment]
        self._delivery = delivery
        self._sent = 0
        self._calls = 0
        self._waits = 0
        self._asked = 0
        self._nested = 0

    @property
    def outbox(self) -> Outbox:
        """The run behind it."""
        return self._outbox

    def bind(self, outbox: Outbox) -> None:
        """From now on it is the context of this run."""
        self._outbox = outbox

    @property
    def is_running(self) -> bool:
        """Whether the run goes on."""
        return self._outbox.is_running

    @property
    def attempt(self) -> int:
        """Which attempt of the step this is, from 1."""
        return self._inside("attempt").attempt + 1

    @property
    def idempotency_key(self) -> str:
        """A text for this step and its event, the same in every attempt and process: for services that want one."""
        delivery = self._inside("idempotency_key")
        return f"{self._outbox.run_id}:{delivery.seq}:{delivery.step}"

    @property
    def store(self) -> StateStore[S]:
        """The same state by dotted paths, as a typed object, and for edits nobody gets in between of."""
        return StateStore(self._outbox, self._delivery)

    def values(self) -> dict[str, Any]:
        """The whole state, as it is now."""
        return self._outbox.context_values()

    def get(self, key: str, default: Any = MISSING) -> Value:
        """Await the value of `key`; without it `default`, and without that ValueError."""

        def read() -> Any:
            value = self._outbox.context_values().get(key, default)
            if value is MISSING:
                raise ValueError(f"Key '{key}' not found in Context")
            if self._delivery is not None:
                self._outbox.lend(key, value, self._delivery)
            return value

        return Value(read)

    async def set(self, key: str, value: Any) -> None:
        """Set `key` for the rest of the run. Every step sees it at once."""
        self._outbox.change_context(key, value, delivery=self._delivery)

    def send_event(self, message: Event | None, step: str | None = None) -> None:
        """Send an event to the steps that accept it, or to `step` alone. None is ignored."""
        if message is None:
            return
        if not isinstance(message, Event):
            raise WorkflowRuntimeError(f"send_event takes an Event instance, not {type(message).__name__}.")
        index = self._sent
        self._sent += 1
        self._outbox.send(message, target=step, delivery=self._delivery, index=index)

    def collect_events(self, ev: Any, expected: Sequence[type[Event]] | None = None) -> list[Event] | None:
        """Gather events until there is one for each class in `expected`; None until then.

        Returns them in the order asked, repeats in the order they arrived; surplus is kept for the next batch.
        Called with the list alone it takes the step's current event.
        """
        wanted: Sequence[type[Event]] = ev if expected is None else expected
        delivery = self._inside("collect_events")
        call = self._calls
        self._calls += 1
        return self._outbox.collect(wanted, delivery=delivery, call=call)

    def write_event_to_stream(self, ev: Event | None) -> None:
        """Show an event to whoever reads `handler.stream_events()`; no step receives it."""
        if ev is None:
            return
        if isinstance(ev, InputRequiredEvent) and self._delivery is not None:
            asked, self._asked = self._asked, self._asked + 1
            if self._delivery.memo is not None and asked < self._delivery.memo.asked:
                return  # an earlier attempt has asked
        self._outbox.stream(ev, delivery=self._delivery)

    async def wait_for_event(
        self,
        event_type: type[E],
        waiter_event: Event | None = None,
        waiter_id: str | None = None,
        requirements: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> E:
        """Wait in the middle of a step for an event whose fields equal `requirements`.

        `waiter_event` asks for it: it is shown in the stream, and a person is prompted if it is an InputRequiredEvent.
        The step's worker is free meanwhile. After a restart the step runs again from its top, and this returns what
        came. `timeout` is in seconds of wall clock; after it TimeoutError is raised. It is kept when the run is saved,
        which a time limit of your own around the call is not.
        """
        delivery = self._inside("wait_for_event")
        call = self._waits
        self._waits += 1
        event = await self._outbox.wait(
            event_type,
            event=waiter_event,
            requirements=dict(requirements or {}),
            timeout=timeout,
            delivery=delivery,
            call=call,
        )
        if event is None:
            waited = f" {timeout:.15g} seconds" if timeout is not None else ""
            raise TimeoutError(f"Step {delivery.step} waited{waited} for {event_type.__name__}.")
        return event  # type: ignore[return-value]

    @overload
    async def run_once(self, key: str, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    async def run_once(self, key: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...
    async def run_once(self, key: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function` (sync or async) once for this step and its event, whatever attempts there are.

        Its result is kept under `key` and returned, not made again, in later attempts, also after a crash.
        """
        delivery = self._inside("run_once")
        return await self._outbox.once(key, lambda: function(*args, **kwargs), delivery=delivery)

    async def running_steps(self) -> list[str]:
        """The names of the steps at work right now."""
        return list(dict.fromkeys(delivery.step for delivery in self._outbox.state.running.values()))

    def nest(self, workflow: Any, event: Event, **options: Any) -> Any:
        """Start a run of `workflow` as a child of this step; None when the step is over and cannot have one."""
        delivery = self._delivery
        if delivery is None or not self.is_running or delivery.key not in self._outbox.state.running:
            return None
        call = self._nested
        self._nested += 1
        return self._outbox.nest(workflow, event, delivery=delivery, call=call, options=options)

    def to_dict(self, serializer: object = None) -> dict[str, Any]:
        """The whole run as plain JSON data: state, queued and collected events, waits. `from_dict` reads it.

        Raises ValueNotStorable naming the key or event that has no exact form.
        """
        from treadle.engine.snapshot import to_snapshot

        return {"run_id": self._outbox.run_id, **to_snapshot(self._outbox.saved())}

    @classmethod
    def from_dict(
        cls,
        workflow: Source,
        data: Mapping[str, Any],
        serializer: object = None,
    ) -> Context[Any]:
        """The context `to_dict` saved; `workflow.run(ctx=...)` goes on from it, also from the middle of a run.

        Raises ValueNotStorable when the data is not of a run of this workflow.
        """
        from treadle.engine.snapshot import from_snapshot

        idle = workflow.idle()
        state = from_snapshot(data, idle.state.routes, workflow.event_types())
        return cls(workflow.idle(state, run_id=data.get("run_id", "")))

    def _inside(self, what: str) -> Delivery:
        if self._delivery is None:
            raise WorkflowRuntimeError(f"{what} works inside a step only.")
        return self._delivery


current_context: ContextVar[Context[Any] | None] = ContextVar("treadle_context", default=None)
"""The context of the step that runs here, so that a run started in it is known as its child."""


def _outbox_of(source: Any) -> Any:
    return source.idle() if hasattr(source, "idle") else source
