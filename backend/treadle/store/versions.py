"""Versions: what is known of the code that runs were recorded with, best first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from treadle.store.routing import Routing, described, drawn, joined
from treadle.store.tables import Version

_versions = Version.__table__  # type: ignore[attr-defined]

TRIED = 10
"""Versions of one workflow that are tried for a run."""


class Versions:
    """The routings of every workflow; `loaded` are those of workflow files, as {name: {fingerprint, routes}}."""

    def __init__(self, loaded: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._loaded = loaded or {}
        self._known: dict[tuple[str, str], list[Routing]] = {}

    def of(self, connection: Connection, workflow: str, fingerprint: str) -> list[Routing]:
        """The routings a run may have been driven by: its own version first, then what may have driven it later."""
        if (workflow, fingerprint) not in self._known:
            self._known[workflow, fingerprint] = self._find(connection, workflow, fingerprint)
        return self._known[workflow, fingerprint]

    def _find(self, connection: Connection, workflow: str, fingerprint: str) -> list[Routing]:
        found: list[Routing] = []
        told: dict[str, Routing] = {}
        loaded = self._loaded.get(workflow)
        if loaded is not None:
            found.append(described(loaded["routes"], f"the file of {workflow} ({loaded['fingerprint']})"))
            told[loaded["fingerprint"]] = found[0]
        mine = loaded is not None and loaded["fingerprint"] == fingerprint
        query = (
            select(_versions.c.fingerprint, _versions.c.graph)
            .where(_versions.c.workflow == workflow)
            .order_by(_versions.c.fingerprint != fingerprint, _versions.c.published_at.desc())
            .limit(TRIED)
        )
        recorded: list[Routing] = []
        for row in connection.execute(query):
            if not (loaded is not None and row.fingerprint == loaded["fingerprint"]):
                recorded += (its := _recorded(workflow, row.fingerprint, json.loads(row.graph)))
                told[row.fingerprint] = its[0]
        known = {fingerprint: routing.routes for fingerprint, routing in told.items()}
        return [replace(routing, versions=known) for routing in ([*found, *recorded] if mine else [*recorded, *found])]


def _recorded(workflow: str, fingerprint: str, graph: Mapping[str, Any]) -> list[Routing]:
    source = f"the recorded version {fingerprint} of {workflow}"
    if "routes" in graph:
        return [described(graph["routes"], source)]
    routing = drawn(graph, source)
    return [routing, joined(routing)] if routing.doubts else [routing]
