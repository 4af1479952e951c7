"""Lay out ranked nodes and their edges on one sheet: where the nodes stand, and every corner of the edges.

Everything is computed in "across" and "along" (sideways and from rank to rank); both directions share every rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from treadle.visualizer.geometry import Direction, Point
from treadle.visualizer.layering import Ranked
from treadle.visualizer.loops import APART, OUT, Loops, weave
from treadle.visualizer.ordering import Lanes, lanes, untangle
from treadle.visualizer.outline import side_room
from treadle.visualizer.packing import Box, Part, Way
from treadle.visualizer.placing import place
from treadle.visualizer.ports import CLOSEST, ports
from treadle.visualizer.routing import LOOP, LOOPS_APART, Routing, self_loops
from treadle.visualizer.sides import side_ends, tighten

Room = tuple[float, float]
"""What the words of an edge need, across and along."""

_LANE = 9.0
_LANE_GAP = 4.0
_HALF_GAP: dict[Direction, float] = {"TB": 15.0, "LR": 10.5}
_LIFT = 11.0
_BESIDE = 6.0


@dataclass(slots=True)
class Shape:
    """A node to be placed; `own` are its edges to itself.

    A joint is a point where a folded drawing goes on. A deep node has a `tail` of shapes in the ranks below its own,
    which keep its place free there.
    """

    across: float
    along: float
    round: bool = False
    joint: bool = False
    own: list[Wire] = field(default_factory=list)
    tail: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge to be routed, by its number outside, with the room for its words if it has any.

    The heavier it is, the more it should be straight. One without a number is not drawn.
    """

    edge: int | None
    source: int
    target: int
    room: Room | None = None
    weight: int = 2


@dataclass(slots=True)
class Sheet:
    """Places and ways: `ways` of wires run from the upper end to the lower, `own` are those of edges to themselves.

    It is not `whole` when something would run through a deep node.
    """

    boxes: list[Box]
    order: list[int]
    ways: dict[int, list[Point]]
    labels: dict[int, Point]
    own: list[Way]
    low: float
    high: float
    whole: bool = True

    def part(self, wires: Sequence[Wire], turned: Sequence[bool]) -> Part:
        """The sheet as a part that can be packed beside others; its boxes keep their numbers."""
        part = Part({index: self.boxes[index] for index in self.order}, list(self.own))
        for at, wire in enumerate(wires):
            if wire.edge is not None:
                way = self.ways[at]
                part.ways.append(Way(wire.edge, way[::-1] if turned[at] else way, turned[at], self.labels.get(at)))
        part.measure([(self.low, self.high)] if self.boxes else ())
        return part


def arrange(
    shapes: Sequence[Shape],
    wires: Sequence[Wire],
    ranked: Ranked,
    direction: Direction,
    *,
    words_at: Mapping[int, int] | None = None,
) -> Sheet:
    """Place `shapes` on the ranks they were given and route `wires`, none of which leads back to its own source.

    `words_at` says for wires with words, by their place in `wires`, in which rank the words stand.
    """
    plan = lanes(len(shapes), ranked)
    untangle(plan)
    hidden = {index for index, shape in enumerate(shapes) if shape.joint}
    loops = weave(plan, ranked, joints=hidden)
    words = _words(plan, wires, words_at or {})
    _widen(shapes, plan, loops, direction)
    reach = _reach(shapes, plan, loops, words, direction)
    xs = place(plan, reach, [wire.weight for wire in wires])
    wishes = tighten(plan, xs, reach, loops, shapes)
    begin, end = ports(plan, xs, [side_room(shape, direction) for shape in shapes], loops.side)
    sides = side_ends(plan, xs, reach, loops, wishes, shapes)
    routing = Routing(plan, xs, begin, end, sides, shapes, direction)
    ways = routing.ways(_bands(shapes, plan, words, direction), worded={plan.rank_of[item] for item in words})
    hidden.update(index for shape in shapes for index in shape.tail)
    lift = _LIFT if direction == "LR" else 0.0
    gaps = [_HALF_GAP[direction] if item < plan.count else _LANE_GAP for item in range(len(xs))]
    return Sheet(
        [(xs[index], routing.middle(index), shape.across, shape.along) for index, shape in enumerate(shapes)],
        [item for layer in plan.layers for item in layer if item < len(shapes) and item not in hidden],
        ways,
        {at: (xs[item] - lift, routing.middles[plan.rank_of[item]]) for item, (at, _) in words.items()},
        [
            way
            for index, shape in enumerate(shapes)
            for way in _own_ways(shape, xs[index], routing.middle(index), sides.own.get(index, []), direction)
        ],
        min((x - left + spare for x, (left, _), spare in zip(xs, reach, gaps, strict=True)), default=0.0),
        max((x + right - spare for x, (_, right), spare in zip(xs, reach, gaps, strict=True)), default=0.0),
        all(_is_kept(plan, xs, [index, *shape.tail]) for index, shape in enumerate(shapes) if shape.tail),
    )


