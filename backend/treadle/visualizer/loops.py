"""Lead every edge that closes a loop round the nodes it goes past: out of a side, along them, and in again beside.

It runs along the body of its loop, the nodes between its ends, on the side where it crosses least; an inner loop stays
inside an outer one. Both ends lie on the same side, so that a loop looks like a bracket.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from treadle.visualizer.layering import Ranked
from treadle.visualizer.ordering import Lanes

Side = Literal[-1, 1]
Place = tuple[int, float]
"""An item and how far beside it: an edge that leaves by a side starts a little off its node."""

_SIDES: tuple[Side, Side] = (1, -1)
OUT = 14.0
APART = 9.0
_BESIDE = 0.3
_CROSSING = 10.0
_OUTSIDE = 0.01
_DETOUR = 0.02


@dataclass(slots=True)
class Loops:
    """The edges that close a loop, inner ones first, and the side each is on."""

    order: list[int] = field(default_factory=list)
    side: dict[int, Side] = field(default_factory=dict)
    at_sides: dict[tuple[int, Side], list[int]] = field(default_factory=dict)

    def count(self, node: int, side: Side) -> int:
        """How many of them begin or end on one side of a node."""
        return len(self.at_sides.get((node, side), ()))


def weave(plan: Lanes, ranked: Ranked, *, joints: Collection[int] = ()) -> Loops:
    """Put the closing edges into `plan`; `joints` are ends without a body, where a folded drawing goes on."""
    weaver = _Weaver(plan, set(joints))
    loops = Loops()
    closing = [at for at, closes in enumerate(ranked.turned) if closes]
    closing.sort(key=lambda at: (plan.rank_of[ranked.down[at][1]] - plan.rank_of[ranked.down[at][0]], at))
    for at in closing:
        upper, lower = ranked.down[at]
        side = weaver.lead(at, upper, lower)
        loops.order.append(at)
        loops.side[at] = side
        for end in (upper, lower):
            if end not in weaver.joints:
                loops.at_sides.setdefault((end, side), []).append(at)
    return loops


class _Weaver:
    def __init__(self, plan: Lanes, joints: set[int]) -> None:
        self.plan = plan
        self.joints = joints
        self.place = [{item: float(at) for at, item in enumerate(layer)} for layer in plan.layers]
        self.down = [list(items) for items in plan.down]
        self.up = [list(items) for items in plan.up]
        self.parts: list[list[tuple[Place, Place]]] = [[] for _ in plan.layers]
        for upper, lowers in enumerate(plan.down):
            for lower in lowers:
                self.parts[plan.rank_of[upper]].append(((upper, 0.0), (lower, 0.0)))

    def lead(self, at: int, upper: int, lower: int) -> Side:
        """Insert the lanes of one closing edge where they cross least; return their side."""
        body = self._body(upper, lower)
        top, bottom = self.plan.rank_of[upper], self.plan.rank_of[lower]
        levels = range(top + (upper not in self.joints), bottom + (lower in self.joints))
        best: tuple[float, Side, list[int]] | None = None
        for side in _SIDES:
            near = [self._beside(level, body, side) for level in levels]
            far = [len(self.plan.layers[level]) if side > 0 else 0 for level in levels]
            detour = sum(abs(a - b) for a, b in zip(near, far, strict=True))
            for slots, longer in ((near, 0), (far, detour)):
                cost = self._cost(upper, lower, levels, slots, side) + longer * _DETOUR
                if best is None or cost < best[0] - 1e-9:
                    best = (cost, side, slots)
        assert best is not None
        self._insert(at, upper, lower, levels, best[2], best[1])
        return best[1]

    def _body(self, upper: int, lower: int) -> set[int]:
        """The items on the ways from the upper end to the lower."""
        rank_of = self.plan.rank_of
        below = _reached(upper, self.down, lambda item: rank_of[item] <= rank_of[lower])
        if lower in self.joints:
            return below
        above = _reached(lower, self.up, lambda item: rank_of[item] >= rank_of[upper])
        return above if upper in self.joints else below & above

    def _beside(self, level: int, body: set[int], side: Side) -> int:
        """Where in a rank the body ends on this side."""
        inside = [at for at, item in enumerate(self.plan.layers[level]) if item in body]
        if not inside:
            return len(self.plan.layers[level]) if side > 0 else 0
        return inside[-1] + 1 if side > 0 else inside[0]

    def _cost(self, upper: int, lower: int, levels: range, slots: Sequence[int], side: Side) -> float:
        points = [slot - 0.5 for slot in slots]
        if upper not in self.joints:
            points.insert(0, self.place[self.plan.rank_of[upper]][upper] + side * _BESIDE)
        if lower not in self.joints:
            points.append(self.place[self.plan.rank_of[lower]][lower] + side * _BESIDE)
        crossings = 0
        level = self.plan.rank_of[upper]
        for a, b in pairwise(points):
            high, low = self.place[level], self.place[level + 1]
            for (one, off), (other, away) in self.parts[level]:
                if (high[one] + off - a) * (low[other] + away - b) < 0:
                    crossings += 1
            level += 1
        outside = sum(
            len(self.plan.layers[level]) - slot if side > 0 else slot for level, slot in zip(levels, slots, strict=True)
        )
        return crossings * _CROSSING + outside * _OUTSIDE

    def _insert(self, at: int, upper: int, lower: int, levels: range, slots: Sequence[int], side: Side) -> None:
        plan = self.plan
        chain = [upper] if upper not in self.joints else []
        for level, slot in zip(levels, slots, strict=True):
            if level == plan.rank_of[upper]:
                item = upper
            elif level == plan.rank_of[lower]:
                item = lower
            else:
                item = len(plan.rank_of)
                plan.rank_of.append(level)
                for near in (plan.up, plan.down, self.up, self.down):
                    near.append([])
            plan.layers[level].insert(slot, item)
            self.place[level] = {item: float(index) for index, item in enumerate(plan.layers[level])}
            chain.append(item)
        if lower not in self.joints:
            chain.append(lower)
        for a, b in pairwise(chain):
            self.down[a].append(b)
            self.up[b].append(a)
            off = side * _BESIDE if a == upper and a not in self.joints else 0.0
            away = side * _BESIDE if b == lower and b not in self.joints else 0.0
            self.parts[plan.rank_of[a]].append(((a, off), (b, away)))
            if self._free(a) and self._free(b):
                plan.down[a].append(b)
                plan.up[b].append(a)
        plan.chains[at] = chain

    def _free(self, item: int) -> bool:
        """Whether an item is a lane or a joint, which may stand anywhere."""
        return item >= self.plan.count or item in self.joints


def _reached(start: int, near: Sequence[Sequence[int]], within: Callable[[int], bool]) -> set[int]:
    found = {start}
    queue = [start]
    while queue:
        for other in near[queue.pop()]:
            if other not in found and within(other):
                found.add(other)
                queue.append(other)
    return found
