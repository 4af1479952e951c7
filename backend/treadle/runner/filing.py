"""Filing: a workflow as the row of its version, with all that pages and checks need where its code is not loaded."""

from __future__ import annotations

import json
from typing import Any

from treadle.engine.validation import start_class
from treadle.engine.workflow import Workflow
from treadle.registry.catalog import event_types
from treadle.registry.schema import outcome_schemas, response_schemas, start_schema
from treadle.store.routing import describe
from treadle.visualizer.graph import Graph


def version_row(
    workflow: Workflow, graph: Graph, *, name: str, fingerprint: str, source: str, now: float
) -> dict[str, Any]:
    """The row of the version `fingerprint` of the workflow filed as `name`.

    Raises WorkflowValidationError or NameError for a signature that cannot be read.
    """
    table = workflow.table
    drawn = graph.to_dict()
    if outcomes := outcome_schemas(table):
        drawn["outcomes"] = outcomes
    return {
        "workflow": name,
        "fingerprint": fingerprint,
        "graph": json.dumps({**drawn, "routes": describe(table.routes, event_types(workflow))}),
        "start_schema": json.dumps(start_schema(table, start_class(table))),
        "responses": json.dumps(response_schemas(table)),
        "source": source,
        "published_at": now,
    }
