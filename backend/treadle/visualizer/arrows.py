"""Draw edges: the line, its head, the signs on long ways back, and the words on it."""

from __future__ import annotations

from treadle.visualizer.geometry import Point, Route
from treadle.visualizer.graph import Edge
from treadle.visualizer.markup import clean, length, line_path, number, pair, towards
from treadle.visualizer.overlay import EdgeMark, stroke_width
from treadle.visualizer.sizes import COUNT_FONT, LABEL_FONT
from treadle.visualizer.text import shortened, text_width

TRIGGER_WIDTH = 7.0
_HEAD = 8.5
_SIDE = 3.9
_PLAIN_WIDTH = 1.5
TURN_WIDTH = 2.25


def edge_svg(route: Route, mark: EdgeMark | None, *, quiet: bool, mini: bool) -> str:
    """An edge; `quiet` ones tell of what happens only when something fails."""
    classes = ["graph-edge"]
    if mark:
        classes.append(f"is-{mark.status}")
        classes += [name for name, on in (("is-trigger", mark.trigger), ("is-dim", mark.dim)) if on]
    turns = bool(route.turns) and not route.back
    classes += [name for name, on in (("is-back", route.back), ("is-turn", turns), ("is-quiet", quiet)) if on]
    points = route.points
    end, before = points[-1], points[-2]
    wide = TURN_WIDTH if turns and mark is None else edge_width(mark)
    short = (*points[:-1], towards(end, before, min(_HEAD * _grown(wide) - 2, length(end, before) / 2)))
    return (
        f'<g class="{" ".join(classes)}"'
        + ("" if mini else f' data-edge="{clean(route.key)}"')
        + f'><path class="graph-line" stroke-width="{number(wide)}" d="{line_path(short)}"/>'
        + f'<path class="graph-head" d="{_head(end, before, wide)}"/>'
        + ("" if mini else "".join(f'<path class="graph-head" d="{_sign(*turn, wide)}"/>' for turn in route.turns))
        + "</g>"
    )


def words_svg(edge: Edge, route: Route, mark: EdgeMark | None, *, inside: bool) -> str:
    """The words of an edge on a patch of the ground: how many events it carried, and which ones if it stands for them.

    They are there before there is anything to say, for live pages to fill.
    """
    label = mark.label if mark else ""
    name = shortened(edge.label)
    wide = text_width(name, size=LABEL_FONT) if name else 0.0
    count = text_width(label, size=COUNT_FONT) + 4 if label else 0.0
    gap = 3.0 if name and label else 0.0
    box = min(wide + count + gap + 6, route.room[0])
    x, y = route.label
    if route.source == route.target and x > max(across for across, _ in route.points):
        x += (box - route.room[0]) / 2
    told = (
        ("is-empty", not label),
        ("has-words", bool(name)),
        ("is-inside", inside),
        ("is-dim", mark is not None and mark.dim),
    )
    classes = " ".join(["graph-times", *(word for word, on in told if on)])
    state = f" is-{mark.status}" if mark else ""
    spoken = (
        f'<text class="graph-words{state}" x="{number(x - (count + gap) / 2)}" y="{number(y + 4)}">{clean(name)}</text>'
        if name
        else ""
    )
    return (
        f'<g class="{classes}" data-edge-label="{clean(route.key)}">'
        f'<rect class="graph-times-box" x="{number(x - box / 2)}" y="{number(y - 8)}" '
        f'width="{number(box)}" height="16" rx="5"/>'
        f'<text class="graph-times-text" x="{number(x + (wide + gap) / 2)}" y="{number(y + 4)}">{clean(label)}</text>'
        f"{spoken}</g>"
    )


def edge_width(mark: EdgeMark | None) -> float:
    """How thick an edge is drawn; the one that brought about what is selected is the thickest."""
    if mark is None:
        return _PLAIN_WIDTH
    return TRIGGER_WIDTH if mark.trigger else stroke_width(mark.count)


def _head(end: Point, before: Point, wide: float) -> str:
    """A triangle with its tip on the border; a little larger on a thick line."""
    grow = _grown(wide)
    span = length(before, end) or 1.0
    dx, dy = (end[0] - before[0]) / span, (end[1] - before[1]) / span
    foot = (end[0] - dx * _HEAD * grow, end[1] - dy * _HEAD * grow)
    side = _SIDE * grow
    left, right = (foot[0] - dy * side, foot[1] + dx * side), (foot[0] + dy * side, foot[1] - dx * side)
    return f"M{pair(end)}L{pair(left)}L{pair(right)}Z"


def _grown(wide: float) -> float:
    return 1 + max(0.0, wide - 2.5) * 0.17


def _sign(at: Point, ahead: Point, wide: float) -> str:
    """A head in the middle of a line."""
    span = length(at, ahead) or 1.0
    tip = (at[0] + (ahead[0] - at[0]) / span * _HEAD, at[1] + (ahead[1] - at[1]) / span * _HEAD)
    return _head(tip, at, wide)
