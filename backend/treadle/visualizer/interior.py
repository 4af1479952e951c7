"""Say where the things inside a node stand, for every drawing of it: name, status, count, lines, small facts, grid."""

from __future__ import annotations

from dataclasses import dataclass

from treadle.visualizer.geometry import Placed, Point
from treadle.visualizer.graph import Node
from treadle.visualizer.sizes import CHIP_HEIGHT, FRAME_TITLE, NAME_HEIGHT, NOTE_HEIGHT, grid_height, grid_of
from treadle.visualizer.text import shortened, text_width

FRAME_FONT = 12.5
_LINE = 9.5


@dataclass(frozen=True, slots=True)
class Interior:
    """Places in a node: of its name the middle of the line, of a count its right end, of a line its base.

    A node with small facts and no lines of its own has one line in their place.
    """

    name: Point
    badge: Point
    count: Point
    lines: tuple[float, ...] = ()
    chips: float | None = None
    cells: float = 0.0


def interior(node: Node, place: Placed, *, frame: bool, told: bool) -> Interior:
    """The interior of `node`; of a `frame` its title. With `told` there is room for a status."""
    if frame:
        return _title(node, place, told=told)
    height = NAME_HEIGHT + NOTE_HEIGHT * len(node.notes) + (CHIP_HEIGHT if node.traits else 0.0)
    height += grid_height(grid_of(node.instances)[1]) if node.instances else 0.0
    top = place.y - height / 2
    y, below = top + NAME_HEIGHT / 2, top + NAME_HEIGHT
    lines = [below + _LINE + NOTE_HEIGHT * at for at in range(len(node.notes))]
    below += NOTE_HEIGHT * len(node.notes)
    chips = None
    if node.traits:
        chips = below + CHIP_HEIGHT / 2 - 2
        if not node.notes:
            lines.append(below + _LINE)
        below += CHIP_HEIGHT
    inset = 15.0 if node.kind == "event" else 17.0
    aside = place.right - inset if node.kind == "person" else place.left + inset
    return Interior((place.x, y), (aside, y), (place.right - 6, y), tuple(lines), chips, below + 5.0)


def _title(node: Node, place: Placed, *, told: bool) -> Interior:
    y = place.top + FRAME_TITLE / 2
    x = place.left + (34 if told else 16)
    return Interior((x, y), (place.left + 19, y), (x + text_width(shortened(node.name), size=FRAME_FONT) + 30, y))
