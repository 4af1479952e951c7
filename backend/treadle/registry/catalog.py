"""The catalog: what this worker can run, by name, with the event classes its journals mention."""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from treadle.engine.events import Event
from treadle.engine.table import StepTable
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


_known: WeakKeyDictionary[Workflow, tuple[StepTable, dict[str, type[Event]]]] = WeakKeyDictionary()


def event_types(workflow: Workflow) -> dict[str, type[Event]]:
    """The event classes a run of `workflow` may mention, by name: collected once, for every run asks."""
    table, types = _known.get(workflow, (None, {}))
    if table is not workflow.table:
        types = workflow.event_types()
        _known[workflow] = (workflow.table, types)
    return types
