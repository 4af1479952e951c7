"""The context: state, sending and collecting inside a run, as a step sees it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, Protocol, TypeVar

from treadle.engine.events import Event
from treadle.engine.state import MISSING, Delivery
from treadle.errors import WorkflowRuntimeError

S = TypeVar("S")


class Outbox(Protocol):
    """What a context may ask of the loop that runs its step."""

    @property
    def is_running(self) -> bool: ...
    def context_values(self) -> dict[str, Any]: ...
    def change_context(self, key: str, value: Any, *, delivery: Delivery | None) -> None: ...
    def send(self, event: Event, *, target: str | None, delivery: Delivery | None, index: int) -> None: ...
    def stream(self, event: Event, *, delivery: Delivery | None) -> None: ...
    def collect(self, expected: Sequence[type[Event]], *, delivery: Delivery, call: int) -> list[Event] | None: ...


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
    """State, sending, collecting and streaming inside a run. A step asks for it by an annotated parameter."""

    __slots__ = ("_calls", "_delivery", "_outbox", "_sent")

    def __init__(self, outbox: Outbox, delivery: Delivery | None = None) -> None:
        self._outbox = outbox
        self._delivery = delivery
        self._sent = 0
        self._calls = 0

    @property
    def is_running(self) -> bool:
        """Whether the run goes on."""
        return self._outbox.is_running

    def values(self) -> dict[str, Any]:
        """The whole state, as it is now."""
        return self._outbox.context_values()

    def get(self, key: str, default: Any = MISSING) -> Value:
        """Await the value of `key`; without it `default`, and without that ValueError."""

        def read() -> Any:
            value = self._outbox.context_values().get(key, default)
            if value is MISSING:
                raise ValueError(f"Key '{key}' not found in Context")
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
        if self._delivery is None:
            raise WorkflowRuntimeError("collect_events works inside a step only; use stream_events outside.")
        call = self._calls
        self._calls += 1
        return self._outbox.collect(wanted, delivery=self._delivery, call=call)

    def write_event_to_stream(self, ev: Event | None) -> None:
        """Show an event to whoever reads `handler.stream_events()`; no step receives it."""
        if ev is not None:
            self._outbox.stream(ev, delivery=self._delivery)