def _words(plan: Lanes, wires: Sequence[Wire], words_at: Mapping[int, int]) -> dict[int, tuple[int, Room]]:
    """The lanes that carry the words of wires."""
    found: dict[int, tuple[int, Room]] = {}
    for at, level in words_at.items():
        room = wires[at].room
        item = next(item for item in plan.chains[at] if plan.rank_of[item] == level)
        assert room is not None
        found[item] = (at, room)
    return found


def _is_kept(plan: Lanes, xs: Sequence[float], items: Sequence[int]) -> bool:
    """Whether a deep node and its tail stand straight below each other and nothing gets from one side to the other."""
    at = plan.places()
    if any(xs[item] != xs[items[0]] for item in items):
        return False
    after = {plan.rank_of[item]: item for item in items}
    for chain in plan.chains:
        for a, b in pairwise(chain):
            one, other = after.get(plan.rank_of[a]), after.get(plan.rank_of[b])
            if one is not None and other is not None and (at[a] - at[one]) * (at[b] - at[other]) < 0:
                return False
    return True


def _widen(shapes: Sequence[Shape], plan: Lanes, loops: Loops, direction: Direction) -> None:
    """Make a node big enough for all the edges on its busiest sides."""
    for index, shape in enumerate(shapes):
        if shape.joint:
            continue
        busiest = max(len(plan.up[index]), len(plan.down[index]))
        missing = (busiest - 1) * CLOSEST - 2 * side_room(shape, direction)
        if missing > 0:
            shape.across += missing
        aside = max(loops.count(index, -1), loops.count(index, 1) + 2 * len(shape.own))
        if aside > 2:
            shape.along = max(shape.along, (aside - 1) * APART + 14.0)
        for tail in shape.tail:
            shapes[tail].across = shape.across


def _reach(
    shapes: Sequence[Shape], plan: Lanes, loops: Loops, words: Mapping[int, tuple[int, Room]], direction: Direction
) -> list[tuple[float, float]]:
    """How far every item extends to its left and right, half the gap to its neighbour included."""
    gap = _HALF_GAP[direction]
    found: list[tuple[float, float]] = []
    for index, shape in enumerate(shapes):
        if shape.joint:
            found.append((_LANE, _LANE))
            continue
        left, right = (OUT + APART * (loops.count(index, side) - 1) for side in (-1, 1))
        left, right = (width if width >= OUT else 0.0 for width in (left, right))
        right = max(right, _own_room(shape, direction)[0])
        found.append((shape.across / 2 + left + gap, shape.across / 2 + right + gap))
    for item in range(len(shapes), len(plan.rank_of)):
        half = words[item][1][0] / 2 if item in words else 0.0
        if item in words and direction == "LR":
            found.append((half + _LIFT + _LANE_GAP, _LANE))
        else:
            found.append((max(half + _LANE_GAP, _LANE), max(half + _LANE_GAP, _LANE)))
    return found


def _bands(
    shapes: Sequence[Shape], plan: Lanes, words: Mapping[int, tuple[int, Room]], direction: Direction
) -> list[float]:
    """How deep every rank is."""
    bands = [0.0] * len(plan.layers)
    for index, shape in enumerate(shapes):
        level = plan.rank_of[index]
        if not shape.tail:
            bands[level] = max(bands[level], shape.along, _own_room(shape, direction)[1])
    for item, (_, room) in words.items():
        bands[plan.rank_of[item]] = max(bands[plan.rank_of[item]], room[1])
    return bands


def _own_room(shape: Shape, direction: Direction) -> Room:
    """What the edges of a node to itself need beside it, words included."""
    if not shape.own:
        return 0.0, 0.0
    rooms = [wire.room or (0.0, 0.0) for wire in shape.own]
    across, along = [room[0] for room in rooms], [room[1] for room in rooms]
    loops = LOOP + (len(rooms) - 1) * LOOPS_APART + _BESIDE
    if direction == "TB":
        return loops + max(across), sum(along)
    return loops + sum(across), max(along)


def _own_ways(
    shape: Shape, across: float, along: float, touches: Sequence[tuple[float, float]], direction: Direction
) -> list[Way]:
    """The ways of the edges of a node to itself; their words stand beyond the outermost."""
    found: list[Way] = []
    beyond = across + shape.across / 2 + LOOP + (len(shape.own) - 1) * LOOPS_APART + _BESIDE
    rooms = [wire.room or (0.0, 0.0) for wire in shape.own]
    beside = along - sum(room[1] for room in rooms) / 2
    for wire, room, points in zip(shape.own, rooms, self_loops(across, along, shape, touches), strict=True):
        assert wire.edge is not None
        if wire.room is None:
            label = None
        elif direction == "TB":
            label = (beyond + room[0] / 2, beside + room[1] / 2)
            beside += room[1]
        else:
            label = (beyond + room[0] / 2, along)
            beyond += room[0]
        found.append(Way(wire.edge, points, back=True, label=label))
    return found
