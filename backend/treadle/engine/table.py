"""The step table: everything a loop needs to know of a workflow, compiled once, without the workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from treadle.engine.context import Context
from treadle.engine.events import Event
from treadle.engine.retry import RetryPolicy
from treadle.engine.state import Routes
from treadle.engine.steps import StepSpec

Call = Callable[[Context[Any], Event], Any]


@dataclass(frozen=True, slots=True)
class BoundStep:
    """A step ready to be called with a context and an event."""

    name: str
    call: Call
    is_async: bool
    retry_policy: RetryPolicy | None
    spec: StepSpec


@dataclass(frozen=True, slots=True)
class StepTable:
    """The steps by name, in declared order, and the routes between them."""

    steps: dict[str, BoundStep]
    routes: Routes

    def accepts(self, step: str, event: type[Event]) -> bool:
        """Whether `step` takes events of exactly this type."""
        return step in self.routes.takers.get(event, ())


def compile_table(specs: Iterable[StepSpec], instance: object) -> StepTable:
    """Bind the steps to their workflow instance and build the dispatch table by exact event type."""
    steps: dict[str, BoundStep] = {}
    takers: dict[type[Event], tuple[str, ...]] = {}
    workers: dict[str, int] = {}
    for spec in specs:
        signature = spec.signature
        steps[spec.name] = BoundStep(spec.name, _caller(spec, instance), signature.is_async, spec.retry_policy, spec)
        workers[spec.name] = spec.num_workers
        for event in signature.accepts:
            takers[event] = (*takers.get(event, ()), spec.name)
    return StepTable(steps, Routes(takers, workers))


def _caller(spec: StepSpec, instance: object) -> Call:
    function = spec.function.__get__(instance) if spec.bound_to_instance else spec.function
    event_name, context_name = spec.signature.event, spec.signature.context
    if context_name is None:
        return lambda context, event: function(**{event_name: event})
    return lambda context, event: function(**{context_name: context, event_name: event})
