"""Find a free spot for a short label on or beside each edge, away from nodes, other edges and other labels."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

from treadle.visualizer.geometry import Placed, Point

WIDTH = 26.0
HEIGHT = 17.0
_CELL = 48.0
_BESIDE = 4.0

Rect = tuple[float, float, float, float]


def label_spots(nodes: Sequence[Placed], routes: Sequence[tuple[Point, ...]]) -> list[Point]:
    """The centre of each edge's label, in the order of `routes`; edges placed first choose first."""
    grid = _Grid()
    for node in nodes:
        grid.add((node.left - 2, node.top - 2, node.right + 2, node.bottom + 2), owner=-1, cost=100.0)
    for index, points in enumerate(routes):
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            grid.add((min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)), owner=index, cost=6.0)
    spots: list[Point] = []
    for index, points in enumerate(routes):
        best: tuple[float, Point] | None = None
        for price, spot in _candidates(points):
            if best is not None and price >= best[0]:
                continue
            cost = price + grid.cost(_rect(spot), index)
            if best is None or cost < best[0]:
                best = (cost, spot)
        spot = best[1] if best else points[0]
        grid.add(_rect(spot), owner=-2, cost=60.0)
        spots.append((round(spot[0], 2), round(spot[1], 2)))
    return spots


def _rect(spot: Point) -> Rect:
    return (spot[0] - WIDTH / 2, spot[1] - HEIGHT / 2, spot[0] + WIDTH / 2, spot[1] + HEIGHT / 2)


def _candidates(points: tuple[Point, ...]) -> Iterator[tuple[float, Point]]:
    """Spots with their price: on the longest part first, near its middle; beside the edge costs a little."""
    parts = sorted(
        itertools.pairwise(points),
        key=lambda part: -abs(part[0][0] - part[1][0]) - abs(part[0][1] - part[1][1]),
    )
    for order, ((x1, y1), (x2, y2)) in enumerate(parts[:4]):
        upright = abs(x1 - x2) < 0.02
        length = abs(y1 - y2) if upright else abs(x1 - x2)
        short = 4.0 if length < (HEIGHT if upright else WIDTH) + 18 else 0.0
        aside = (WIDTH / 2 + _BESIDE, 0.0) if upright else (0.0, HEIGHT / 2 + _BESIDE)
        for share, price in ((0.5, 0.0), (0.4, 0.3), (0.6, 0.3), (0.28, 0.8), (0.72, 0.8), (0.15, 1.5), (0.85, 1.5)):
            x, y = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share
            base = order * 1.0 + price
            yield base + short, (x, y)
            yield base + 2.0, (x - aside[0], y - aside[1])
            yield base + 2.1, (x + aside[0], y + aside[1])


class _Grid:
    """Rectangles sorted into square cells, so that looking one up does not mean looking at all of them."""

    def __init__(self) -> None:
        self._cells: defaultdict[tuple[int, int], list[tuple[Rect, int, float]]] = defaultdict(list)

    def add(self, rect: Rect, *, owner: int, cost: float) -> None:
        for cell in _covered(rect):
            self._cells[cell].append((rect, owner, cost))

    def cost(self, rect: Rect, owner: int) -> float:
        seen: set[tuple[Rect, int]] = set()
        total = 0.0
        left, top, right, bottom = rect
        for cell in _covered(rect):
            for other, whose, cost in self._cells.get(cell, ()):
                if whose == owner or other[2] < left or other[0] > right or other[3] < top or other[1] > bottom:
                    continue
                if (other, whose) not in seen:
                    seen.add((other, whose))
                    total += cost
        return total


def _covered(rect: Rect) -> Iterator[tuple[int, int]]:
    for column in range(int(rect[0] // _CELL), int(rect[2] // _CELL) + 1):
        for row in range(int(rect[1] // _CELL), int(rect[3] // _CELL) + 1):
            yield column, row
