"""The step table: everything a loop needs to know of a workflow, compiled once, without the workflow."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from treadle.engine.context import Context
from treadle.engine.events import Event
from treadle.engine.resource import ResourceCache
from treadle.engine.retry import RetryPolicy
from treadle.engine.signature import Signature
from treadle.engine.state import MISSING, Routes
from treadle.engine.steps import StepSpec

Call = Callable[[Context[Any], Any], Any]
"""Starts a step with a context and its event; a join gets a tuple, one event for each parameter in order."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class BoundStep:
    """A step ready to be called.

    A step that asks for resources has `prepare`: awaited on the event loop, it returns the call to use this time.
    """

    name: str
    call: Call
    is_async: bool
    retry_policy: RetryPolicy | None
    spec: StepSpec
    prepare: Callable[[], Awaitable[Call]] | None = None


@dataclass(frozen=True, slots=True)
class StepTable:
    """The steps by name, in declared order, and the routes between them.

    `missing` are slots that nothing fills, `unused` given workflows that no step asks for, `children` the nested
    workflows by slot.
    """

    steps: dict[str, BoundStep]
    routes: Routes
    state_type: type[Any] | None = None
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    children: Mapping[str, Any] = field(default_factory=dict)

    def accepts(self, step: str, event: type[Event]) -> bool:
        """Whether `step` takes events of exactly this type."""
        return step in self.routes.takers.get(event, ())


def compile_table(
    specs: Iterable[StepSpec],
    instance: object,
    *,
    slots: Mapping[str, Any] = NOTHING,
    resources: ResourceCache | None = None,
) -> StepTable:
    """Bind the steps to their workflow instance and build the dispatch table by exact event type.

    `slots` are the nested workflows by name, `resources` where the steps' resources are kept.
    Raises WorkflowValidationError for a signature that cannot be read.
    """
    specs = list(specs)
    resources = resources if resources is not None else ResourceCache()
    takers: dict[type[Event], tuple[str, ...]] = {}
    asked: dict[str, Any] = {}
    for spec in specs:
        for kind in spec.signature.accepts:
            takers[kind] = (*takers.get(kind, ()), spec.name)
        for name, default in spec.signature.slots:
            if asked.get(name, MISSING) is MISSING:
                asked[name] = default
    filled = {name: slots.get(name, default) for name, default in asked.items()}
    return StepTable(
        steps={spec.name: _bind(spec, instance, slots, resources) for spec in specs},
        routes=Routes(
            takers=takers,
            workers={spec.name: spec.num_workers for spec in specs},
            joins={spec.name: tuple(k for _, k in spec.signature.events) for spec in specs if spec.signature.is_join},
            catchers=_catchers(specs),
            recoveries={spec.name: spec.max_recoveries for spec in specs if spec.is_catcher},
            at_most_once=frozenset(spec.name for spec in specs if spec.at_most_once),
        ),
        state_type=_state_type(specs),
        missing=_missing(specs, slots),
        unused=tuple(name for name in slots if name not in asked),
        children={name: value for name, value in filled.items() if _is_workflow(value)},
    )


def _bind(spec: StepSpec, instance: object, slots: Mapping[str, Any], resources: ResourceCache) -> BoundStep:
    signature = spec.signature
    function = spec.function.__get__(instance) if spec.bound_to_instance else spec.function
    given = {name: slots[name] for name, _ in signature.slots if name in slots}
    call = _caller(function, signature, given)

    async def prepare() -> Call:
        made = await resources.fill(signature.resources)
        return _caller(function, signature, {**given, **made})

    return BoundStep(
        spec.name,
        call,
        signature.is_async,
        spec.retry_policy,
        spec,
        prepare if signature.resources else None,
    )


def _caller(function: Callable[..., Any], signature: Signature, given: Mapping[str, Any]) -> Call:
    """The cheapest call that hands over a context and an event, and what is `given` beforehand."""
    context_name, order = signature.context, signature.order
    if given:
        function = partial(function, **given)
    if signature.is_join:
        names = tuple(name for name, _ in signature.events)
        if context_name is None:
            return lambda context, events: function(**dict(zip(names, events, strict=True)))
        return lambda context, events: function(**{context_name: context}, **dict(zip(names, events, strict=True)))
    event_name = signature.event
    if context_name is None:
        if order[:1] == (event_name,):
            return lambda context, event: function(event)
        return lambda context, event: function(**{event_name: event})
    if order[:2] == (context_name, event_name):
        return function
    if order[:2] == (event_name, context_name):
        return lambda context, event: function(event, context)
    return lambda context, event: function(**{context_name: context, event_name: event})


def _catchers(specs: Iterable[StepSpec]) -> dict[str, str]:
    """The step that catches for each step; what validation refuses is left out."""
    open_steps = {spec.name: None for spec in specs if not spec.is_catcher}
    catchers: dict[str, str] = {}
    rest: str | None = None
    for spec in specs:
        if spec.is_catcher and spec.catches is None:
            rest = rest if rest is not None else spec.name
        elif spec.is_catcher:
            for name in spec.catches or ():
                if name in open_steps:
                    catchers.setdefault(name, spec.name)
    if rest is not None:
        for name in open_steps:
            catchers.setdefault(name, rest)
    return catchers


def _missing(specs: Iterable[StepSpec], slots: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = [name for spec in specs for name, default in spec.signature.slots if default is MISSING]
    return tuple(name for name in dict.fromkeys(wanted) if name not in slots)


def _state_type(specs: Iterable[StepSpec]) -> type[Any] | None:
    """The state type the steps ask for, the most derived of several."""
    found: type[Any] | None = None
    for spec in specs:
        kind = spec.signature.state_type
        if kind is not None and (found is None or issubclass(kind, found)):
            found = kind
    return found


def _is_workflow(value: object) -> bool:
    return not isinstance(value, type) and inspect.getattr_static(value, "table", MISSING) is not MISSING
