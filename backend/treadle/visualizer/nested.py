"""Draw nested workflows where they are started: each in a frame beside the step that asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from treadle.engine.table import StepTable
from treadle.visualizer.graph import Edge, Graph, Node, step_id

Draw = Callable[[Any], Graph]
"""The graph of a workflow alone."""


def frame_id(path: str) -> str:
    """The node id of the frame of a nested workflow; `path` are the slots that lead to it."""
    return f"flow:{path}"


def expanded(graph: Graph, table: StepTable, draw: Draw) -> Graph:
    """`graph` with the workflows in the slots of `table` drawn in frames, to any depth.

    A workflow that is inside itself is drawn once and then as a single box.
    """
    return _expanded(graph, table, draw, "", (id(table),))


def collapsed(graph: Graph) -> Graph:
    """`graph` without what is inside frames: each nested workflow is a single box."""
    kept = {node.id for node in graph.nodes if not node.inside}
    nodes = tuple(node for node in graph.nodes if node.id in kept)
    edges = tuple(edge for edge in graph.edges if {edge.source, edge.target} <= kept)
    return replace(graph, nodes=nodes, edges=edges)


def local_id(node: str) -> str:
    """The id of a node in the graph of its own workflow, without the path that leads to it."""
    kind, _, name = node.partition(":")
    return f"{kind}:{name.rpartition('/')[2]}" if name else node.rpartition("/")[2]


def _expanded(graph: Graph, table: StepTable, draw: Draw, path: str, around: tuple[int, ...]) -> Graph:
    nodes, edges, warnings = list(graph.nodes), list(graph.edges), list(graph.warnings)
    for slot, child in table.children.items():
        askers = [
            step_id(step.name, path)
            for step in table.steps.values()
            if slot in dict(step.spec.signature.slots)
        ]
        if not askers:
            continue
        inner, frame = f"{path}{slot}/", frame_id(path + slot)
        nodes.append(Node(frame, "workflow", child.workflow_name, "workflow", doc=f"The workflow in {slot}."))
        edges += [Edge(step, frame) for step in askers]
        if id(child.table) in around:
            continue
        alone = _moved(draw(child), inner, frame)
        deep = _expanded(alone, child.table, draw, inner, (*around, id(child.table)))
        nodes += [node if node.inside else replace(node, inside=frame) for node in deep.nodes]
        edges += deep.edges
        warnings += [f"{child.workflow_name}: {text}" for text in deep.warnings]
    return Graph(graph.workflow, tuple(nodes), tuple(edges), tuple(dict.fromkeys(warnings)))


def _moved(graph: Graph, path: str, frame: str) -> Graph:
    """The graph with its path in all its ids, inside its frame."""
    nodes = tuple(replace(node, id=_deeper(node.id, path), inside=frame) for node in graph.nodes)
    edges = tuple(Edge(_deeper(edge.source, path), _deeper(edge.target, path)) for edge in graph.edges)
    return Graph(graph.workflow, nodes, edges, graph.warnings)


def _deeper(node: str, path: str) -> str:
    kind, colon, name = node.partition(":")
    return f"{kind}:{path}{name}" if colon else f"{path}{node}"
