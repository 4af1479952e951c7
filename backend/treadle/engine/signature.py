"""The signature of a step: which events it accepts and emits and what else it asks for, read from its annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from treadle.engine.annotations import hints_of, members_of, plain
from treadle.engine.context import Context
from treadle.engine.events import Event
from treadle.engine.resource import Resource, resource_in
from treadle.engine.state import MISSING
from treadle.errors import WorkflowValidationError

UNTYPED = (Any, object, dict)
"""What a state without a type of its own is annotated with."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What the parameters of a step are for, by name.

    `events` are the event parameters and the types each accepts; several make the step a join that waits for one of
    each. `slots` are parameters for nested workflows and their defaults, MISSING without one. `order` are the
    parameters in the order they can be passed without names.
    """

    events: tuple[tuple[str, tuple[type[Event], ...]], ...]
    emits: tuple[type[Event], ...]
    context: str | None
    state_type: type[Any] | None
    resources: tuple[tuple[str, Resource], ...]
    slots: tuple[tuple[str, Any], ...]
    is_async: bool
    order: tuple[str, ...]
    may_be_nothing: bool = False
    """Whether it may return None, which is no event."""

    @property
    def accepts(self) -> tuple[type[Event], ...]:
        """Every event type the step takes, in order."""
        return tuple(kind for _, kinds in self.events for kind in kinds)

    @property
    def event(self) -> str:
        """The first event parameter."""
        return self.events[0][0]

    @property
    def is_join(self) -> bool:
        """Whether the step waits for several events before it starts."""
        return len(self.events) > 1


def read_signature(
    function: Callable[..., Any], scopes: Sequence[Mapping[str, Any]] = (), *, late: bool = False
) -> Signature:
    """Read a step's signature; `scopes` are local names that annotations written as strings may use.

    Raises WorkflowValidationError with the message users of LlamaIndex know, NameError or AttributeError for a forward
    reference; read `late`, a parameter with a default may keep an annotation that nothing resolves.
    """
    function = getattr(function, "__func__", function)
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name not in ("self", "cls")]
    defaults = [p.name for p in parameters if p.default is not p.empty] if late else []
    hints = hints_of(function, scopes, unless=defaults)
    events: dict[str, tuple[type[Event], ...]] = {}
    contexts: dict[str, type[Any] | None] = {}
    resources: list[tuple[str, Resource]] = []
    slots: list[tuple[str, Any]] = []
    for parameter in parameters:
        name, annotation = parameter.name, hints.get(parameter.name)
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            continue
        if (resource := resource_in(annotation)) is not None:
            resource.needs  # noqa: B018 - a factory that asks for too much is told where it is named
            resources.append((name, resource))
        elif accepted := _event_types(annotation):
            events[name] = accepted
        elif (context := _context(annotation)) is not None:
            contexts[name] = _state_type(context)
        else:
            slots.append((name, parameter.default if parameter.default is not parameter.empty else MISSING))
    _check(events, contexts, hints)
    return Signature(
        events=tuple(events.items()),
        emits=_event_types(hints["return"]),
        context=next(iter(contexts), None),
        state_type=next(iter(contexts.values()), None),
        resources=tuple(resources),
        slots=tuple(slots),
        is_async=inspect.iscoroutinefunction(function),
        order=_order(function, parameters),
        may_be_nothing=type(None) in (hints["return"], *members_of(hints["return"])),
    )


def _check(
    events: dict[str, tuple[type[Event], ...]], contexts: dict[str, type[Any] | None], hints: dict[str, Any]
) -> None:
    if not events:
        raise WorkflowValidationError("Step signature must have at least one parameter annotated as type Event")
    accepted = [kind for kinds in events.values() for kind in kinds]
    if len(set(accepted)) < len(accepted):
        raise WorkflowValidationError(
            f"Step signature must contain exactly one parameter of type Event but found {len(events)}."
        )
    if len(contexts) > 1:
        raise WorkflowValidationError(
            f"Step signature must contain at most one parameter of type Context but found {len(contexts)}."
        )
    if "return" not in hints:
        raise WorkflowValidationError("Return types of workflows step functions must be annotated with their type.")


def _order(function: Callable[..., Any], parameters: Sequence[inspect.Parameter]) -> tuple[str, ...]:
    if hasattr(function, "__wrapped__"):  # the function that is called may look for names
        return ()
    kinds = [parameter.kind for parameter in parameters]
    if inspect.Parameter.POSITIONAL_ONLY in kinds:
        return ()
    return tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)


def _event_types(annotation: Any) -> tuple[type[Event], ...]:
    return tuple(kind for kind in members_of(annotation) if isinstance(kind, type) and issubclass(kind, Event))


def _context(annotation: Any) -> Any:
    return next((kind for kind in members_of(annotation) if kind is Context or get_origin(kind) is Context), None)


def _state_type(context: Any) -> type[Any] | None:
    argument = plain(next(iter(get_args(context)), None))
    return argument if isinstance(argument, type) and argument not in UNTYPED else None
