"""Publishing: the catalog of a worker turned into rows the web process can draw from without importing it."""

from __future__ import annotations

import json
import sys

from treadle.errors import WorkflowValidationError
from treadle.registry.catalog import Catalog
from treadle.registry.loader import LoadedWorkflow, LoadFailure
from treadle.runner.filing import version_row
from treadle.store.catalog import Publication
from treadle.visualizer.graph import Graph
from treadle.visualizer.possible import doc_of, flows_of


def publications(catalog: Catalog, *, now: float) -> list[Publication]:
    """The rows of everything in the catalog; failures first."""
    return [
        *(_failure(failure, now) for failure in catalog.failures),
        *(_publication(loaded, now) for loaded in catalog.workflows.values()),
    ]


def graph_of(loaded: LoadedWorkflow) -> Graph:
    """The graph of all possible flows of a workflow, those of the workflows inside it drawn in place.

    Raises WorkflowValidationError for an unreadable signature.
    """
    return flows_of(loaded.name, loaded.workflow.table, expand=True)


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
        "num_concurrent_runs": loaded.workflow.num_concurrent_runs,
        "error": None,
    }
    try:
        version = version_row(
            loaded.workflow, graph_of(loaded), name=loaded.name, fingerprint=loaded.fingerprint, source=loaded.source,
            now=now,
        )  # fmt: skip
        loaded.workflow.check()
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
            "num_concurrent_runs": None,
            "error": _error(error.message, error.file, error.line, error.trace),
        },
        None,
    )


def _error(message: str, file: str, line: int | None, trace: str) -> str:
    return json.dumps({"message": message, "file": file, "line": line, "traceback": trace})
