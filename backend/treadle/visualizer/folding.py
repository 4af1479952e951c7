"""Fold what would be too long for any screen into strips that are read one after the other, like the lines of a text.

Every strip runs in the same direction. Where an edge goes from one strip to another it leaves at the end, comes back
between the two and enters at the beginning; a sign on the way tells where it leads. Cuts are made where few edges pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf, sqrt

from treadle.visualizer.geometry import Direction, Point
from treadle.visualizer.layering import Ranked
from treadle.visualizer.packing import Part, Way
from treadle.visualizer.sheet import Shape, Sheet, Wire, arrange

LONGEST = 60
"""Ranks of nodes that are drawn in one strip."""

_WIDEST_CUT = 8
_ASPECT = 1.7
_BESIDE: Mapping[Direction, float] = {"TB": 100.0, "LR": 45.0}
_UNEVEN = 16.0
_CUT = 0.6
_TRACK = 10.0
_CLEAR = 14.0
_GUTTER = 22.0
_SIGN = 10.0


def cuts_of(shapes: Sequence[Shape], ranked: Ranked, direction: Direction, *, pitch: float) -> list[int]:
    """The ranks after which to cut: about equally far apart, where few edges pass; none if it is no long chain.

    `pitch` is about how far apart two ranks will be.
    """
    levels = max(ranked.ranks, default=0) + 1
    if levels <= LONGEST:
        return []
    passing = [0] * levels
    for a, b in ranked.down:
        for level in range(ranked.ranks[a], ranked.ranks[b]):
            passing[level] += 1
    across = sum(shape.across for shape in shapes) / levels + _BESIDE[direction]
    ratio = _ASPECT if direction == "TB" else 1 / _ASPECT
    ideal = levels / max(2, round(sqrt(levels * pitch * ratio / across)))
    best = [(0.0, -1)] + [(inf, -1)] * levels
    for end in range(1, levels + 1):
        if end < levels and passing[end - 1] > _WIDEST_CUT:
            continue
        price = _CUT * passing[end - 1] ** 2 if end < levels else 0.0
        for begin in range(max(0, end - int(ideal * 1.5) - 1), end):
            cost = best[begin][0] + _UNEVEN * ((end - begin) / ideal - 1) ** 2 + price
            if cost < best[end][0] - 1e-9:
                best[end] = (cost, begin)
    cuts: list[int] = []
    at = best[levels][1]
    while at > 0:
        cuts.append(at - 1)
        at = best[at][1]
    return cuts[::-1]


def folded(
    shapes: Sequence[Shape],
    wires: Sequence[Wire],
    ranked: Ranked,
    cuts: Sequence[int],
    words_at: Mapping[int, int],
    direction: Direction,
) -> Part:
    """The part in strips that end after the ranks `cuts`; `words_at` as for arrange."""
    return _Folding(shapes, wires, ranked, cuts, words_at, direction).part()


@dataclass(slots=True)
class _Strip:
    """The ranks from `first` to `last`: its nodes, its wires and, by wire, the joints where it meets other strips."""

    first: int
    last: int
    nodes: list[int] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    down: list[tuple[int, int]] = field(default_factory=list)
    turned: list[bool] = field(default_factory=list)
    exits: dict[int, int] = field(default_factory=dict)
    entries: dict[int, int] = field(default_factory=dict)
    offset: float = 0.0


class _Folding:
    def __init__(
        self,
        shapes: Sequence[Shape],
        wires: Sequence[Wire],
        ranked: Ranked,
        cuts: Sequence[int],
        words_at: Mapping[int, int],
        direction: Direction,
    ) -> None:
        self.shapes = shapes
        self.wires = wires
        self.ranked = ranked
        self.words_at = words_at
        self.direction: Direction = direction
        bounds = [-1, *cuts, max(ranked.ranks)]
        self.strips = [_Strip(a + 1, b) for a, b in pairwise(bounds)]
        self.strip_of = [
            next(at for at, strip in enumerate(self.strips) if level <= strip.last) for level in ranked.ranks
        ]
        for index, at in enumerate(self.strip_of):
            self.strips[at].nodes.append(index)
        ends = [(self.strip_of[upper], self.strip_of[lower]) for upper, lower in ranked.down]
        self.crossing = {at: pair for at, pair in enumerate(ends) if pair[0] != pair[1]}
        self.sheets: list[Sheet] = []
        self.gutters: dict[int, float] = {}
        self.tracks: dict[int, int] = {}

    def part(self) -> Part:
        part = Part()
        across = 0.0
        for number, strip in enumerate(self.strips):
            incoming = [at for at, (_, lower) in self.crossing.items() if lower == number]
            incoming.sort(key=lambda at: -self.gutters[at])
            self._fill(strip, number, incoming)
            sheet = self._arranged(strip, incoming)
            self.sheets.append(sheet)
            strip.offset = across - sheet.low
            for index in sheet.order:
                middle, *rest = sheet.boxes[index]
                part.boxes[strip.nodes[index]] = (middle + strip.offset, *rest)  # type: ignore[assignment]
            across += sheet.high - sheet.low
            outgoing = self._outgoing(number)
            for track, at in enumerate(outgoing):
                self.gutters[at] = across + _GUTTER + track * _TRACK
                self.tracks[at] = track
            across += 2 * _GUTTER + max(0, len(outgoing) - 1) * _TRACK
        tops = self._tops()
        part.ways = self._ways(tops)
        part.shift(0.0, _CLEAR + (max(tops.values(), default=0) + 1) * _TRACK)
        part.measure([(0.0, across - 2 * _GUTTER)])
        return part

    def _outgoing(self, number: int) -> list[int]:
        """The edges that leave a strip at its end, from right to left."""
        exits, boxes = self.strips[number].exits, self.sheets[number].boxes
        return sorted(exits, key=lambda at: -boxes[exits[at]][0])

    def _fill(self, strip: _Strip, number: int, incoming: Sequence[int]) -> None:
        """Collect a strip's nodes and wires, and a joint for each end that lies in another strip."""
        local = {index: at for at, index in enumerate(strip.nodes)}
        strip.shapes = [self.shapes[index] for index in strip.nodes]
        outgoing = [at for at, (upper, _) in self.crossing.items() if upper == number]
        for joints, edges in ((strip.entries, incoming), (strip.exits, outgoing)):
            for at in edges:
                joints[at] = len(strip.shapes)
                strip.shapes.append(Shape(0.0, 0.0, joint=True))
        for at, (upper, lower) in enumerate(self.ranked.down):
            if upper not in local and lower not in local:
                continue
            ends = (local[upper] if upper in local else strip.entries[at],
                    local[lower] if lower in local else strip.exits[at])  # fmt: skip
            turned, wire = self.ranked.turned[at], self.wires[at]
            room = None if at in strip.entries else wire.room
            strip.wires.append(Wire(at, *(ends[::-1] if turned else ends), room, wire.weight))
            strip.down.append(ends)
            strip.turned.append(turned)

    def _arranged(self, strip: _Strip, incoming: Sequence[int]) -> Sheet:
        base = strip.first - (1 if strip.entries else 0)
        ranks = [self.ranked.ranks[index] - base for index in strip.nodes]
        ranks += [0] * len(strip.entries) + [strip.last + 1 - base] * len(strip.exits)
        local = {index: at for at, index in enumerate(strip.nodes)}
        number = {wire.edge: at for at, wire in enumerate(strip.wires) if wire.edge is not None}
        turned = self.ranked.turned
        trail = [mark for at in incoming if not turned[at] for mark in (strip.entries[at], ~number[at])]
        for mark in self.ranked.trail:
            if mark >= 0 and mark in local:
                trail.append(local[mark])
            elif mark < 0 and ~mark in number and ~mark not in strip.entries:
                trail.append(~number[~mark])
                if ~mark in strip.exits and not turned[~mark]:
                    trail.append(strip.exits[~mark])
        words = {
            number[at]: level - base for at, level in self.words_at.items() if at in number and at not in strip.entries
        }
        ranked = Ranked(ranks, strip.down, strip.turned, trail)
        return arrange(strip.shapes, strip.wires, ranked, self.direction, words_at=words)

    def _tops(self) -> dict[int, int]:
        """How many tracks above the strips each crossing edge runs: those that begin further left run higher."""
        found: dict[int, int] = {}
        spans: list[tuple[float, float, int]] = []
        for at in sorted(self.crossing, key=lambda at: -self.gutters[at]):
            number = self.crossing[at][1]
            strip = self.strips[number]
            begin, end = self.gutters[at], self.sheets[number].boxes[strip.entries[at]][0] + strip.offset
            low, high = min(begin, end) - _TRACK, max(begin, end) + _TRACK
            track = max((used + 1 for left, right, used in spans if left < high and right > low), default=0)
            spans.append((low, high, track))
            found[at] = track
        return found

    def _ways(self, tops: Mapping[int, int]) -> list[Way]:
        """All ways, with those that cross from strip to strip put together."""
        points: dict[int, list[Point]] = {}
        labels: dict[int, Point] = {}
        found: list[Way] = []
        for strip, sheet in zip(self.strips, self.sheets, strict=True):
            for at, way in sheet.ways.items():
                edge = strip.wires[at].edge
                assert edge is not None
                moved = [(a + strip.offset, b) for a, b in way]
                points[edge] = self._joined(edge, points[edge], moved, tops[edge]) if edge in points else moved
                if at in sheet.labels:
                    across, along = sheet.labels[at]
                    labels[edge] = (across + strip.offset, along)
            for own in sheet.own:
                own.shift(strip.offset, 0.0)
                found.append(own)
        for at, wire in enumerate(self.wires):
            assert wire.edge is not None
            turned = self.ranked.turned[at]
            whole = Way(wire.edge, points[at][::-1] if turned else points[at], turned, labels.get(at))
            if at in self.crossing:
                whole.turns = _signs(whole.points, self.gutters[at])
            found.append(whole)
        return found

    def _joined(self, edge: int, upper: list[Point], lower: list[Point], track: int) -> list[Point]:
        """The way from a joint at the end of a strip to one at the beginning of another."""
        gutter = self.gutters[edge]
        bottom = upper[-1][1] + _CLEAR / 2 + self.tracks[edge] * _TRACK
        top = -_CLEAR - track * _TRACK
        return [*upper, (upper[-1][0], bottom), (gutter, bottom), (gutter, top), (lower[0][0], top), *lower]


def _signs(points: Sequence[Point], gutter: float) -> list[tuple[Point, Point]]:
    """A sign in the middle of the part that runs back between two strips."""
    for (x1, y1), (x2, y2) in pairwise(points):
        if x1 == x2 == gutter:
            middle, ahead = (y1 + y2) / 2, _SIGN if y2 > y1 else -_SIGN
            return [((x1, middle), (x1, middle + ahead))]
    return []
