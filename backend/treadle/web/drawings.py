"""What is drawn of a run: the graph as it fits the run, and the marks on it, for pages and for live counts alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from treadle.store.moments import Trigger
from treadle.store.passes import Pass
from treadle.store.runs import RunDetail
from treadle.store.workflows import VersionRow
from treadle.visualizer.compact import shown
from treadle.visualizer.graph import PERSON, Graph, containers, edge_key, event_id, step_id
from treadle.visualizer.instances import fitted
from treadle.visualizer.overlay import Overlay, overlay_of
from treadle.visualizer.recent import recent_execution
from treadle.visualizer.sizes import MOST_CELLS
from treadle.web.views import View

Nested = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a run: its counts and status at one moment, and what is pointed at.

    `prompts` is how many wait for an answer, `nested` the runs in the frames of nested workflows, by frame.
    """

    counts: Mapping[str, Any]
    status: str
    prompts: int | None = None
    trigger: Trigger | None = None
    passed: Pass | None = None
    nested: Nested | None = None


def graph_of(version: VersionRow) -> Graph:
    """Every possible flow of a version."""
    return Graph.from_dict(version.graph)


def drawn_graph(graph: Graph, run: RunDetail, view: View) -> Graph:
    """The graph a run's page draws: with room for what the run did, as far as that does not make it jump."""
    if view.executed:
        graph, _ = recent_execution(graph, run.counts, run_status=run.status)
    else:
        roomy = fitted(graph, run.counts)
        kept = {node.id: node for node in graph.nodes}
        # While a run goes on joins come and go: their lines use the room that is there.
        nodes = (node if node.instances or run.final else kept[node.id] for node in roomy.nodes)
        graph = replace(roomy, nodes=tuple(nodes))
    return shown(graph, compact=view.compact)


def marks(graph: Graph, told: Told, *, executed: bool = False, whole: Graph | None = None) -> Overlay:
    """The marks of a run on `graph`; of the runs it started one by one too, if it is drawn as `executed` of `whole`."""
    overlay = overlay_of(
        graph,
        told.counts,
        run_status=told.status,
        open_prompts=told.prompts,
        highlight=_highlight(graph, told.trigger),
        only=_only(graph, told.passed) if told.passed else None,
        nested=told.nested,
    )
    if not executed or whole is None:
        return overlay
    _, recent = recent_execution(whole, told.counts, run_status=told.status)
    runs = {key: mark for key, mark in recent.nodes.items() if key.startswith("run:")}
    ways = {key: mark for key, mark in recent.edges.items() if key.partition(">run:")[1]}
    return replace(overlay, nodes={**overlay.nodes, **runs}, edges={**overlay.edges, **ways})


def live_marks(graph: Graph, told: Told) -> dict[str, Any]:
    """The numbers of a run for whatever its page draws: by step and event or compact, all or only what was done.

    `groups` says which steps are drawn with a cell for each execution, so that a page sees when its drawing is too old.
    """
    roomy = fitted(graph, told.counts)
    overlay = marks(roomy, told, executed=True, whole=graph)
    compact = overlay_of(shown(roomy, compact=True), told.counts, run_status=told.status, open_prompts=told.prompts)
    data = replace(overlay, edges={**compact.edges, **overlay.edges}).to_dict()
    data["groups"] = {node.id: min(node.instances, MOST_CELLS) for node in roomy.nodes if node.instances}
    return data


def _highlight(graph: Graph, trigger: Trigger | None) -> str | None:
    """The edge that a trigger is drawn as: in a compact graph it leads from the sender."""
    if trigger is None:
        return None
    event, step = event_id(trigger.event), step_id(trigger.step)
    if any(edge.key == edge_key(event, step) for edge in graph.edges):
        return edge_key(event, step)
    sender = step_id(trigger.sender) if trigger.sender else ""
    ways = (edge.key for edge in graph.edges if (edge.source, edge.target) == (sender, step) and event in edge.via)
    return next(ways, None)


def _only(graph: Graph, passed: Pass) -> frozenset[str]:
    """The nodes and edges of one pass; a nested workflow belongs to it when its step does."""
    sent = {edge_key(step_id(step), event_id(event)) for step, event in passed.sent}
    taken = {edge_key(event_id(event), step_id(step)) for event, step in passed.taken}
    asked = [edge_key(event_id(a), PERSON) for a, _ in passed.answered]
    answered = [edge_key(PERSON, event_id(b)) for _, b in passed.answered]
    found = {*sent, *taken, *asked, *answered, *map(step_id, passed.steps)}
    for key in tuple(found):
        found.update(key.split(">"))
    found |= {
        edge.key
        for edge in graph.edges
        if any({edge_key(edge.source, via), edge_key(via, edge.target)} <= found for via in edge.via)
    }
    found |= set(_frames(graph, found))
    return frozenset(found)


def _frames(graph: Graph, found: set[str]) -> Iterable[str]:
    started = {edge.target: edge.key for edge in graph.edges if edge.source in found and edge.target[:4] in _RUNS}
    yield from started
    yield from started.values()
    around = containers(graph.nodes)
    inside = {node for node, frames in around.items() if started.keys() & set(frames)}
    yield from inside
    yield from (edge.key for edge in graph.edges if {edge.source, edge.target} <= inside)


_RUNS = ("flow", "run:")
