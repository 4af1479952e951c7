"""Tell a graph as JSON: what it contains, where everything stands, and what a run did; the form is kept stable.

`static/graph.schema.json` describes it. A later Treadle may add keys; it changes `format` before it changes one.
"""

from __future__ import annotations

import json
from typing import Any

from treadle.visualizer.geometry import Layout, Placed, Point, Route
from treadle.visualizer.graph import Edge, Graph, Node
from treadle.visualizer.overlay import EdgeMark, NodeMark, Overlay

FORMAT = "treadle-graph/1"


def document(
    graph: Graph,
    layout: Layout,
    *,
    overlay: Overlay | None = None,
    title: str = "",
    caption: str = "",
    at: int | None = None,
) -> str:
    """The graph as JSON text; `at` is the entry up to which the `overlay` counts, if that is not the last."""
    box = layout.bounds
    nodes = zip(graph.nodes, layout.nodes, strict=True)
    edges = zip(graph.edges, layout.routes, strict=True)
    data = {
        "format": FORMAT,
        "workflow": graph.workflow,
        "title": title or graph.workflow,
        "caption": caption,
        "direction": layout.direction,
        "bounds": {"x": box.left, "y": box.top, "width": box.width, "height": box.height},
        "nodes": [_node(node, place, overlay) for node, place in nodes],
        "edges": [_edge(edge, route, overlay) for edge, route in edges],
        "warnings": list(graph.warnings),
        "run": {"status": overlay.run_status, "at": at} if overlay is not None else None,
    }
    return json.dumps(data, ensure_ascii=True, indent=1) + "\n"


def _node(node: Node, place: Placed, overlay: Overlay | None) -> dict[str, Any]:
    mark = overlay.nodes.get(node.id, NodeMark()).to_dict() if overlay is not None else None
    spot = {"x": place.x, "y": place.y, "width": place.width, "height": place.height, "shape": place.shape}
    return {**node.to_dict(), "place": spot, **({"mark": mark} if mark is not None else {})}


def _edge(edge: Edge, route: Route, overlay: Overlay | None) -> dict[str, Any]:
    mark = overlay.edges.get(edge.key, EdgeMark()).to_dict() if overlay is not None else None
    way = {"points": [_point(point) for point in route.points], "label": _point(route.label), "back": route.back}
    return {"key": edge.key, **edge.to_dict(), "route": way, **({"mark": mark} if mark is not None else {})}


def _point(point: Point) -> list[float]:
    return list(point)
