"""The catalog: what this worker can run, by name, with the event classes its journals mention."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field

from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from treadle.engine.records import BASE_TYPES
from treadle.engine.workflow import Workflow
from treadle.registry.loader import LoadedWorkflow, LoadFailure


@dataclass(slots=True)
class Catalog:
    """Loaded workflows by name, and what failed to load."""

    workflows: dict[str, LoadedWorkflow] = field(default_factory=dict)
    failures: list[LoadFailure] = field(default_factory=list)

    @classmethod
    def of(cls, items: list[LoadedWorkflow | LoadFailure]) -> Catalog:
        catalog = cls()
        for item in items:
            if isinstance(item, LoadedWorkflow):
                catalog.workflows[item.name] = item
            else:
                catalog.failures.append(item)
        return catalog


def event_types(workflow: Workflow) -> dict[str, type[Event]]:
    """The event classes a run of `workflow` may mention: those of its module, its signatures, and the base ones."""
    types: dict[str, type[Event]] = dict(BASE_TYPES)
    for base in reversed(type(workflow).__mro__):
        module = sys.modules.get(base.__module__)
        if module is not None:
            types.update(
                (name, value)
                for name, value in vars(module).items()
                if isinstance(value, type) and issubclass(value, Event) and value.__name__ == name
            )
    for step in workflow.table.steps.values():
        for kind in (*step.spec.signature.accepts, *step.spec.signature.emits):
            types[kind.__name__] = kind
    return types


def event_role(kind: type[Event]) -> str:
    """The part an event class plays in a graph."""
    for base, role in (
        (StartEvent, "start"),
        (StopEvent, "stop"),
        (InputRequiredEvent, "input"),
        (HumanResponseEvent, "response"),
    ):
        if issubclass(kind, base):
            return role
    return "plain"


def doc_of(thing: object) -> str:
    """The docstring somebody wrote for `thing` itself, not one it inherits."""
    doc = thing.__dict__.get("__doc__") if isinstance(thing, type) else getattr(thing, "__doc__", None)
    return inspect.cleandoc(doc) if doc else ""
