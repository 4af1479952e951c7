"""Draw what is told inside a node beside its name: status, count, small facts, warnings, the grid of a group."""

from __future__ import annotations

from collections.abc import Sequence

from treadle.visualizer.geometry import Placed
from treadle.visualizer.graph import Trait
from treadle.visualizer.icons import CHIPS, DISC, GLYPHS, WARNING
from treadle.visualizer.markup import clean, number
from treadle.visualizer.overlay import NodeMark
from treadle.visualizer.sizes import CELL, CHIP_GAP, CHIP_ICON, SMALL_FONT, cell_places, chips_width
from treadle.visualizer.status import Status
from treadle.visualizer.text import text_width

_SHORT = 3


def badge(x: float, y: float, mark: NodeMark | None) -> str:
    """The status as an icon on a disc; it is there before there is a status, for live pages to fill."""
    glyph = GLYPHS[mark.status if mark else "idle"]
    return (
        f'<g class="graph-badge" transform="translate({number(x)} {number(y)})">'
        f'<circle class="graph-disc" r="{number(DISC)}"/><path class="graph-glyph" d="{glyph}"/></g>'
    )


def count(x: float, y: float, label: str) -> str:
    """How often, ending at `x`; a long number is written smaller, so that it stays off the name."""
    long = " is-long" if len(label) > _SHORT else ""
    return f'<text class="graph-count{long}" x="{number(x)}" y="{number(y + 4)}">{clean(label)}</text>'


def note(x: float, y: float, words: str) -> str:
    """A line under the name."""
    return f'<text class="graph-note" x="{number(x)}" y="{number(y)}">{clean(words)}</text>'


def chips(traits: Sequence[Trait], x: float, y: float) -> str:
    """The small facts of a step around `x`: an icon and a word each."""
    x -= chips_width(traits) / 2
    out = []
    for trait in traits:
        at = f"translate({number(x + 4)} {number(y)})"
        out.append(f'<path transform="{at}" d="{CHIPS[trait.kind]}"/>')
        out.append(f'<text x="{number(x + CHIP_ICON)}" y="{number(y + 3.5)}">{clean(trait.text)}</text>')
        x += CHIP_ICON + text_width(trait.text, size=SMALL_FONT) + CHIP_GAP
    return f'<g class="graph-chips">{"".join(out)}</g>'


def cells(statuses: Sequence[Status], most: int, x: float, top: float) -> str:
    """The grid of a group of `most` around `x`: a small box with an icon for each execution."""
    wide, high = CELL
    out = []
    for (left, down), status in zip(cell_places(most), statuses, strict=False):
        place = x + left, top + down
        out.append(
            f'<g class="graph-cell is-{status}" transform="translate({number(place[0])} {number(place[1])})">'
            f'<rect width="{number(wide)}" height="{number(high)}" rx="3.5"/>'
            f'<path transform="translate({number(wide / 2)} {number(high / 2)}) scale(.8)" d="{GLYPHS[status]}"/></g>'
        )
    return f'<g class="graph-cells">{"".join(out)}</g>'


def warning(place: Placed) -> str:
    """The sign on the corner of a node that is probably not meant as it is."""
    x = place.right - (8 if place.shape == "pill" else 4)
    return (
        f'<path class="graph-warning" transform="translate({number(x)} {number(place.top + 1)})" d="{WARNING}"/>'
    )
