"""Set the unconnected parts of a graph beside and under each other, in declared order."""

from __future__ import annotations

from dataclasses import dataclass, field

from treadle.visualizer.geometry import Point


@dataclass(slots=True)
class Part:
    """One connected part in across and along: boxes (middle across, middle along, width, depth) and ways of edges."""

    members: list[int]
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    ways: list[tuple[int, list[Point], bool]] = field(default_factory=list)
    low: float = 0.0
    high: float = 0.0
    depth: float = 0.0
    _fresh: bool = True

    def grow(self, low: float, high: float) -> None:
        """Take the stretch from `low` to `high` into the part's width."""
        self.low = low if self._fresh else min(self.low, low)
        self.high = high if self._fresh else max(self.high, high)
        self._fresh = False

    def measure(self) -> None:
        """Take every edge into the width, and find the depth."""
        for _, way, _ in self.ways:
            for across, _ in way:
                self.grow(across, across)
        self.depth = max((along + deep / 2 for _, along, _, deep in self.boxes), default=0.0)

    def shift(self, across: float, along: float) -> None:
        """Move everything."""
        self.boxes = [(a + across, b + along, wide, deep) for a, b, wide, deep in self.boxes]
        self.ways = [(at, [(a + across, b + along) for a, b in way], back) for at, way, back in self.ways]


def pack(parts: list[Part], *, gap: float) -> list[Part]:
    """Move the parts into rows somewhat wider than the picture is deep, never narrower than the widest part."""
    area = sum((part.high - part.low + gap) * (part.depth + gap) for part in parts)
    widest = max((part.high - part.low for part in parts), default=0.0)
    limit = max(widest, 1.6 * float(area) ** 0.5)
    across = along = deepest = 0.0
    for part in parts:
        wide = part.high - part.low
        if across and across + wide > limit:
            along += deepest + gap
            across = deepest = 0.0
        part.shift(across - part.low, along)
        across += wide + gap
        deepest = max(deepest, part.depth)
    return parts
