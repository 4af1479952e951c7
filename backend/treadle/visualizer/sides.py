"""Settle where the edges that close loops run beside their nodes: straight, close to the loop, and none on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from treadle.visualizer.loops import APART, OUT, Loops, Side
from treadle.visualizer.ordering import Lanes
from treadle.visualizer.outline import Outline

Reach = Sequence[tuple[float, float]]
_NEAREST = 8.0
_TOUCHES = 15.0


@dataclass(slots=True)
class SideEnds:
    """Where each closing edge turns beside its node, and how far off the node's middle line it touches it.

    `own` are the two touches of each edge from a node to itself, the innermost first.
    """

    turn: dict[tuple[int, int], float] = field(default_factory=dict)
    touch: dict[tuple[int, int], float] = field(default_factory=dict)
    own: dict[int, list[tuple[float, float]]] = field(default_factory=dict)


def tighten(
    plan: Lanes, xs: list[float], reach: Reach, loops: Loops, nodes: Sequence[Outline]
) -> dict[int, float]:
    """Make the lanes of every loop straight and draw them close to it; return where loops without lanes would turn."""
    at = plan.places()
    used: dict[tuple[int, Side], float] = {}
    wishes: dict[int, float] = {}
    for wire in loops.order:
        side = loops.side[wire]
        inner, outer = (0, 1) if side > 0 else (1, 0)
        least, most = [], []
        chain = plan.chains[wire]
        movable = []
        for item in chain:
            if (item, side) in loops.at_sides and wire in loops.at_sides[item, side]:
                least.append(side * xs[item] + nodes[item].across / 2 + OUT)
                if (item, side) in used:
                    least.append(used[item, side] + APART)
                continue
            movable.append(item)
            layer = plan.layers[plan.rank_of[item]]
            before, after = at[item] - side, at[item] + side
            if 0 <= before < len(layer):
                near = layer[before]
                least.append(side * xs[near] + reach[near][outer] + reach[item][inner])
            if 0 <= after < len(layer):
                near = layer[after]
                most.append(side * xs[near] - reach[near][inner] - reach[item][outer])
        wish = max(least)
        if movable and wish <= min(most, default=wish):
            for item in movable:
                xs[item] = side * wish
        if not movable:
            wishes[wire] = side * wish
        for item in (chain[0], chain[-1]):
            if item not in movable:
                used[item, side] = wish
    return wishes


def side_ends(
    plan: Lanes,
    xs: Sequence[float],
    reach: Reach,
    loops: Loops,
    wishes: dict[int, float],
    nodes: Sequence[Outline],
) -> SideEnds:
    """Give every closing edge its touch and its turn, and every edge from a node to itself its two touches."""
    found = SideEnds()
    at = plan.places()
    places: set[tuple[int, Side]] = {*loops.at_sides, *((at, 1) for at, box in enumerate(nodes) if box.own)}
    for node, side in sorted(places):
        outer = 1 if side > 0 else 0
        layer = plan.layers[plan.rank_of[node]]
        after = at[node] + side
        limit = float("inf")
        if 0 <= after < len(layer):
            near = layer[after]
            limit = side * xs[near] - reach[near][1 - outer]
        wires = loops.at_sides.get((node, side), [])
        wanted = {wire: side * _next(plan, xs, wire, node, wishes) for wire in wires}
        nearest = side * xs[node] + nodes[node].across / 2 + _NEAREST
        for position, wire in enumerate(sorted(wires, key=lambda wire: (wanted[wire], wire))):
            if not nearest <= wanted[wire] <= limit:
                wanted[wire] = side * xs[node] + nodes[node].across / 2 + OUT + APART * position
            found.turn[wire, node] = side * wanted[wire]
        ups = sorted((wire for wire in wires if plan.chains[wire][-1] == node), key=lambda wire: (wanted[wire], wire))
        downs = sorted((wire for wire in wires if plan.chains[wire][0] == node), key=lambda wire: (-wanted[wire], wire))
        mine = len(nodes[node].own) if side > 0 else 0
        touches = _touches(len(wires) + 2 * mine, nodes[node].along)
        for wire, touch in zip([*ups, *downs], touches[: len(ups)] + touches[len(ups) + 2 * mine :], strict=True):
            found.touch[wire, node] = touch
        between = touches[len(ups) : len(ups) + 2 * mine]
        found.own[node] = [(between[mine - 1 - index], between[mine + index]) for index in range(mine)]
    return found


def _next(plan: Lanes, xs: Sequence[float], wire: int, node: int, wishes: dict[int, float]) -> float:
    """Where an edge runs in the rank after the node it leaves."""
    chain = plan.chains[wire]
    return wishes[wire] if wire in wishes else xs[chain[1] if chain[0] == node else chain[-2]]


def _touches(count: int, depth: float) -> list[float]:
    apart = min(_TOUCHES, (depth - 14.0) / max(1, count - 1))
    return [(index - (count - 1) / 2) * apart for index in range(count)]
