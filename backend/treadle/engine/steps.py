"""Steps: the `@step` and `@catch_error` decorators and what they make of a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast, overload

from treadle.engine.annotations import UNRESOLVED, scopes_in_sight
from treadle.engine.events import StepFailedEvent
from treadle.engine.retry import RetryPolicy
from treadle.engine.signature import Signature, read_signature
from treadle.errors import WorkflowValidationError

F = TypeVar("F", bound=Callable[..., Any])

ATTRIBUTE = "__treadle_step__"
ADDED = "__treadle_added_steps__"


@dataclass(slots=True)
class StepSpec:
    """A step as declared: its function, its options, and its signature once every annotation resolves.

    A catcher is made by `@catch_error`; `catches` names the steps it is for, None for all that no other is for.
    """

    name: str
    function: Callable[..., Any]
    num_workers: int = 4
    retry_policy: RetryPolicy | None = None
    at_most_once: bool = False
    bound_to_instance: bool = True
    is_catcher: bool = False
    catches: tuple[str, ...] | None = None
    max_recoveries: int = 1
    _scopes: Sequence[Mapping[str, Any]] = ()
    _signature: Signature | None = None

    @property
    def signature(self) -> Signature:
        """What the annotations say. Raises WorkflowValidationError when they cannot be understood."""
        if self._signature is None:
            try:
                self._read(late=True)
            except UNRESOLVED as error:
                raise WorkflowValidationError(
                    f"The annotations of step {self.name} cannot be resolved: {error}. Define or import what they name."
                ) from error
        assert self._signature is not None
        return self._signature

    def declare(self) -> None:
        """Read the signature now if every annotation resolves, else when the workflow is put together.

        Raises WorkflowValidationError for a signature that is not that of a step.
        """
        try:
            self._read(late=False)
        except UNRESOLVED:
            self._scopes = scopes_in_sight(self.function)

    def _read(self, *, late: bool) -> None:
        signature = read_signature(self.function, self._scopes, late=late)
        if self.is_catcher and (StepFailedEvent not in signature.accepts or signature.is_join):
            raise WorkflowValidationError(
                f"The event parameter of {self.name} must accept StepFailedEvent, which is what @catch_error gives it."
            )
        self._signature, self._scopes = signature, ()


@overload
def step(function: F) -> F: ...
@overload
def step(
    *,
    workflow: Any = None,
    num_workers: int = 4,
    retry_policy: RetryPolicy | None = None,
    at_most_once: bool = False,
) -> Callable[[F], F]: ...
def step(
    function: Callable[..., Any] | None = None,
    *,
    workflow: Any = None,
    num_workers: int = 4,
    retry_policy: RetryPolicy | None = None,
    at_most_once: bool = False,
) -> Any:
    """Make a function a step: it runs whenever an event of a type it accepts arrives.

    `num_workers` is how many executions of it one run may have at a time, `retry_policy` what happens when it raises.
    With `at_most_once` it is not tried again after a crash that may have come in the middle of it. A free function
    joins a workflow by `@step(workflow=...)`: a class and its subclasses, or one instance alone.

    A step with several event parameters waits for one event of each. Besides events it may ask for a Context, for a
    Resource, and for nested workflows (any other parameter, filled by `add_workflows`).

    Raises WorkflowValidationError when the signature is not that of a step.

    >>> from treadle import StartEvent, StopEvent, Workflow, step
    >>> class Hello(Workflow):
    ...     @step
    ...     async def greet(self, ev: StartEvent) -> StopEvent:
    ...         return StopEvent(result=f"Hello, {ev.name}!")
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        return _declare(function, workflow, num_workers, retry_policy, at_most_once=at_most_once)

    return decorate(function) if function is not None else decorate


