"""Turn lanes and ports into corners: level parts on tracks between the ranks, upright ones on lanes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from treadle.visualizer.channels import entangled, tracks
from treadle.visualizer.geometry import Direction, Point
from treadle.visualizer.ordering import Lanes
from treadle.visualizer.outline import Outline, depth_at, flank_at
from treadle.visualizer.sides import SideEnds

LOOP = 24.0
LOOPS_APART = 10.0
_TRACK = 11.0
Lead = tuple[float, float, float]
"""How far level parts stay from the rank above and from the rank below, and how far the two are apart at least."""

_LEAD: dict[Direction, Lead] = {"TB": (16.0, 20.0, 46.0), "LR": (20.0, 24.0, 60.0)}
_TO_WORDS: dict[Direction, Lead] = {"TB": (16.0, 8.0, 28.0), "LR": (18.0, 8.0, 30.0)}
_FROM_WORDS: dict[Direction, Lead] = {"TB": (8.0, 19.0, 30.0), "LR": (6.0, 22.0, 32.0)}
_TO_JOINT: Lead = (14.0, 2.0, 18.0)
_FROM_JOINT: Lead = (2.0, 20.0, 26.0)


class Routing:
    """The ways of one sheet, once everything on it has its place sideways."""

    def __init__(
        self,
        plan: Lanes,
        xs: Sequence[float],
        begin: list[float],
        end: list[float],
        sides: SideEnds,
        boxes: Sequence[Outline],
        direction: Direction,
    ) -> None:
        self.plan = plan
        self.xs = xs
        self.begin = begin
        self.end = end
        self.sides = sides
        self.boxes = boxes
        self.direction = direction
        self.middles: list[float] = []
        self._tops: list[float] = []

    def middle(self, node: int) -> float:
        """How far along the middle of a node is: in that of its rank, except that a deep node begins with its rank."""
        level = self.plan.rank_of[node]
        return self._tops[level] + self.boxes[node].along / 2 if self.boxes[node].tail else self.middles[level]

    def ways(self, bands: Sequence[float], *, worded: Collection[int]) -> dict[int, list[Point]]:
        """The corner points of every edge from upper to lower end; `middles` has the middle line of every rank then.

        `bands` is how deep each rank is; in the ranks `worded` stand the words of edges.
        """
        plan = self.plan
        parts: list[list[tuple[int, int]]] = [[] for _ in plan.layers]
        for wire, chain in enumerate(plan.chains):
            for part in range(len(chain) - 1):
                parts[plan.rank_of[chain[part]]].append((wire, part))
        joints = {plan.rank_of[index] for index, box in enumerate(self.boxes) if box.joint}
        cuts: dict[tuple[int, int], tuple[float, float, float]] = {}
        top = 0.0
        deep = {plan.rank_of[box.tail[-1]]: at for at, box in enumerate(self.boxes) if box.tail}
        for level, least_band in enumerate(bands):
            self._tops.append(top)
            band = least_band
            if level in deep:
                node = deep[level]
                band = max(band, self._tops[plan.rank_of[node]] + self.boxes[node].along - top)
            self.middles.append(top + band / 2)
            top += band
            spans = {key: self._span(*key) for key in parts[level]}
            bent = [key for key, span in spans.items() if abs(span[0] - span[1]) > 0.01]
            self._part_entangled(bent, spans)
            found = tracks([spans[key] for key in bent])
            before, after, least = self._lead(level, worded, joints)
            used = max(found, default=0)
            space = max(least, before + after + used * _TRACK)
            first = top + before + (space - before - after - used * _TRACK) / 2
            for key, track in zip(bent, found, strict=True):
                cuts[key] = (*spans[key], first + track * _TRACK)
            top += space
        return {wire: self._way(wire, cuts) for wire in range(len(plan.chains))}

    def _lead(self, level: int, worded: Collection[int], joints: Collection[int]) -> Lead:
        if level in joints:
            return _FROM_JOINT
        if level + 1 in joints:
            return _TO_JOINT
        if level + 1 in worded:
            return _TO_WORDS[self.direction]
        return _FROM_WORDS[self.direction] if level in worded else _LEAD[self.direction]

    def _span(self, wire: int, part: int) -> tuple[float, float]:
        chain = self.plan.chains[wire]
        upper = self._end(wire, chain[0], self.begin) if part == 0 else self.xs[chain[part]]
        lower = self._end(wire, chain[-1], self.end) if part == len(chain) - 2 else self.xs[chain[part + 1]]
        return upper, lower

    def _end(self, wire: int, node: int, face: Sequence[float]) -> float:
        if self.boxes[node].joint:
            return self.xs[node]
        return self.sides.turn.get((wire, node), face[wire])

    def _part_entangled(
        self, bent: list[tuple[int, int]], spans: dict[tuple[int, int], tuple[float, float]]
    ) -> None:
        """Move the lower end of one of two edges that swap places a little, so their upright parts stay apart."""
        for position, key in enumerate(bent):
            wire, part = key
            chain = self.plan.chains[wire]
            lower = chain[-1]
            if part != len(chain) - 2 or self.boxes[lower].joint or (wire, lower) in self.sides.turn:
                continue
            for other in bent[position + 1 :]:
                a = spans[key]
                if entangled(a, spans[other]):
                    shift = 6.0 if a[0] > a[1] else -6.0
                    self.end[wire] += shift
                    spans[key] = (a[0], a[1] + shift)

    def _way(self, wire: int, cuts: dict[tuple[int, int], tuple[float, float, float]]) -> list[Point]:
        chain = self.plan.chains[wire]
        way = self._leave(wire, chain[0], self.begin, 1)
        for part in range(len(chain) - 1):
            if (wire, part) in cuts:
                x1, x2, y = cuts[wire, part]
                way += [(x1, y), (x2, y)]
        return way + self._leave(wire, chain[-1], self.end, -1)[::-1]

    def _leave(self, wire: int, node: int, face: Sequence[float], sign: int) -> list[Point]:
        """The first points of a way from a node: from its border, and the turn beside it if it leaves by a side."""
        box, middle = self.boxes[node], self.middle(node)
        if box.joint:
            return [(self.xs[node], middle)]
        if (wire, node) in self.sides.turn:
            turn, touch = self.sides.turn[wire, node], self.sides.touch[wire, node]
            flank = flank_at(box, touch) if turn > self.xs[node] else -flank_at(box, touch)
            return [(self.xs[node] + flank, middle + touch), (turn, middle + touch)]
        lift = box.along / 2 - depth_at(box, face[wire] - self.xs[node], self.direction)
        return [(face[wire], middle + sign * lift)]


def self_loops(across: float, along: float, box: Outline, touches: Sequence[tuple[float, float]]) -> list[list[Point]]:
    """Out of the far side, round and back in beside itself; each further loop goes round the one before."""
    found = []
    for index, (high, low) in enumerate(touches):
        edge = across + box.across / 2 + LOOP + index * LOOPS_APART
        first, last = across + flank_at(box, high), across + flank_at(box, low)
        found.append([(first, along + high), (edge, along + high), (edge, along + low), (last, along + low)])
    return found
