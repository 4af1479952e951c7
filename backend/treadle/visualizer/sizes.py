"""Say how big each node is drawn, with room for its status icon and its count so that a run never moves anything."""

from __future__ import annotations

from collections.abc import Sequence

from treadle.visualizer.geometry import Size
from treadle.visualizer.graph import Edge, Node, Trait
from treadle.visualizer.text import shortened, text_width

STEP_FONT = 13.5
EVENT_FONT = 12.5
LABEL_FONT = 11.5
SMALL_FONT = 10.5
COUNT_FONT = 11.0
NAME_HEIGHT = 22.0
STEP_HEIGHT = 38.0
EVENT_HEIGHT = 32.0
CORNER = 7.0
BAR = 5.0
FRAME = 18.0
FRAME_TITLE = 36.0
LABEL_HEIGHT = 18.0
NOTE_HEIGHT = 14.0
CHIP_HEIGHT = 16.0
CHIP_GAP = 6.0
CHIP_ICON = 12.0
CELL = (18.0, 13.0)
CELL_GAP = 5.0
CELLS_ACROSS = 10
MOST_CELLS = 100
_ROOM = 34.0
_NARROW = 14.0
_COUNT = 26.0


def font_size(node: Node) -> float:
    """The size of a node's label in pixels."""
    return EVENT_FONT if node.kind == "event" else STEP_FONT


def size_of(node: Node, *, roomy: bool = True) -> Size:
    """The size of a node; `roomy` leaves space beside the label for an icon and a count."""
    width = text_width(shortened(node.name), size=font_size(node)) + 2 * (_ROOM if roomy else _NARROW)
    if node.kind == "event":
        return Size(width=_even(max(width, 84.0)), height=EVENT_HEIGHT, shape="pill")
    height = STEP_HEIGHT
    if node.notes:
        height += NOTE_HEIGHT * len(node.notes)
        width = max(width, *(text_width(note, size=SMALL_FONT) + 24.0 for note in node.notes))
    if node.traits:
        height += CHIP_HEIGHT
        width = max(width, chips_width(node.traits) + 20.0)
        if any(trait.kind == "collects" for trait in node.traits):
            width = max(width, text_width("99 of 99 collected", size=SMALL_FONT) + 20.0)
    if node.instances:
        across, rows = grid_of(node.instances)
        height += grid_height(rows)
        width = max(width, across * (CELL[0] + CELL_GAP) + 26.0)
    return Size(width=_even(max(width, 84.0)), height=_even(height))


def chips_width(traits: Sequence[Trait]) -> float:
    """How wide the small facts of a step are beside each other."""
    widths = [CHIP_ICON + text_width(trait.text, size=SMALL_FONT) for trait in traits]
    return sum(widths) + CHIP_GAP * max(0, len(widths) - 1)


def grid_of(instances: int) -> tuple[int, int]:
    """How many cells stand beside each other in the grid of a group, and how many rows there are."""
    cells = min(instances, MOST_CELLS)
    across = CELLS_ACROSS if cells <= 5 * CELLS_ACROSS else 2 * CELLS_ACROSS
    across = min(across, cells)
    return across, -(-cells // across)


def cell_places(instances: int) -> list[tuple[float, float]]:
    """The corners of the cells in the grid of a group, from the middle of its upper edge."""
    if not instances:
        return []
    across, _ = grid_of(instances)
    wide, high = CELL[0] + CELL_GAP, CELL[1] + CELL_GAP
    left = -(across * wide - CELL_GAP) / 2
    return [(left + at % across * wide, at // across * high) for at in range(min(instances, MOST_CELLS))]


def grid_height(rows: int) -> float:
    """How high the grid of a group is, with what keeps it off the lines above."""
    return rows * (CELL[1] + CELL_GAP) + 2.0 if rows else 0.0


def label_size(edge: Edge, *, roomy: bool = True) -> tuple[float, float]:
    """The room of an edge's own words, with its count."""
    wide = text_width(shortened(edge.label), size=LABEL_FONT) + 10.0 + (_COUNT if roomy else 0.0)
    return _even(wide), LABEL_HEIGHT


def frame_width(node: Node) -> float:
    """How wide the frame of a nested workflow must be for its title."""
    return _even(text_width(shortened(node.name), size=STEP_FONT) + 2 * FRAME + 30.0)


def _even(value: float) -> float:
    """Rounded up to an even number: centres and borders then fall on whole pixels."""
    return float(-(-int(value + 0.999) // 2) * 2)
