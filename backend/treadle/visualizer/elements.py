"""Hand the same geometry to Cytoscape: preset places, and edges bent where the SVG bends them.

A bent edge is told as weights and distances along the straight line between its ends; an edge to itself ends on a tiny
anchor on the node's border, because Cytoscape bends those by a rule of its own.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from math import hypot
from typing import Any

from treadle.visualizer.geometry import Layout, Placed, Point, Route
from treadle.visualizer.graph import Graph, Node
from treadle.visualizer.icons import FILLED, GLYPHS, PERSON
from treadle.visualizer.outline import PILL
from treadle.visualizer.overlay import EdgeMark, NodeMark, Overlay, stroke_width
from treadle.visualizer.sizes import CORNER, font_size
from treadle.visualizer.svg import Href, node_label
from treadle.visualizer.text import shortened

CYTOSCAPE_STYLE = ".__________cytoscape_container { position: relative; }"
"""The text of the one `<style>` element that Cytoscape adds; graph.js makes it unnecessary (see graph-canvas.js)."""

CYTOSCAPE_STYLE_SHA256 = f"sha256-{b64encode(sha256(CYTOSCAPE_STYLE.encode()).digest()).decode()}"


def cytoscape_elements(
    graph: Graph, layout: Layout, *, overlay: Overlay | None = None, href: Href | None = None
) -> dict[str, Any]:
    """What graph.js reads: `elements`, `bounds`, and the icons' paths.

    Every node's data carries its status, count and label, every edge's its status, count and width: live patches
    overwrite those and nothing else.
    """
    elements: list[dict[str, Any]] = []
    for node, place in zip(graph.nodes, layout.nodes, strict=True):
        mark = overlay.nodes.get(node.id, NodeMark()) if overlay else None
        elements.append(_node(node, place, mark, href(node) if href else None))
    for route in layout.routes:
        edge_mark = overlay.edges.get(route.key, EdgeMark()) if overlay else None
        elements += _edge(route, layout.by_id, edge_mark)
    box = layout.bounds
    return {
        "workflow": graph.workflow,
        "elements": elements,
        "bounds": {"x": box.left, "y": box.top, "w": box.width, "h": box.height},
        "icons": {"glyphs": dict(GLYPHS), "filled": sorted(FILLED), "person": PERSON},
        "overlay": overlay.to_dict() if overlay else None,
    }


def elements_json(data: dict[str, Any]) -> str:
    """`data` as JSON that cannot end the `<script type="application/json">` it is put into."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def bend(points: tuple[Point, ...]) -> tuple[list[float], list[float]]:
    """The corners between the ends as (weights, distances): along the line from end to end, and off it to its right."""
    (x1, y1), (x2, y2) = points[0], points[-1]
    dx, dy = x2 - x1, y2 - y1
    length = hypot(dx, dy) or 1.0
    weights, distances = [], []
    for x, y in points[1:-1]:
        weights.append(round(((x - x1) * dx + (y - y1) * dy) / length**2, 6))
        distances.append(round((-(x - x1) * dy + (y - y1) * dx) / length, 4))
    return weights, distances


def _node(node: Node, place: Placed, mark: NodeMark | None, link: str | None) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": node.id,
        "kind": node.kind,
        "role": node.role,
        "name": node.name,
        "text": shortened(node.name),
        "title": node_label(node, mark),
        "w": place.width,
        "h": place.height,
        "corner": PILL if place.shape == "pill" else CORNER,
        "font": font_size(node),
        "status": mark.status if mark else "none",
        "count": mark.count if mark else 0,
        "label": mark.label if mark else "",
    }
    if link:
        data["href"] = link
    return {"group": "nodes", "data": data, "position": {"x": place.x, "y": place.y}, "classes": "node"}


def _edge(route: Route, places: Any, mark: EdgeMark | None) -> list[dict[str, Any]]:
    begin, end = route.points[0], route.points[-1]
    source, target = places[route.source], places[route.target]
    extra: list[dict[str, Any]] = []
    goal, ends_at = route.target, f"{end[0] - target.x:g} {end[1] - target.y:g}"
    if route.source == route.target:
        goal, ends_at = f"anchor:{route.key}", "0 0"
        extra.append(_helper(goal, end, "anchor", {}))
    weights, distances = bend(route.points)
    count = mark.count if mark else 0
    data = {
        "id": route.key,
        "source": route.source,
        "target": goal,
        "from": f"{begin[0] - source.x:g} {begin[1] - source.y:g}",
        "to": ends_at,
        "weights": " ".join(f"{value:g}" for value in weights),
        "distances": " ".join(f"{value:g}" for value in distances),
        "status": mark.status if mark else "none",
        "count": count,
        "width": stroke_width(count),
    }
    label = {"edge": route.key, "text": mark.label if mark else ""}
    return [
        *extra,
        {"group": "edges", "data": data, "classes": "bent" if weights else "straight"},
        _helper(f"times:{route.key}", route.label, "times", label),
    ]


def _helper(name: str, at: Point, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """A node that is not part of the graph: an anchor, or the place of an edge's label."""
    return {
        "group": "nodes",
        "data": {"id": name, **data},
        "position": {"x": at[0], "y": at[1]},
        "classes": kind,
        "selectable": False,
        "grabbable": False,
    }
