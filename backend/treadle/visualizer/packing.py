"""Set the unconnected parts of a graph beside and under each other, in declared order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from treadle.visualizer.geometry import Point

Box = tuple[float, float, float, float]
"""Middle across, middle along, width, depth."""


@dataclass(slots=True)
class Way:
    """The corner points of one edge, from its source to its target, in across and along.

    `label` is the middle of the room kept for its words, if it has words of its own.
    """

    edge: int
    points: list[Point]
    back: bool = False
    label: Point | None = None
    turns: list[tuple[Point, Point]] = field(default_factory=list)

    def shift(self, across: float, along: float) -> None:
        """Move the whole way."""
        self.points = [(a + across, b + along) for a, b in self.points]
        self.turns = [((a + across, b + along), (c + across, d + along)) for (a, b), (c, d) in self.turns]
        if self.label is not None:
            self.label = (self.label[0] + across, self.label[1] + along)


@dataclass(slots=True)
class Part:
    """Nodes and ways that have their places beside each other; the keys of `boxes` are the nodes in reading order."""

    boxes: dict[int, Box] = field(default_factory=dict)
    ways: list[Way] = field(default_factory=list)
    low: float = 0.0
    high: float = 0.0
    depth: float = 0.0

    def measure(self, reach: Iterable[tuple[float, float]] = ()) -> None:
        """Find out how wide and how deep the part is; `reach` are further stretches it covers sideways."""
        across = [bound for box in self.boxes.values() for bound in (box[0] - box[2] / 2, box[0] + box[2] / 2)]
        across += [at for way in self.ways for at, _ in way.points]
        across += [bound for stretch in reach for bound in stretch]
        along = [box[1] + box[3] / 2 for box in self.boxes.values()]
        along += [at for way in self.ways for _, at in way.points]
        self.low, self.high = min(across, default=0.0), max(across, default=0.0)
        self.depth = max(along, default=0.0)

    def shift(self, across: float, along: float) -> None:
        """Move everything."""
        self.boxes = {key: (a + across, b + along, wide, deep) for key, (a, b, wide, deep) in self.boxes.items()}
        for way in self.ways:
            way.shift(across, along)
        self.low += across
        self.high += across


def pack(parts: list[Part], *, gap: float) -> Part:
    """One part of all: in rows somewhat wider than the picture is deep, never narrower than the widest part."""
    if len(parts) == 1:
        return parts[0]
    area = sum((part.high - part.low + gap) * (part.depth + gap) for part in parts)
    widest = max((part.high - part.low for part in parts), default=0.0)
    limit = max(widest, 1.6 * float(area) ** 0.5)
    whole = Part()
    across = along = deepest = 0.0
    for part in parts:
        wide = part.high - part.low
        if across and across + wide > limit:
            along += deepest + gap
            across = deepest = 0.0
        part.shift(across - part.low, along)
        whole.boxes.update(part.boxes)
        whole.ways += part.ways
        whole.high = max(whole.high, part.high)
        across += wide + gap
        deepest = max(deepest, part.depth)
    whole.depth = along + deepest
    return whole
