"""Steps: the `@step` decorator and what it makes of a function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar, overload

from treadle.engine.retry import RetryPolicy
from treadle.engine.signature import Signature, read_signature
from treadle.errors import WorkflowValidationError

F = TypeVar("F", bound=Callable[..., Any])

ATTRIBUTE = "__treadle_step__"
ADDED = "__treadle_added_steps__"


@dataclass(slots=True)
class StepSpec:
    """A step as declared: its function, its options, and its signature once every annotation resolves."""

    name: str
    function: Callable[..., Any]
    num_workers: int
    retry_policy: RetryPolicy | None
    bound_to_instance: bool
    names: dict[str, Any]
    _signature: Signature | None = None

    @property
    def signature(self) -> Signature:
        """What the annotations say. Raises WorkflowValidationError when they cannot be understood."""
        if self._signature is None:
            self._signature = read_signature(self.function, self.names)
        return self._signature


@overload
def step(function: F) -> F: ...
@overload
def step(
    *, workflow: Any = None, num_workers: int = 4, retry_policy: RetryPolicy | None = None
) -> Callable[[F], F]: ...
def step(
    function: Callable[..., Any] | None = None,
    *,
    workflow: Any = None,
    num_workers: int = 4,
    retry_policy: RetryPolicy | None = None,
) -> Any:
    """Make a function a step: it runs whenever an event of a type it accepts arrives.

    `num_workers` is how many executions of it one run may have at a time, `retry_policy` what happens when it raises.
    A free function joins a workflow class by `@step(workflow=ThatClass)`.

    Raises WorkflowValidationError when the signature is not that of a step.

    >>> from treadle import StartEvent, StopEvent, Workflow, step
    >>> class Hello(Workflow):
    ...     @step
    ...     async def greet(self, ev: StartEvent) -> StopEvent:
    ...         return StopEvent(result=f"Hello, {ev.name}!")
    """
    names = _names_in_sight()

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if type(num_workers) is not int or num_workers <= 0:
            raise WorkflowValidationError("num_workers must be an integer greater than 0")
        free = "." not in function.__qualname__.rpartition("<locals>.")[2]
        if free and workflow is None:
            raise WorkflowValidationError(
                f"To decorate {function.__name__} please pass a workflow class to the @step decorator."
            )
        spec = StepSpec(function.__name__, function, num_workers, retry_policy, not free, names)
        with suppress(NameError):  # a forward reference: it resolves when the workflow is put together
            spec.signature  # noqa: B018 - a wrong signature is told where it is written
        setattr(function, ATTRIBUTE, spec)
        if workflow is not None:
            add_step(workflow, spec)
        return function

    return decorate(function) if function is not None else decorate


def add_step(workflow: type, spec: StepSpec) -> None:
    """Add a free function as a step of the class `workflow` and its subclasses."""
    if any(spec.name == name for name in specs_of(workflow)):
        raise WorkflowValidationError(
            f"A step {spec.name} is already part of this workflow, please choose another name."
        )
    if ADDED not in workflow.__dict__:
        setattr(workflow, ADDED, {})
    workflow.__dict__[ADDED][spec.name] = spec


def specs_of(workflow: type) -> dict[str, StepSpec]:
    """The steps of a class in the order they are declared, base classes first; an override keeps its place."""
    found: dict[str, StepSpec] = {}
    for base in reversed(workflow.__mro__):
        for name, value in base.__dict__.items():
            spec = getattr(value, ATTRIBUTE, None)
            if isinstance(spec, StepSpec):
                found[name] = spec
            elif name in found and name != ADDED:
                del found[name]
        found.update(base.__dict__.get(ADDED, {}))
    return found


def _names_in_sight() -> dict[str, Any]:
    """Names local to the class body and function around the decorator, for annotations written as strings."""
    names: dict[str, Any] = {}
    frame: FrameType | None = sys._getframe(2)
    for _ in range(3):
        if frame is None or frame.f_locals is frame.f_globals:
            break
        names = {**frame.f_locals, **names}
        frame = frame.f_back
    return names