@overload
def catch_error(function: F) -> F: ...
@overload
def catch_error(
    *,
    for_steps: Iterable[str] | None = None,
    max_recoveries: int = 1,
    workflow: Any = None,
    num_workers: int = 4,
    retry_policy: RetryPolicy | None = None,
) -> Callable[[F], F]: ...
def catch_error(
    function: Callable[..., Any] | None = None,
    *,
    for_steps: Iterable[str] | None = None,
    max_recoveries: int = 1,
    workflow: Any = None,
    num_workers: int = 4,
    retry_policy: RetryPolicy | None = None,
) -> Any:
    """Make a function the step that goes on when another fails and its retries are spent.

    It gets a StepFailedEvent; what it returns goes on instead of what the failed step would have returned. `for_steps`
    names the steps it is for; without it, all that no other one is for. When it raises, the run fails; so it does when
    what the catcher returned leads to a failure again, after `max_recoveries` calls of it on one way through the run.

    Raises WorkflowValidationError when its event parameter does not accept StepFailedEvent.

    >>> import asyncio
    >>> from treadle import StartEvent, StepFailedEvent, StopEvent, Workflow, catch_error, step
    >>> class Divide(Workflow):
    ...     @step
    ...     async def divide(self, ev: StartEvent) -> StopEvent:
    ...         return StopEvent(result=1 / ev.by)
    ...
    ...     @catch_error(for_steps=["divide"])
    ...     async def excuse(self, ev: StepFailedEvent) -> StopEvent:
    ...         return StopEvent(result=f"{ev.step}: {ev.exception}")
    >>> async def main():
    ...     return await Divide().run(by=0)
    >>> asyncio.run(main())
    'divide: division by zero'
    """
    if isinstance(for_steps, str):
        raise WorkflowValidationError(f"for_steps takes a list of step names: write for_steps=[{for_steps!r}].")
    if type(max_recoveries) is not int or max_recoveries < 1:
        raise WorkflowValidationError("max_recoveries must be an integer greater than 0")
    catches = tuple(for_steps) if for_steps is not None else None

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        return _declare(
            function,
            workflow,
            num_workers,
            retry_policy,
            is_catcher=True,
            catches=catches,
            max_recoveries=max_recoveries,
        )

    return decorate(function) if function is not None else decorate


def add_step(workflow: Any, spec: StepSpec) -> None:
    """Add a step to a workflow class and its subclasses, or to one instance.

    Raises WorkflowValidationError when the workflow has a step of that name.
    """
    if spec.name in specs_of(workflow):
        raise WorkflowValidationError(
            f"A step {spec.name} is already part of this workflow, please choose another name."
        )
    if ADDED not in vars(workflow):
        setattr(workflow, ADDED, {})
    vars(workflow)[ADDED][spec.name] = spec
    _Additions.count += 1


def generation() -> int:
    """How many steps were added to classes and instances; a table compiled at another number may be stale."""
    return _Additions.count


def specs_of(workflow: Any) -> dict[str, StepSpec]:
    """The steps of a workflow class or instance by name, in the order they are declared.

    Base classes come first, the steps of the instance alone last; an override keeps its place.
    """
    found: dict[str, StepSpec] = {}
    kind = workflow if isinstance(workflow, type) else type(workflow)
    for base in reversed(kind.__mro__):
        for name, value in vars(base).items():
            spec = _spec_in(value)
            if spec is not None:
                found[name] = spec if spec.name == name else replace(spec, name=name)
            elif name in found and name != ADDED:
                del found[name]
        found.update(vars(base).get(ADDED, {}))
    if kind is not workflow:
        found.update(vars(workflow).get(ADDED, {}))
    return found


class _Additions:
    count = 0


def _declare(
    function: Callable[..., Any],
    workflow: Any,
    num_workers: int,
    retry_policy: RetryPolicy | None,
    *,
    at_most_once: bool = False,
    is_catcher: bool = False,
    catches: tuple[str, ...] | None = None,
    max_recoveries: int = 1,
) -> Callable[..., Any]:
    if type(num_workers) is not int or num_workers <= 0:
        raise WorkflowValidationError("num_workers must be an integer greater than 0")
    name = function.__name__
    if retry_policy is not None and (isinstance(retry_policy, type) or not hasattr(retry_policy, "next")):
        raise WorkflowValidationError(
            f"The retry_policy of step {name} must be an object with a method next(elapsed_time, attempts, error), "
            f"not {retry_policy!r}."
        )
    free = "." not in function.__qualname__.rpartition("<locals>.")[2]
    if free and workflow is None:
        raise WorkflowValidationError(f"To decorate {name} please pass a workflow class to the @step decorator.")
    spec = StepSpec(
        name,
        function,
        num_workers=num_workers,
        retry_policy=retry_policy,
        at_most_once=at_most_once,
        bound_to_instance=not free,
        is_catcher=is_catcher,
        catches=catches,
        max_recoveries=max_recoveries,
    )
    spec.declare()
    setattr(function, ATTRIBUTE, spec)
    if workflow is not None:
        add_step(workflow, spec)
    return function


def _spec_in(value: Any) -> StepSpec | None:
    if isinstance(value, (staticmethod, classmethod)):
        spec = getattr(value.__func__, ATTRIBUTE, None)
        if isinstance(spec, StepSpec):
            return replace(spec, function=cast(Callable[..., Any], value))
    spec = getattr(value, ATTRIBUTE, None)
    return spec if isinstance(spec, StepSpec) else None
