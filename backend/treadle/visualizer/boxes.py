"""Draw nodes: the outline, the name, the status, and what else is told in a box, each on a line of its own."""

from __future__ import annotations

from collections.abc import Sequence

from treadle.visualizer import inlays
from treadle.visualizer.geometry import Placed
from treadle.visualizer.graph import Node
from treadle.visualizer.icons import PERSON
from treadle.visualizer.interior import Interior, interior
from treadle.visualizer.markup import clean, number
from treadle.visualizer.outline import PILL
from treadle.visualizer.overlay import NodeMark
from treadle.visualizer.sizes import BAR, CORNER, SMALL_FONT
from treadle.visualizer.status import STATUS_WORDS
from treadle.visualizer.text import fitting, shortened, text_width
from treadle.visualizer.walking import Neighbours

FRAME_CORNER = 10.0


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
    return _rect(place, "graph-frame-ground", FRAME_CORNER)


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
    inside = interior(node, place, frame=True, told=mark is not None)
    x, y = inside.name
    return (
        _rect(place, "graph-frame", FRAME_CORNER)
        + inlays.badge(*inside.badge, mark)
        + f'<text class="graph-frame-name" x="{number(x)}" y="{number(y + 4)}">{clean(shortened(node.name))}</text>'
        + inlays.count(*inside.count, mark.label if mark else "")
    )


def _box(node: Node, place: Placed, mark: NodeMark | None) -> str:
    """Name, lines, small facts and grid, one under the other around the middle of the box.

    Of a run's node every line is there, for live pages to fill.
    """
    inside = interior(node, place, frame=False, told=mark is not None)
    lines = drawn_lines(node, place, mark)
    out = [_shape(place), _bars(place) if node.kind == "workflow" else ""]
    out.append(_name(node, place, inside, mark))
    if node.traits and inside.chips is not None:
        out.append(inlays.chips(node.traits, place.x, inside.chips))
    if mark is not None:
        out += [inlays.note(place.x, y, words) for y, words in zip(inside.lines, lines, strict=True)]
        if mark.cells:
            out.append(inlays.cells(mark.cells, node.instances, place.x, inside.cells))
    return "".join(out)


def drawn_lines(node: Node, place: Placed, mark: NodeMark | None) -> list[str]:
    """What is written on each line of a node; in place of small facts there is one, with as much as fits."""
    lines = mark.line.split("; ") if mark is not None and mark.line else []
    if node.notes:
        return [*lines, *("" for _ in node.notes)][: len(node.notes)]
    return [_cut(lines, place)] if node.traits else []


def drawn_count(node: Node, mark: NodeMark | None) -> str:
    """The count beside the name; what a line tells is not said twice."""
    label = mark.label if mark else ""
    told_below = (node.notes or node.traits) and mark is not None and mark.line and "/" in label
    return "" if told_below or node.kind == "person" else label


def _name(node: Node, place: Placed, inside: Interior, mark: NodeMark | None) -> str:
    """The name with the status before it and the count behind it; a person's sign stands where the status would."""
    x, y = inside.name
    name = f'<text class="graph-name" x="{number(x)}" y="{number(y + 4.5)}">{clean(shortened(node.name))}</text>'
    sign = ""
    if node.kind == "person":
        at = f"translate({number(place.left + 18)} {number(y)})"
        sign = f'<path class="graph-person" transform="{at}" d="{PERSON}"/>'
    return sign + inlays.badge(*inside.badge, mark) + name + inlays.count(*inside.count, drawn_count(node, mark))


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
