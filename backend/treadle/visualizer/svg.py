"""Draw a graph as SVG: first paint on pages, and the picture in files.

Names come from workflow files and are not trusted: every text is escaped. On pages nothing carries inline style,
because the page's policy forbids it; classes do, and `data-node` and `data-edge` let live counts find their place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Literal

from treadle.visualizer.geometry import Layout, Placed, Point, Route
from treadle.visualizer.graph import Graph, Node
from treadle.visualizer.icons import DISC, GLYPHS, PERSON
from treadle.visualizer.outline import PILL
from treadle.visualizer.overlay import STATUS_WORDS, EdgeMark, NodeMark, Overlay, stroke_width
from treadle.visualizer.sizes import BAR, CORNER
from treadle.visualizer.text import shortened
from treadle.visualizer.theme import file_css

Theme = Literal["embedded", "light", "dark"]
Href = Callable[[Node], str | None]

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ROUND = 8.0
_HEAD = 8.5
_SIDE = 3.9


def to_svg(
    graph: Graph,
    layout: Layout,
    *,
    overlay: Overlay | None = None,
    theme: Theme = "embedded",
    href: Href | None = None,
    mini: bool = False,
    title: str | None = None,
) -> str:
    """The graph as one `<svg>` element.

    `theme` is embedded (styled by the page's graph.css), light or dark (a file of its own). `href` gives the address a
    node links to, or None. `mini` draws shapes without words, for a card.
    """
    box = layout.bounds
    name = clean(title or f"{graph.workflow}: graph")
    classes = "graph-svg graph-mini" if mini else "graph-svg"
    routed = {route.key: route for route in layout.routes}
    out = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{classes}" role="{"img" if mini else "group"}" '
            f'aria-label="{name}" width="{number(box.width)}" height="{number(box.height)}" '
            f'viewBox="{number(box.left)} {number(box.top)} {number(box.width)} {number(box.height)}">'
        )
    ]
    if theme != "embedded":
        out.append(f"<style>{file_css(theme)}</style>")
        out.append(
            f'<rect class="graph-ground" x="{number(box.left)}" y="{number(box.top)}" '
            f'width="{number(box.width)}" height="{number(box.height)}"/>'
        )
    marks = overlay.edges if overlay else {}
    out.append('<g class="graph-edges">' if mini else '<g class="graph-edges" aria-hidden="true">')
    out += [_edge(routed[edge.key], marks.get(edge.key) if overlay else None, mini=mini) for edge in graph.edges]
    out.append('</g><g class="graph-nodes">')
    for node, place in zip(graph.nodes, layout.nodes, strict=True):
        mark = overlay.nodes.get(node.id, NodeMark()) if overlay else None
        out.append(_mini_node(node, place, mark) if mini else _node(node, place, mark, href(node) if href else None))
    out.append("</g>")
    if not mini:
        out.append('<g class="graph-labels" aria-hidden="true">')
        out += [_times(routed[edge.key], marks.get(edge.key, EdgeMark())) for edge in graph.edges]
        out.append("</g>")
    out.append("</svg>")
    return "".join(out)


def clean(text: str) -> str:
    """Text made safe for XML and HTML: escaped, and without the characters XML cannot hold."""
    return escape(_NOT_XML.sub("�", text), quote=True)


def number(value: float) -> str:
    """A coordinate in as few letters as possible."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def line_path(points: tuple[Point, ...], *, radius: float = _ROUND) -> str:
    """The path of a route with rounded corners."""
    parts = [f"M{_pair(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        reach = min(radius, _length(before, corner) / 2, _length(corner, after) / 2)
        parts.append(
            f"L{_pair(_towards(corner, before, reach))}Q{_pair(corner)} {_pair(_towards(corner, after, reach))}"
        )
    return "".join(parts) + f"L{_pair(points[-1])}"


def node_label(node: Node, mark: NodeMark | None) -> str:
    """What a node says when it is read aloud or pointed at."""
    words = f"{node.kind} {node.name}" if node.kind != "person" else "a person"
    if mark is not None:
        words += f": {STATUS_WORDS[mark.status]}" + (f", {mark.note}" if mark.note and mark.status != "idle" else "")
    return words


def _edge(route: Route, mark: EdgeMark | None, *, mini: bool) -> str:
    state = f" is-{mark.status}" if mark else ""
    if route.back:
        state += " is-back"
    points = route.points
    end, before = points[-1], points[-2]
    short = (*points[:-1], _towards(end, before, min(_HEAD - 2, _length(end, before) / 2)))
    wide = stroke_width(mark.count if mark else 0)
    return (
        f'<g class="graph-edge{state}"'
        + ("" if mini else f' data-edge="{clean(route.key)}"')
        + f'><path class="graph-line" stroke-width="{number(wide)}" d="{line_path(short)}"/>'
        + f'<path class="graph-head" d="{_head(end, before, mark.count if mark else 0)}"/></g>'
    )


def _head(end: Point, before: Point, count: int) -> str:
    """A triangle with its tip on the border; a little larger on a thick line."""
    grow = 1 + max(0.0, stroke_width(count) - 2.5) * 0.12 if count else 1.0
    span = _length(before, end) or 1.0
    dx, dy = (end[0] - before[0]) / span, (end[1] - before[1]) / span
    foot = (end[0] - dx * _HEAD * grow, end[1] - dy * _HEAD * grow)
    side = _SIDE * grow
    left, right = (foot[0] - dy * side, foot[1] + dx * side), (foot[0] + dy * side, foot[1] - dx * side)
    return f"M{_pair(end)}L{_pair(left)}L{_pair(right)}Z"


def _times(route: Route, mark: EdgeMark) -> str:
    x, y = route.label
    label = mark.label
    width = 10 + 6.6 * max(2, len(label))
    empty = "" if label else " is-empty"
    return (
        f'<g class="graph-times{empty}" data-edge-label="{clean(route.key)}">'
        f'<rect class="graph-times-box" x="{number(x - width / 2)}" y="{number(y - 8)}" '
        f'width="{number(width)}" height="16" rx="5"/>'
        f'<text class="graph-times-text" x="{number(x)}" y="{number(y + 4)}">{clean(label)}</text></g>'
    )


def _node(node: Node, place: Placed, mark: NodeMark | None, link: str | None) -> str:
    state = f" is-{mark.status}" if mark else ""
    label = clean(node_label(node, mark))
    classes = f"graph-node is-{node.kind} role-{node.role}{state}"
    doc = clean(node.doc.strip().partition("\n\n")[0])
    if link:
        tag, opening = "a", f'<a class="{classes}" href="{clean(link)}" aria-label="{label}"'
    else:
        tag, opening = "g", f'<g class="{classes}" tabindex="0" role="img" aria-label="{label}"'
    status = mark.status if mark else "idle"
    is_person = node.kind == "person"
    inset = 15.0 if node.kind == "event" else 17.0
    badge_x = place.right - inset if is_person else place.left + inset
    person = (
        f'<path class="graph-person" transform="translate({number(place.left + 18)} {number(place.y)})" d="{PERSON}"/>'
    )
    count = mark.label if mark and not is_person else ""
    return (
        f'{opening} data-node="{clean(node.id)}"><title>{label}{": " + doc if doc else ""}</title>{_shape(place)}'
        + (_bars(place) if node.kind == "workflow" else "")
        + (person if is_person else "")
        + f'<g class="graph-badge" transform="translate({number(badge_x)} {number(place.y)})">'
        f'<circle class="graph-disc" r="{number(DISC)}"/><path class="graph-glyph" d="{GLYPHS[status]}"/></g>'
        f'<text class="graph-name" x="{number(place.x)}" y="{number(place.y + 4.5)}">'
        f"{clean(shortened(node.name))}</text>"
        f'<text class="graph-count" x="{number(place.right - 9)}" y="{number(place.y + 4)}">{clean(count)}</text>'
        f"</{tag}>"
    )


def _mini_node(node: Node, place: Placed, mark: NodeMark | None) -> str:
    state = f" is-{mark.status}" if mark else ""
    return f'<g class="graph-node is-{node.kind} role-{node.role}{state}">{_shape(place)}</g>'


def _shape(place: Placed) -> str:
    radius = PILL if place.shape == "pill" else CORNER
    return (
        f'<rect class="graph-shape" x="{number(place.left)}" y="{number(place.top)}" width="{number(place.width)}" '
        f'height="{number(place.height)}" rx="{number(radius)}"/>'
    )


def _bars(place: Placed) -> str:
    """The upright lines of a box that stands for a whole workflow, as flow charts draw a routine told elsewhere."""
    left, right = number(place.left + BAR), number(place.right - BAR)
    top, bottom = number(place.top), number(place.bottom)
    return f'<path class="graph-shape" d="M{left} {top}V{bottom}M{right} {top}V{bottom}"/>'


def _pair(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"


def _length(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _towards(start: Point, goal: Point, distance: float) -> Point:
    length = _length(start, goal) or 1.0
    share = distance / length
    return (start[0] + (goal[0] - start[0]) * share, start[1] + (goal[1] - start[1]) * share)
