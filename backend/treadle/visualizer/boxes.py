"""Draw nodes: the outline, the name, the status, and what else is told in a box, each on a line of its own."""

from __future__ import annotations

from collections.abc import Sequence

from treadle.visualizer import inlays
from treadle.visualizer.geometry import Placed
from treadle.visualizer.graph import Node
from treadle.visualizer.icons import PERSON
from treadle.visualizer.markup import clean, number
from treadle.visualizer.outline import PILL
from treadle.visualizer.overlay import NodeMark
from treadle.visualizer.sizes import (
    BAR,
    CHIP_HEIGHT,
    CORNER,
    FRAME_TITLE,
    NAME_HEIGHT,
    NOTE_HEIGHT,
    SMALL_FONT,
    grid_height,
    grid_of,
)
from treadle.visualizer.status import STATUS_WORDS
from treadle.visualizer.text import fitting, shortened, text_width
from treadle.visualizer.walking import Neighbours

_FRAME_CORNER = 10.0
_FRAME_FONT = 12.5


def node_svg(
    node: Node, place: Placed, mark: NodeMark | None, *, link: str | None, near: Neighbours, frame: bool
) -> str:
    """A node that can be focused: a link if there is somewhere to go, else a picture with a name."""
    label = clean(node_label(node, mark))
    classes = _classes(node, mark)
    if link:
        tag, opening = "a", f'<a class="{classes}" href="{clean(link)}" aria-label="{label}"'
    else:
        tag, opening = "g", f'<g class="{classes}" tabindex="0" role="img" aria-label="{label}"'
    return (
        f'{opening} data-node="{clean(node.id)}"{near.attributes}><title>{_title(node, label)}</title>'
        + (_frame(node, place, mark) if frame else _box(node, place, mark))
        + (inlays.warning(place) if node.warnings else "")
        + f"</{tag}>"
    )


def mini_svg(node: Node, place: Placed, mark: NodeMark | None) -> str:
    """A node without words, for a card."""
    return f'<g class="{_classes(node, mark)}">{_shape(place)}</g>'


def ground_svg(place: Placed) -> str:
    """What lies under the nodes and edges inside a frame."""
    return _rect(place, "graph-frame-ground", _FRAME_CORNER)


def node_label(node: Node, mark: NodeMark | None) -> str:
    """What a node says when it is read aloud or pointed at."""
    words = f"{node.kind} {node.name}" if node.kind != "person" else "a person"
    if mark is not None:
        words += f": {STATUS_WORDS[mark.status]}" + (f", {mark.note}" if mark.note and mark.status != "idle" else "")
        if mark.cells:
            words += f"; {mark.line}"
    return words


def _title(node: Node, label: str) -> str:
    """The label, and below it all that the drawing only hints at."""
    lines = [node.doc.strip().partition("\n\n")[0], *(trait.note for trait in node.traits), *node.warnings]
    return "\n".join([label, *(clean(line) for line in lines if line)])


def _classes(node: Node, mark: NodeMark | None) -> str:
    classes = f"graph-node is-{node.kind} role-{node.role}"
    if mark is not None:
        has_note = bool(mark.line and node.traits and not node.notes)
        told = (("is-dim", mark.dim), ("has-note", has_note))
        classes += f" is-{mark.status}" + "".join(f" {name}" for name, on in told if on)
    return classes


def _frame(node: Node, place: Placed, mark: NodeMark | None) -> str:
    """The dashed frame of a nested workflow with its name; what is inside is drawn by itself."""
    y = place.top + FRAME_TITLE / 2
    name = shortened(node.name)
    x = place.left + (34 if mark is not None and mark.status != "idle" else 16)
    beside = x + text_width(name, size=_FRAME_FONT) + 30
    return (
        _rect(place, "graph-frame", _FRAME_CORNER)
        + inlays.badge(place.left + 19, y, mark)
        + f'<text class="graph-frame-name" x="{number(x)}" y="{number(y + 4)}">{clean(name)}</text>'
        + inlays.count(beside, y, mark.label if mark else "")
    )


def _box(node: Node, place: Placed, mark: NodeMark | None) -> str:
    """Name, lines, small facts and grid, one under the other around the middle of the box."""
    lines = mark.line.split("; ") if mark is not None and mark.line else []
    height = NAME_HEIGHT + NOTE_HEIGHT * len(node.notes) + (CHIP_HEIGHT if node.traits else 0.0)
    height += grid_height(grid_of(node.instances)[1]) if node.instances else 0.0
    top = place.y - height / 2
    out = [_shape(place), _bars(place) if node.kind == "workflow" else ""]
    out.append(_name(node, place, top + NAME_HEIGHT / 2, mark))
    below = top + NAME_HEIGHT
    for line in lines[: len(node.notes)]:
        out.append(inlays.note(place.x, below + 9.5, line))
        below += NOTE_HEIGHT
    if node.traits:
        out.append(inlays.chips(node.traits, place.x, below + CHIP_HEIGHT / 2 - 2))
        if not node.notes:
            out.append(inlays.note(place.x, below + 9.5, _cut(lines, place)))
        below += CHIP_HEIGHT
    if mark is not None and mark.cells:
        out.append(inlays.cells(mark.cells, node.instances, place.x, below + 5.0))
    return "".join(out)


def _name(node: Node, place: Placed, y: float, mark: NodeMark | None) -> str:
    """The name with the status before it and the count behind it; a person's sign stands where the status would."""
    inset = 15.0 if node.kind == "event" else 17.0
    name = f'<text class="graph-name" x="{number(place.x)}" y="{number(y + 4.5)}">{clean(shortened(node.name))}</text>'
    if node.kind == "person":
        at = f"translate({number(place.left + 18)} {number(y)})"
        sign = f'<path class="graph-person" transform="{at}" d="{PERSON}"/>'
        return sign + inlays.badge(place.right - inset, y, mark) + name + inlays.count(place.right - 8, y, "")
    label = mark.label if mark else ""
    told_below = (node.notes or node.traits) and mark is not None and mark.line and "/" in label
    return (
        inlays.badge(place.left + inset, y, mark)
        + name
        + inlays.count(place.right - 8, y, "" if told_below else label)
    )


def _cut(lines: Sequence[str], place: Placed) -> str:
    """What fits into one line: all, or the first of the lines."""
    whole = "; ".join(lines)
    if not whole or text_width(whole, size=SMALL_FONT) <= place.width - 16:
        return whole
    return fitting(lines[0], size=SMALL_FONT, width=place.width - 16)


def _shape(place: Placed) -> str:
    return _rect(place, "graph-shape", PILL if place.shape == "pill" else CORNER)


def _rect(place: Placed, name: str, radius: float) -> str:
    return (
        f'<rect class="{name}" x="{number(place.left)}" y="{number(place.top)}" width="{number(place.width)}" '
        f'height="{number(place.height)}" rx="{number(radius)}"/>'
    )


def _bars(place: Placed) -> str:
    """The upright lines of a box that stands for a whole workflow, as flow charts draw a routine told elsewhere."""
    left, right = number(place.left + BAR), number(place.right - BAR)
    top, bottom = number(place.top), number(place.bottom)
    return f'<path class="graph-shape" d="M{left} {top}V{bottom}M{right} {top}V{bottom}"/>'
