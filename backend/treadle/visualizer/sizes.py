"""Say how big each node is drawn, with room for its status icon and its count so that a run never moves anything."""

from __future__ import annotations

from treadle.visualizer.geometry import Size
from treadle.visualizer.graph import Node
from treadle.visualizer.text import shortened, text_width

STEP_FONT = 13.5
EVENT_FONT = 12.5
STEP_HEIGHT = 38.0
EVENT_HEIGHT = 32.0
CORNER = 7.0
BAR = 5.0
_ROOM = 31.0
_NARROW = 14.0


def font_size(node: Node) -> float:
    """The size of a node's label in pixels."""
    return EVENT_FONT if node.kind == "event" else STEP_FONT


def size_of(node: Node, *, roomy: bool = True) -> Size:
    """The size of a node; `roomy` leaves space beside the label for an icon and a count."""
    width = text_width(shortened(node.name), size=font_size(node)) + 2 * (_ROOM if roomy else _NARROW)
    if node.kind == "event":
        return Size(width=_even(max(width, 84.0)), height=EVENT_HEIGHT, shape="pill")
    return Size(width=_even(max(width, 84.0)), height=STEP_HEIGHT)


def _even(value: float) -> float:
    """Rounded up to an even number: centres and borders then fall on whole pixels."""
    return float(-(-int(value + 0.999) // 2) * 2)
