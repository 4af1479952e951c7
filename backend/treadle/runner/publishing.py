"""Publishing: the catalog of a worker turned into rows the web process can draw from without importing it."""

from __future__ import annotations

import inspect
import json
import sys
from dataclasses import dataclass

from treadle.engine.events import Event
from treadle.engine.steps import StepSpec
from treadle.engine.validation import start_class
from treadle.errors import WorkflowValidationError
from treadle.registry.catalog import Catalog, doc_of, event_role
from treadle.registry.loader import LoadedWorkflow, LoadFailure
from treadle.registry.schema import response_schemas, start_schema
from treadle.store.catalog import Publication
from treadle.visualizer.graph import Graph
from treadle.visualizer.possible import possible_flows


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    accepts: tuple[str, ...]
    emits: tuple[str, ...]
    doc: str
    num_workers: int
    line: int | None


def publications(catalog: Catalog, *, now: float) -> list[Publication]:
    """The rows of everything in the catalog; failures first."""
    return [
        *(_failure(failure, now) for failure in catalog.failures),
        *(_publication(loaded, now) for loaded in catalog.workflows.values()),
    ]


def graph_of(loaded: LoadedWorkflow) -> Graph:
    """The graph of all possible flows of a workflow. Raises WorkflowValidationError for an unreadable signature."""
    table = loaded.workflow.table
    roles: dict[str, tuple[str, str]] = {}
    steps = []
    for step in table.steps.values():
        signature = step.spec.signature
        for kind in (*signature.accepts, *signature.emits):
            roles[kind.__name__] = (event_role(kind), _event_doc(kind))
        steps.append(
            _Step(
                step.name,
                tuple(kind.__name__ for kind in signature.accepts),
                tuple(kind.__name__ for kind in signature.emits),
                doc_of(step.spec.function),
                step.spec.num_workers,
                _line(step.spec),
            )
        )
    return possible_flows(loaded.name, steps, events=roles)


def _publication(loaded: LoadedWorkflow, now: float) -> Publication:
    lesson = doc_of(sys.modules[type(loaded.workflow).__module__])
    doc = "\n\n".join(filter(None, (doc_of(type(loaded.workflow)), lesson)))
    card = {
        "name": loaded.name,
        "file": str(loaded.file),
        "title": loaded.name,
        "doc": doc,
        "fingerprint": loaded.fingerprint,
        "published_at": now,
        "error": None,
    }
    try:
        table = loaded.workflow.table
        version = {
            "workflow": loaded.name,
            "fingerprint": loaded.fingerprint,
            "graph": json.dumps(graph_of(loaded).to_dict()),
            "start_schema": json.dumps(start_schema(table, start_class(table))),
            "responses": json.dumps(response_schemas(table)),
            "source": loaded.source,
            "published_at": now,
        }
        loaded.workflow.validate()
    except (WorkflowValidationError, NameError) as error:
        card["error"] = _error(f"{type(error).__name__}: {error}", str(loaded.file), None, "")
        return Publication(card, None)
    return Publication(card, version)


def _failure(failure: LoadFailure, now: float) -> Publication:
    error = failure.error
    return Publication(
        {
            "name": failure.name,
            "file": str(failure.file),
            "title": failure.file.name,
            "doc": "",
            "fingerprint": "",
            "published_at": now,
            "error": _error(error.message, error.file, error.line, error.trace),
        },
        None,
    )


def _error(message: str, file: str, line: int | None, trace: str) -> str:
    return json.dumps({"message": message, "file": file, "line": line, "traceback": trace})


def _event_doc(kind: type[Event]) -> str:
    return doc_of(kind) if not kind.__module__.startswith("treadle.") else ""


def _line(spec: StepSpec) -> int | None:
    try:
        return inspect.getsourcelines(spec.function)[1]
    except OSError:
        return None
