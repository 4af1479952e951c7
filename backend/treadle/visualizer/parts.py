"""Hand Cytoscape what stands in nodes and on edges: each thing is an element, because only elements can be drawn.

`of` in a part's data names the node or edge it belongs to: it goes where that goes, and is dimmed with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from treadle.visualizer.boxes import drawn_count, drawn_lines
from treadle.visualizer.geometry import Placed, Point, Route
from treadle.visualizer.graph import Edge, Node, Trait
from treadle.visualizer.icons import DISC
from treadle.visualizer.interior import Interior, interior
from treadle.visualizer.overlay import EdgeMark, NodeMark
from treadle.visualizer.sizes import BAR, CELL, CHIP_GAP, CHIP_ICON, SMALL_FONT, cell_places, chips_width
from treadle.visualizer.text import shortened, text_width

Element = dict[str, Any]

_MIDDLE = 3.8  # of a line of small letters above its base


def node_parts(node: Node, place: Placed, mark: NodeMark | None, *, frame: bool) -> Iterator[Element]:
    """What stands in a node, beside its name."""
    inside = interior(node, place, frame=frame, told=mark is not None)
    status = mark.status if mark else "none"
    yield part("badge", node.id, inside.badge, {"status": status}, size=(2 * DISC + 2, 2 * DISC + 2))
    count = (mark.label if mark else "") if frame else drawn_count(node, mark)
    yield part("count", node.id, inside.count, {"status": status, "text": count})
    if frame:
        yield part("frame-name", node.id, inside.name, {"text": shortened(node.name)})
    if node.kind == "person":
        yield part("person-sign", node.id, (place.left + 18, inside.name[1]), {"status": status}, size=(20, 20))
    if node.kind == "workflow" and not frame:
        for at, x in enumerate((place.left + BAR, place.right - BAR)):
            yield part("bar", node.id, (x, place.y), {"status": status}, number=at, size=(1.5, place.height))
    if node.traits and inside.chips is not None and not frame:
        yield from _chips(node, place.x, inside.chips)
    if mark is not None and not frame:
        yield from _told(node, place, mark, inside)
    if node.warnings:
        x = place.right - (8 if place.shape == "pill" else 4)
        yield part("warning", node.id, (x, place.top + 1), {}, size=(20, 20))


def edge_parts(edge: Edge, route: Route, mark: EdgeMark | None, *, inside: bool) -> Iterator[Element]:
    """The words and the count of an edge, and the signs on its long ways back."""
    state = {"status": mark.status if mark else "none", "back": route.back}
    room = {"wide": route.room[0], "aside": route.source == route.target, "inside": inside, "at": list(route.label)}
    name = shortened(edge.label)
    if name:
        yield part("words", route.key, route.label, {**state, **room, "text": name})
    yield part("times", route.key, route.label, {**state, **room, "text": mark.label if mark else ""})
    for at, (here, ahead) in enumerate(route.turns):
        yield part("turn", route.key, here, {**state, "towards": _towards(here, ahead)}, number=at, size=(8, 8))


def part(
    kind: str,
    of: str,
    at: Point,
    data: dict[str, Any],
    *,
    number: int | None = None,
    size: tuple[float, float] = (1, 1),
) -> Element:
    """An element that is not a node of the graph and takes no part in anything but the drawing."""
    name = f"{kind}:{of}" if number is None else f"{kind}{number}:{of}"
    return {
        "group": "nodes",
        "data": {"id": name, "of": of, "w": size[0], "h": size[1], **data},
        "position": {"x": round(at[0], 2), "y": round(at[1], 2)},
        "classes": f"part {kind}",
        "selectable": False,
        "grabbable": False,
    }


def _told(node: Node, place: Placed, mark: NodeMark, inside: Interior) -> Iterator[Element]:
    for at, (y, words) in enumerate(zip(inside.lines, drawn_lines(node, place, mark), strict=True)):
        data = {"status": mark.status, "text": words, "wide": place.width - 16}
        yield part("note", node.id, (place.x, y - _MIDDLE), data, number=at)
    for at, ((x, y), status) in enumerate(zip(cell_places(node.instances), mark.cells, strict=False)):
        middle = (place.x + x + CELL[0] / 2, inside.cells + y + CELL[1] / 2)
        yield part("cell", node.id, middle, {"status": status}, number=at, size=CELL)


def _chips(node: Node, middle: float, y: float) -> Iterator[Element]:
    x = middle - chips_width(node.traits) / 2
    for at, trait in enumerate(node.traits):
        yield part("chip", node.id, (x + 4, y), {"icon": trait.kind}, number=at, size=(10, 10))
        yield part("chip-text", node.id, (x + CHIP_ICON, y), {"text": trait.text}, number=at)
        x += _chip_width(trait) + CHIP_GAP


def _chip_width(trait: Trait) -> float:
    return CHIP_ICON + text_width(trait.text, size=SMALL_FONT)


def _towards(here: Point, ahead: Point) -> str:
    (x1, y1), (x2, y2) = here, ahead
    if abs(x2 - x1) > abs(y2 - y1):
        return "right" if x2 > x1 else "left"
    return "down" if y2 > y1 else "up"
