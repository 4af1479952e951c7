"""Find a free spot for the words of each edge: on or beside it, never on a node or on other words.

Words that were given a place by the layout keep it. The rest are short (how often an edge was taken): they look for a
place near the middle of the edge's longest part, and further off when that is taken.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

from treadle.visualizer.geometry import Placed, Point
from treadle.visualizer.sizes import FRAME_TITLE

ROOM = (38.0, 17.0)
_CELL = 72.0
_BESIDE = 4.0
_HARD = 1000.0
_LINE = 6.0
_FRAME = 9.0

Rect = tuple[float, float, float, float]
_Entry = tuple[float, float, float, float, int, float]
Spot = tuple[Point, tuple[float, float]]
"""The centre of an edge's words and the room they have."""


def label_spots(
    nodes: Sequence[Placed],
    lines: Sequence[tuple[Point, ...]],
    given: Sequence[Spot | None],
    frames: Sequence[Placed] = (),
    blocks: Sequence[Rect] = (),
) -> list[Spot]:
    """The spot of each edge's words, in the order of `lines`; edges placed first choose first.

    `given` spots are kept. `frames` are nodes with others inside: only their borders and titles are in the way.
    `blocks` are in the way, too.
    """
    grid = _Grid()
    for block in blocks:
        grid.add(block, owner=-1, cost=_HARD)
    around = {frame.id for frame in frames}
    for node in nodes:
        if node.id not in around:
            grid.add((node.left - 2, node.top - 2, node.right + 2, node.bottom + 2), owner=-1, cost=_HARD)
    for frame in frames:
        grid.add((frame.left, frame.top, frame.right, frame.top + FRAME_TITLE), owner=-1, cost=_HARD)
        for x in (frame.left, frame.right):
            grid.add((x, frame.top, x, frame.bottom), owner=-1, cost=_FRAME)
        grid.add((frame.left, frame.bottom, frame.right, frame.bottom), owner=-1, cost=_FRAME)
    for spot in given:
        if spot is not None:
            grid.add(_rect(*spot), owner=-2, cost=_HARD)
    for index, points in enumerate(lines):
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            grid.add((min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)), owner=index, cost=_LINE)
    spots: list[Spot] = []
    for index, points in enumerate(lines):
        kept = given[index]
        if kept is None:
            kept = (_free(points, grid, index), ROOM)
            grid.add(_rect(*kept), owner=-2, cost=_HARD)
        spots.append(kept)
    return spots


def _free(points: tuple[Point, ...], grid: _Grid, index: int) -> Point:
    best, least = points[0], float("inf")
    for price, spot in _candidates(points):
        if price >= least:
            continue
        cost = price + grid.cost(_rect(spot, ROOM), index, most=least - price)
        if cost < least:
            best, least = spot, cost
            if not least:
                break
    if least >= _HARD:
        best = next(spot for spot in _around(points) if grid.cost(_rect(spot, ROOM), index, most=_HARD) < _HARD)
    return round(best[0], 2), round(best[1], 2)


def _rect(spot: Point, room: tuple[float, float]) -> Rect:
    across, down = room[0] / 2, room[1] / 2
    return (spot[0] - across, spot[1] - down, spot[0] + across, spot[1] + down)


def _candidates(points: tuple[Point, ...]) -> Iterator[tuple[float, Point]]:
    """Spots with their price: on the longest part first, near its middle; beside the edge costs a little."""
    parts = sorted(
        itertools.pairwise(points),
        key=lambda part: -abs(part[0][0] - part[1][0]) - abs(part[0][1] - part[1][1]),
    )
    wide, high = ROOM
    for order, ((x1, y1), (x2, y2)) in enumerate(parts[:5]):
        upright = abs(x1 - x2) < 0.02
        length = abs(y1 - y2) if upright else abs(x1 - x2)
        short = 4.0 if length < (high if upright else wide) + 18 else 0.0
        aside = (wide / 2 + _BESIDE, 0.0) if upright else (0.0, high / 2 + _BESIDE)
        for share, price in (
            (0.5, 0.0), (0.4, 0.3), (0.6, 0.3), (0.28, 0.8), (0.72, 0.8), (0.15, 1.5), (0.85, 1.5),
        ):  # fmt: skip
            x, y = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share
            base = order * 1.0 + price
            yield base + short, (x, y)
            yield base + 2.0, (x - aside[0], y - aside[1])
            yield base + 2.1, (x + aside[0], y + aside[1])


def _around(points: tuple[Point, ...]) -> Iterator[Point]:
    """Spots further and further away from the middle of a way; outside of the picture there is always one."""
    x, y = points[len(points) // 2]
    for ring in itertools.count(1):
        for column in range(-ring, ring + 1):
            for row in (-ring, ring) if abs(column) < ring else range(-ring, ring + 1):
                yield x + column * ROOM[0] / 2, y + row * ROOM[1] / 2


class _Grid:
    """Rectangles sorted into square cells, so that looking one up does not mean looking at all of them."""

    def __init__(self) -> None:
        self._cells: defaultdict[tuple[int, int], list[_Entry]] = defaultdict(list)

    def add(self, rect: Rect, *, owner: int, cost: float) -> None:
        entry = (*rect, owner, cost)
        for cell in _covered(rect):
            self._cells[cell].append(entry)

    def cost(self, rect: Rect, owner: int, *, most: float) -> float:
        """What it costs to stand there; the search ends when it is `most` or more."""
        left, top, right, bottom = rect
        seen: list[_Entry] = []
        total = 0.0
        for cell in _covered(rect):
            for entry in self._cells.get(cell, ()):
                if (
                    entry[4] != owner
                    and entry[2] > left
                    and entry[0] < right
                    and entry[3] > top
                    and entry[1] < bottom
                    and entry not in seen
                ):
                    seen.append(entry)
                    total += entry[5]
                    if total >= most:
                        return total
        return total


def _covered(rect: Rect) -> Iterator[tuple[int, int]]:
    for column in range(int(rect[0] // _CELL), int(rect[2] // _CELL) + 1):
        for row in range(int(rect[1] // _CELL), int(rect[3] // _CELL) + 1):
            yield column, row
