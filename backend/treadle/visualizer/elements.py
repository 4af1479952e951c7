"""Hand the same geometry to Cytoscape: preset places, and edges bent where the SVG bends them.

A bent edge is told as weights and distances along the straight line between its ends; an edge to itself ends on a tiny
anchor on the node's border, because Cytoscape bends those by a rule of its own.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from math import hypot
from typing import Any

from treadle.visualizer.arrows import TURN_WIDTH, edge_width
from treadle.visualizer.boxes import FRAME_CORNER
from treadle.visualizer.geometry import Layout, Placed, Point, Route
from treadle.visualizer.graph import Edge, Graph, Node, containers, is_quiet
from treadle.visualizer.icons import CHIPS, FILLED, GLYPHS, PERSON, WARNING
from treadle.visualizer.interior import interior
from treadle.visualizer.outline import PILL
from treadle.visualizer.overlay import EdgeMark, NodeMark, Overlay
from treadle.visualizer.parts import edge_parts, node_parts, part
from treadle.visualizer.sizes import CORNER, font_size
from treadle.visualizer.svg import Href, node_label
from treadle.visualizer.text import shortened

_SINK = 0.9  # Cytoscape's middle of a name is a little above the SVG's

CYTOSCAPE_STYLE = ".__________cytoscape_container { position: relative; }"
"""The text of the one `<style>` element that Cytoscape adds; graph.js makes it unnecessary (see graph-canvas.js)."""

CYTOSCAPE_STYLE_SHA256 = f"sha256-{b64encode(sha256(CYTOSCAPE_STYLE.encode()).digest()).decode()}"


def cytoscape_elements(
    graph: Graph, layout: Layout, *, overlay: Overlay | None = None, href: Href | None = None
) -> dict[str, Any]:
    """What graph.js reads: `elements`, `bounds`, and the icons' paths.

    Every node's and edge's data carries its status and count, and so do its parts: live patches overwrite those and
    nothing else.
    """
    around = containers(graph.nodes)
    frames = {frame for frames in around.values() for frame in frames}
    nodes = {node.id: node for node in graph.nodes}
    elements: list[dict[str, Any]] = []
    for node, place in zip(graph.nodes, layout.nodes, strict=True):
        mark = overlay.nodes.get(node.id, NodeMark()) if overlay else None
        frame = node.id in frames
        elements.append(_node(node, place, mark, href(node) if href else None, frame=frame))
        elements += node_parts(node, place, mark, frame=frame)
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        edge_mark = overlay.edges.get(route.key, EdgeMark()) if overlay else None
        elements += _edge(edge, route, layout.by_id, edge_mark, quiet=is_quiet(edge, nodes))
        elements += edge_parts(edge, route, edge_mark, inside=bool(around[edge.target]))
    box = layout.bounds
    return {
        "workflow": graph.workflow,
        "elements": elements,
        "bounds": {"x": box.left, "y": box.top, "w": box.width, "h": box.height},
        "direction": layout.direction,
        "icons": {
            "glyphs": dict(GLYPHS),
            "filled": sorted(FILLED),
            "person": PERSON,
            "chips": dict(CHIPS),
            "warning": WARNING,
        },
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


def _node(node: Node, place: Placed, mark: NodeMark | None, link: str | None, *, frame: bool) -> dict[str, Any]:
    inside = interior(node, place, frame=frame, told=mark is not None)
    data: dict[str, Any] = {
        "id": node.id,
        "kind": node.kind,
        "role": node.role,
        "name": node.name,
        "text": "" if frame else shortened(node.name),
        "title": node_label(node, mark),
        "w": place.width,
        "h": place.height,
        "corner": FRAME_CORNER if frame else PILL if place.shape == "pill" else CORNER,
        "font": font_size(node),
        "lift": round(inside.name[1] - place.y + _SINK, 2),
        "status": mark.status if mark else "none",
        "count": mark.count if mark else 0,
        "lines": bool(node.notes or node.traits),
        "shared": bool(node.traits and not node.notes),
        "inside": node.inside,
        "instances": node.instances,
    }
    if link:
        data["href"] = link
    classes = ["node", "frame" if frame else "box", *(["dim"] if mark is not None and mark.dim else [])]
    if mark is not None and mark.line and node.traits and not node.notes:
        classes.append("has-note")
    return {
        "group": "nodes",
        "data": data,
        "position": {"x": place.x, "y": place.y},
        "classes": " ".join(classes),
    }


def _edge(
    edge: Edge, route: Route, places: Mapping[str, Placed], mark: EdgeMark | None, *, quiet: bool
) -> Iterator[dict[str, Any]]:
    begin, end = route.points[0], route.points[-1]
    source, target = places[route.source], places[route.target]
    goal, ends_at = route.target, f"{end[0] - target.x:g} {end[1] - target.y:g}"
    if route.source == route.target:
        goal, ends_at = f"anchor:{route.key}", "0 0"
        yield part("anchor", route.key, end, {})
    weights, distances = bend(route.points)
    turned = bool(route.turns) and not route.back
    data = {
        "id": route.key,
        "source": route.source,
        "target": goal,
        "ends": [route.source, route.target],
        "via": list(edge.via),
        "from": f"{begin[0] - source.x:g} {begin[1] - source.y:g}",
        "to": ends_at,
        "weights": " ".join(f"{value:g}" for value in weights),
        "distances": " ".join(f"{value:g}" for value in distances),
        "status": mark.status if mark else "none",
        "count": mark.count if mark else 0,
        "width": TURN_WIDTH if turned and mark is None else edge_width(mark),
    }
    told = (
        ("back", route.back),
        ("quiet", quiet),
        ("trigger", mark is not None and mark.trigger),
        ("dim", mark is not None and mark.dim),
    )
    classes = ["bent" if weights else "straight", *(name for name, on in told if on)]
    yield {"group": "edges", "data": data, "classes": " ".join(classes)}
