"""Know the outline of a node: how much of a side edges may use, and where a curved side really is."""

from __future__ import annotations

import math

from treadle.visualizer.geometry import Direction

PILL = 16.0


def side_room(across: float, pill: bool, direction: Direction) -> float:
    """Half the part of a side that edges may touch, measured from its middle."""
    if not pill:
        return max(2.0, across / 2 - 9.0)
    if direction == "TB":
        return max(2.0, across / 2 - PILL)
    return max(2.0, across / 2 - PILL / 2)


def depth_at(offset: float, across: float, pill: bool, direction: Direction) -> float:
    """How far the outline has drawn back from the node's full length, `offset` away from the middle of a side."""
    if not pill or direction == "TB":
        return 0.0
    inside = max(0.0, abs(offset) - (across / 2 - PILL))
    return PILL - math.sqrt(max(0.0, PILL**2 - inside**2))
