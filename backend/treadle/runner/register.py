"""The register: the name and version a nested run is filed under, and the rows of versions nobody else publishes."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from treadle.engine.workflow import Workflow
from treadle.errors import WorkflowValidationError
from treadle.registry.catalog import Catalog
from treadle.runner.filing import version_row
from treadle.store.catalog import Publication
from treadle.visualizer.possible import flows_of


@dataclass(frozen=True, slots=True)
class Filing:
    """What the row of a nested run says of its workflow; `version` is the row of that, unless the catalog has it."""

    name: str
    fingerprint: str
    version: dict[str, Any] | None


class Register:
    """Files workflow instances, those of the catalog and those a step makes."""

    def __init__(self, catalog: Catalog, *, clock: Callable[[], float]) -> None:
        self._catalog = catalog
        self._clock = clock
        self._filed: dict[tuple[Any, ...], tuple[Filing, list[Any]]] = {}

    def file(self, workflow: Workflow) -> Filing:
        """Where a run of `workflow` belongs: with its class in the catalog, else under the workflow's own name."""
        specs = [step.spec for step in workflow.table.steps.values()]
        name = self._name(workflow)
        key = (type(workflow), name, *map(id, specs))
        if key not in self._filed:
            self._filed[key] = self._file(workflow, name), specs  # the steps are kept, so that their ids stay theirs
        return self._filed[key][0]

    def unpublished(self) -> list[Publication]:
        """The versions of the workflows in the slots of the catalog's, as far as nobody publishes those."""
        rows = []
        for workflow in self._slotted():
            try:
                rows.append(self.file(workflow).version)
            except (WorkflowValidationError, NameError):
                continue  # whoever runs it is told
        return [Publication(None, row) for row in rows if row is not None]

    def _slotted(self) -> Iterator[Workflow]:
        waiting = [loaded.workflow for loaded in self._catalog.workflows.values()]
        seen = {id(workflow) for workflow in waiting}
        while waiting:
            try:
                children = waiting.pop().table.children.values()
            except (WorkflowValidationError, NameError):
                continue
            for child in children:
                if id(child) not in seen:
                    seen.add(id(child))
                    waiting.append(child)
                    yield child

    def _name(self, workflow: Workflow) -> str:
        alike = [loaded for loaded in self._catalog.workflows.values() if type(loaded.workflow) is type(workflow)]
        mine = [loaded.name for loaded in alike if loaded.workflow is workflow or len(alike) == 1]
        return mine[0] if mine else workflow.workflow_name

    def _file(self, workflow: Workflow, name: str) -> Filing:
        graph = flows_of(name, workflow.table)
        drawn = json.dumps(graph.to_dict())
        loaded = self._catalog.workflows.get(name)
        if loaded is not None and type(loaded.workflow) is type(workflow):
            if flows_of(name, loaded.workflow.table) == graph:
                return Filing(name, loaded.fingerprint, None)
            source = loaded.source  # the same code, and other steps: some were given to this instance alone
            fingerprint = f"{loaded.fingerprint}+{hashlib.sha256(drawn.encode()).hexdigest()[:6]}"
        else:
            source = _source_of(type(workflow))
            fingerprint = hashlib.sha256(f"{source}\n{drawn}".encode()).hexdigest()[:12]
        version = version_row(workflow, graph, name=name, fingerprint=fingerprint, source=source, now=self._clock())
        return Filing(name, fingerprint, version)


def _source_of(kind: type) -> str:
    try:
        return inspect.getsource(sys.modules[kind.__module__])
    except (OSError, TypeError, KeyError):  # made in a shell, or by another program
        return ""
