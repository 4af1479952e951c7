"""Know the outline of a node: how much of a side edges may use, and where a curved side really is."""

from __future__ import annotations

import math
from collections.abc import Sequence, Sized
from typing import Protocol

from treadle.visualizer.geometry import Direction

PILL = 16.0


class Outline(Protocol):
    """What places and routes must know of a node; see sheet.Shape."""

    @property
    def across(self) -> float: ...
    @property
    def along(self) -> float: ...
    @property
    def round(self) -> bool: ...
    @property
    def joint(self) -> bool: ...
    @property
    def own(self) -> Sized: ...
    @property
    def tail(self) -> Sequence[int]: ...


def side_room(node: Outline, direction: Direction) -> float:
    """Half the part of the upper or lower side that edges may touch, measured from its middle."""
    if node.joint:
        return 0.0
    if not node.round:
        return max(2.0, node.across / 2 - 9.0)
    return max(2.0, node.across / 2 - (PILL if direction == "TB" else PILL / 2))


def depth_at(node: Outline, offset: float, direction: Direction) -> float:
    """How far the outline has drawn back from the node's full length, `offset` away from the middle of that side."""
    return _sunk(offset, node.across) if node.round and direction == "LR" else 0.0


def flank_at(node: Outline, offset: float) -> float:
    """How far from the node's middle its left and right outline are, `offset` away from the middle of those sides."""
    return node.across / 2 - (_sunk(offset, node.along) if node.round else 0.0)


def _sunk(offset: float, length: float) -> float:
    inside = max(0.0, abs(offset) - (length / 2 - PILL))
    return PILL - math.sqrt(max(0.0, PILL**2 - inside**2))
