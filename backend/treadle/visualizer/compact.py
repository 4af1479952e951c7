"""Draw a graph with fewer nodes: events become words on the edges or, where there are very many, are left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from treadle.visualizer.graph import Edge, Graph, Node, known_edges

MOST_NODES = 400
"""A graph with more nodes is drawn by its steps alone."""


def shown(graph: Graph, *, compact: bool = False, most: int = MOST_NODES) -> Graph:
    """What is drawn of a graph: all of it, its compact form, or, beyond `most` nodes, only its steps."""
    if len(graph.nodes) > most:
        return aggregated(graph)
    return compacted(graph) if compact else graph


def compacted(graph: Graph) -> Graph:
    """The graph with events as words on the edges.

    What begins or ends a run stays a node, and so does an event that nobody sends or nobody takes.
    """
    dropped = _dropped(graph)
    return _without(graph, dropped, tuple(_lines(graph, dropped)))


def aggregated(graph: Graph) -> Graph:
    """The graph with one edge between any two steps for all events that go from one to the other."""
    dropped = _dropped(graph)
    events: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for edge in _lines(graph, dropped):
        events[edge.source, edge.target] += edge.via
    edges = tuple(Edge(source, target, tuple(via)) for (source, target), via in events.items())
    return _without(graph, dropped, edges)


def _without(graph: Graph, dropped: dict[str, Node], edges: tuple[Edge, ...]) -> Graph:
    nodes = {node.id: node for node in graph.nodes if node.id not in dropped}
    return Graph(graph.workflow, tuple(nodes.values()), known_edges(edges, nodes), graph.warnings)


def _dropped(graph: Graph) -> dict[str, Node]:
    """The events that some step sends and some step takes."""
    events = {node.id: node for node in graph.nodes if node.kind == "event" and node.role not in ("start", "stop")}
    sent = {edge.target for edge in graph.edges if edge.source not in events}
    taken = {edge.source for edge in graph.edges if edge.target not in events}
    chained = {
        end for edge in graph.edges if {edge.source, edge.target} <= events.keys() for end in (edge.source, edge.target)
    }
    return {key: node for key, node in events.items() if key in sent and key in taken and key not in chained}


def _lines(graph: Graph, dropped: dict[str, Node]) -> Iterator[Edge]:
    """The edges, each pair that meets at a dropped event joined to one, in the order they are declared."""
    takers: defaultdict[str, list[str]] = defaultdict(list)
    for edge in graph.edges:
        if edge.source in dropped:
            takers[edge.source].append(edge.target)
    for edge in graph.edges:
        if edge.target in dropped:
            name = dropped[edge.target].name
            for taker in takers[edge.target]:
                yield Edge(edge.source, taker, (edge.target,), name)
        elif edge.source not in dropped:
            yield edge
