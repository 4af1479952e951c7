"""Events: the typed messages between steps."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Event(BaseModel):
    """A typed message between steps. Declared fields are validated, further keywords are kept.

    Fields read as attributes and as mapping entries:

    >>> class Query(Event):
    ...     text: str
    >>> event = Query(text="warp", lang="en")
    >>> event.text, event["lang"], event.get("missing", 0), "lang" in event
    ('warp', 'en', 0, True)

    Raises pydantic.ValidationError for a missing or ill-typed field and AttributeError for an unknown attribute.
    """

    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True, protected_namespaces=())

    def _fields(self) -> dict[str, Any]:
        extra = self.__pydantic_extra__
        return {**self.__dict__, **extra} if extra else self.__dict__

    def __getitem__(self, name: str) -> Any:
        return self._fields()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __contains__(self, name: object) -> bool:
        return name in self._fields()

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self._fields())

    def __len__(self) -> int:
        return len(self._fields())

    def __bool__(self) -> bool:
        return True

    def get(self, name: str, default: Any = None) -> Any:
        """The value of field `name`, declared or not, else `default`."""
        return self._fields().get(name, default)

    def set(self, name: str, value: Any) -> None:
        """Set field `name`, declared or not."""
        setattr(self, name, value)

    def keys(self) -> KeysView[str]:
        """The names of all fields, declared ones first."""
        return self._fields().keys()

    def values(self) -> ValuesView[Any]:
        """The values of all fields."""
        return self._fields().values()

    def items(self) -> ItemsView[str, Any]:
        """Names and values of all fields."""
        return self._fields().items()


class StartEvent(Event):
    """Starts a run; built from the keywords of `run()`. Subclass it for a typed input, and so a form."""


class StopEvent(Event):
    """Ends a run with `result`. For a subclass of StopEvent the run's result is the event itself."""

    result: Any = None


class InputRequiredEvent(Event):
    """Asks a person; the run waits for a HumanResponseEvent."""

    prefix: str = Field(default="", description="What the person is asked.")


class HumanResponseEvent(Event):
    """What the person answered."""

    response: str = Field(default="", description="Your answer.")


_RARE = ConfigDict(defer_build=True)
"""For events most programs never make: their validators are built when first needed, not at import."""


class StepFailedEvent(Event):
    """Given to a `@catch_error` step when the retries of a step are spent.

    `exception` is what the step raised; after a restart it is a RecordedError with its class name and message.
    `attempts` counts the attempts made, `elapsed` the seconds since the first of them failed.
    """

    model_config = _RARE

    step: str
    exception: BaseException
    input_event: Event
    attempts: int = 1
    elapsed: float = 0.0


class WorkflowFailedEvent(StopEvent):
    """The last event in the stream of a run that failed in `step`, after `attempts` attempts."""

    model_config = _RARE

    step: str | None = None
    exception: BaseException
    attempts: int = 0
    elapsed: float = 0.0


class WorkflowTimedOutEvent(StopEvent):
    """The last event in the stream of a run that used up its active time, `timeout` seconds, or met its deadline."""

    model_config = _RARE

    timeout: float
    active_steps: list[str] = Field(default_factory=list)


class WorkflowCancelledEvent(StopEvent):
    """The last event in the stream of a run that somebody cancelled."""

    model_config = _RARE


class StepStateChanged(Event):
    """Shown by `stream_events(expose_internal=True)`: a step started (`state` "running") or ended ("done", "failed").

    `input_event` and `output_event` are class names.
    """

    model_config = _RARE

    step: str
    state: str
    input_event: str
    output_event: str | None = None


BASE_TYPES: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (Event, StartEvent, StopEvent, InputRequiredEvent, HumanResponseEvent, StepFailedEvent)
}
"""The event classes every workflow may use without declaring them, by name."""
