"""The signature of a step: which events it accepts and emits, read from its annotations."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from treadle.engine.context import Context
from treadle.engine.events import Event
from treadle.errors import WorkflowValidationError


@dataclass(frozen=True, slots=True)
class Signature:
    """`event` and `context` are parameter names; `services` are parameters nothing fills yet."""

    event: str
    accepts: tuple[type[Event], ...]
    emits: tuple[type[Event], ...]
    context: str | None
    services: tuple[str, ...]
    is_async: bool


def read_signature(function: Callable[..., Any], names: dict[str, Any]) -> Signature:
    """Read a step's signature; `names` resolves annotations written as strings.

    Raises WorkflowValidationError with the message users of LlamaIndex know, NameError for a forward reference.
    """
    hints = get_type_hints(function, localns=names) if _has_strings(function) else _own_hints(function)
    events: dict[str, tuple[type[Event], ...]] = {}
    context: str | None = None
    services: list[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in ("self", "cls") or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        annotation = hints.get(name, parameter.annotation)
        accepted = _event_types(annotation)
        if accepted:
            events[name] = accepted
        elif annotation is Context or get_origin(annotation) is Context:
            context = name
        elif parameter.default is parameter.empty:
            services.append(name)
    if not events:
        raise WorkflowValidationError("Step signature must have at least one parameter annotated as type Event")
    if len(events) > 1:
        raise WorkflowValidationError(
            f"Step signature must contain exactly one parameter of type Event but found {len(events)}."
        )
    if "return" not in hints:
        raise WorkflowValidationError("Return types of workflows step functions must be annotated with their type.")
    ((event, accepts),) = events.items()
    return Signature(
        event=event,
        accepts=accepts,
        emits=_event_types(hints["return"]),
        context=context,
        services=tuple(services),
        is_async=inspect.iscoroutinefunction(function),
    )


def _has_strings(function: Callable[..., Any]) -> bool:
    return any(isinstance(annotation, str) for annotation in function.__annotations__.values())


def _own_hints(function: Callable[..., Any]) -> dict[str, Any]:
    return dict(function.__annotations__)


def _event_types(annotation: Any) -> tuple[type[Event], ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        members = [event for argument in get_args(annotation) for event in _event_types(argument)]
        return tuple(dict.fromkeys(members))
    if isinstance(annotation, type) and issubclass(annotation, Event):
        return (annotation,)
    return ()
