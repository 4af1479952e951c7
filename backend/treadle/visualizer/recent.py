"""Draw only what a run did: the events that occurred, the steps that started, and the ways that carried something.

Everything comes from recorded counts. What the run did although nothing declares it appears as well, after the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from treadle.engine.events import HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from treadle.visualizer.compact import shown
from treadle.visualizer.facts import table
from treadle.visualizer.graph import Edge, Graph, Node, event_id, known_edges, nested_id, step_id
from treadle.visualizer.instances import fitted
from treadle.visualizer.overlay import EdgeMark, NodeMark, Overlay, overlay_of
from treadle.visualizer.possible import EventFacts, event_facts, person_edges
from treadle.visualizer.status import Status, status_of_run, told_status

MOST_CHILDREN = 8
"""Nested runs of one step that are drawn one by one; more of them are drawn by workflow and status."""

_BASE_EVENTS = event_facts((StartEvent, StopEvent, InputRequiredEvent, HumanResponseEvent))


def recent_execution(
    graph: Graph,
    counts: Mapping[str, Any],
    *,
    run_status: str,
    events: EventFacts | None = None,
    highlight: str | None = None,
    only: Collection[str] | None = None,
    instances: Mapping[str, Sequence[Status]] | None = None,
    compact: bool = False,
) -> tuple[Graph, Overlay]:
    """The part of `graph` that a run used, with the runs of other workflows its steps started, and the marks on it.

    `counts` is `Run.counts`; `events` says the role of events that `graph` does not know. Steps that ran many times
    side by side are groups, and joins have room for their progress. `only` holds the node ids and edge keys that are
    drawn, of those the run used: one iteration of a loop for example. `highlight` and `instances` are those of
    overlay_of. With `compact` events are words on the edges.
    """
    drawn = fitted(shown(_used(graph, counts, {**_BASE_EVENTS, **(events or {})}), compact=compact), counts)
    if only is not None:
        drawn = _part(drawn, only)
    overlay = overlay_of(
        drawn,
        counts,
        run_status=run_status,
        open_prompts=counts.get("prompts"),
        highlight=highlight,
        instances=instances,
    )
    nested = _nested(counts.get("children") or (), {node.id for node in drawn.nodes}, run_status)
    nested = [item for item in nested if only is None or item[0].id in only]
    return (
        replace(
            drawn,
            nodes=(*drawn.nodes, *(node for node, _, _, _ in nested)),
            edges=(*drawn.edges, *(edge for _, edge, _, _ in nested)),
        ),
        replace(
            overlay,
            nodes={**overlay.nodes, **{node.id: mark for node, _, mark, _ in nested}},
            edges={**overlay.edges, **{edge.key: mark for _, edge, _, mark in nested}},
        ),
    )


def _used(graph: Graph, counts: Mapping[str, Any], known: EventFacts) -> Graph:
    """What occurred, in declared order, then what nothing declares in the order it occurred."""
    occurred = [event_id(name) for name, count in table(counts, "events").items() if count]
    started = [step_id(name) for name, step in table(counts, "steps").items() if step and any(step.values())]
    used = {*occurred, *started}
    nodes = {node.id: node for node in graph.nodes if node.id in used}
    for node_id in (*occurred, *started):
        if node_id not in nodes:
            nodes[node_id] = _undeclared(node_id, known)
    carried = {key: _edge(key) for key, count in table(counts, "edges").items() if count}
    edges = [edge for edge in graph.edges if edge.key in carried]
    person = person_edges(nodes)
    return Graph(graph.workflow, tuple(nodes.values()), known_edges([*edges, *carried.values(), *person], nodes))


def _part(graph: Graph, only: Collection[str]) -> Graph:
    nodes = {node.id: node for node in graph.nodes if node.id in only}
    edges = known_edges((edge for edge in graph.edges if edge.key in only), nodes)
    return replace(graph, nodes=tuple(nodes.values()), edges=edges)


def _edge(key: str) -> Edge:
    source, _, target = key.partition(">")
    return Edge(source, target)


def _undeclared(node_id: str, known: EventFacts) -> Node:
    kind, _, name = node_id.partition(":")
    if kind == "step":
        return Node(node_id, "step", name, "step")
    role, doc = known.get(name, ("plain", ""))
    return Node(node_id, "event", name, role, doc=doc)


def _nested(
    children: Sequence[Mapping[str, Any]], drawn: set[str], run_status: str
) -> list[tuple[Node, Edge, NodeMark, EdgeMark]]:
    """A node beside its step for every nested run, or for those that went alike where there are many."""
    by_step: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for child in children:
        if step_id(str(child["step"])) in drawn:
            by_step[str(child["step"])].append(child)
    found = []
    for step, mine in by_step.items():
        groups: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for child in mine:
            alike = f"{step}:{child['workflow']}:{child['status']}"
            groups[str(child["run_id"]) if len(mine) <= MOST_CHILDREN else alike].append(child)
        found += [_group(nested_id(name), step, group, run_status) for name, group in groups.items()]
    return found


def _group(
    node_id: str, step: str, runs: list[Mapping[str, Any]], run_status: str
) -> tuple[Node, Edge, NodeMark, EdgeMark]:
    workflow, status = str(runs[0]["workflow"]), told_status(str(runs[0]["status"]), within=run_status)
    words = status.replace("_", " ")
    which = f"Run {runs[0]['run_id']} of" if len(runs) == 1 else f"{len(runs)} runs of"
    node = Node(node_id, "workflow", f"{workflow}: {words}", "workflow", doc=f"{which} {workflow}, inside {step}.")
    mark = NodeMark(status_of_run(status), len(runs), note=words)
    return node, Edge(step_id(step), node_id), mark, EdgeMark("done", len(runs))
