"""Which run each frame of a nested workflow shows: the last one that its steps started."""

from __future__ import annotations

from typing import Any

from treadle.store.moments import moment, seq_at
from treadle.store.reading import Reader
from treadle.store.runs import RunDetail, find_run
from treadle.visualizer.graph import Graph, containers
from treadle.visualizer.nested import local_id


def nested_runs(db: Reader, run: RunDetail, graph: Graph, *, at: float | None = None) -> dict[str, dict[str, Any]]:
    """By frame the `id`, `status` and `counts` of the run in it, as they are now or were at a time `at`."""
    around = containers(graph.nodes)
    frames = {frame for frames in around.values() for frame in frames}
    owners: dict[str, RunDetail] = {}
    found: dict[str, dict[str, Any]] = {}
    for node in graph.nodes:
        if node.id not in frames:
            continue
        owner = owners.get(around[node.id][-1]) if around[node.id] else run
        askers = {local_id(edge.source).partition(":")[2] for edge in graph.edges if edge.target == node.id}
        started = [
            child.id
            for child in (owner.children if owner is not None else ())
            if child.workflow == node.name and child.parent_step in askers and (at is None or child.created_at <= at)
        ]
        child = find_run(db, started[-1]) if started else None
        if child is not None:
            owners[node.id] = child
            found[node.id] = _told(db, child, at)
    return found


def _told(db: Reader, run: RunDetail, at: float | None) -> dict[str, Any]:
    then = None
    if at is not None:
        then = moment(db, run.id, run.workflow, run.fingerprint, seq=seq_at(db, run.id, at))
    if then is None:
        return {"id": run.id, "status": run.status, "counts": run.counts}
    return {"id": run.id, "status": then.status, "counts": then.counts}
