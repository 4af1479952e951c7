"""Order each rank from left to right: as declared, except where another order has fewer crossings."""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

from treadle.visualizer.layering import Ranked

_SWEEPS = 12


@dataclass(slots=True)
class Lanes:
    """Ranks filled with items: the real nodes first by number, then one lane item per rank a long edge passes.

    `chains` holds for every edge its items from the upper end to the lower; `layers` the items of each rank in order.
    Edges that close a loop come later (loops.py): they must not disturb the order of the rest.
    """

    count: int
    layers: list[list[int]]
    rank_of: list[int]
    chains: list[list[int]]
    up: list[list[int]]
    down: list[list[int]]

    def places(self) -> dict[int, int]:
        """Where each item stands in its rank."""
        return {item: at for layer in self.layers for at, item in enumerate(layer)}


def lanes(count: int, ranked: Ranked) -> Lanes:
    """Cut long edges into lanes and fill the ranks in the order of the walk from the start."""
    rank_of = list(ranked.ranks)
    chains: list[list[int]] = []
    for (a, b), closes in zip(ranked.down, ranked.turned, strict=True):
        if closes:
            chains.append([])
            continue
        chain = [a]
        for level in range(rank_of[a] + 1, rank_of[b]):
            chain.append(len(rank_of))
            rank_of.append(level)
        chains.append([*chain, b])
    up: list[list[int]] = [[] for _ in rank_of]
    down: list[list[int]] = [[] for _ in rank_of]
    for chain in chains:
        for a, b in itertools.pairwise(chain):
            down[a].append(b)
            up[b].append(a)
    layers: list[list[int]] = [[] for _ in range(max(rank_of, default=-1) + 1)]
    for mark in ranked.trail:
        for item in [mark] if mark >= 0 else chains[~mark][1:-1]:
            layers[rank_of[item]].append(item)
    return Lanes(count=count, layers=layers, rank_of=rank_of, chains=chains, up=up, down=down)


def untangle(plan: Lanes) -> None:
    """Reorder `plan.layers` in place; the first order found with the fewest crossings wins."""
    best = _crossings(plan.layers, plan.down)
    if not best:
        return
    layers = [list(layer) for layer in plan.layers]
    quiet = 0
    sweeps = _SWEEPS if len(plan.rank_of) < 1500 else 5
    for sweep in range(sweeps):
        downwards = sweep % 2 == 0
        indices = range(1, len(layers)) if downwards else range(len(layers) - 2, -1, -1)
        near, step = (plan.up, -1) if downwards else (plan.down, 1)
        for index in indices:
            layers[index] = _sorted_by_middle(layers[index], layers[index + step], near, bias=sweep % 4 >= 2)
        if len(plan.rank_of) < 700:
            _swap_neighbours(layers, plan)
        found = _crossings(layers, plan.down)
        if found < best:
            best, quiet = found, 0
            plan.layers = [list(layer) for layer in layers]
            if not best:
                return
        else:
            quiet += 1
            if quiet >= 4:
                return


def _sorted_by_middle(layer: list[int], fixed: list[int], near: list[list[int]], *, bias: bool) -> list[int]:
    """Sort by the mean place of the neighbours; items without any keep their place."""
    place = {item: index for index, item in enumerate(fixed)}
    keyed: list[tuple[float, int, int]] = []
    kept: dict[int, int] = {}
    for index, item in enumerate(layer):
        if near[item]:
            mean = sum(place[other] for other in near[item]) / len(near[item])
            keyed.append((mean, -index if bias else index, item))
        else:
            kept[index] = item
    keyed.sort()
    moved = iter(keyed)
    return [kept[index] if index in kept else next(moved)[2] for index in range(len(layer))]


def _swap_neighbours(layers: list[list[int]], plan: Lanes) -> None:
    """Exchange two neighbours wherever that alone removes crossings."""
    for index, layer in enumerate(layers):
        above = {item: at for at, item in enumerate(layers[index - 1])} if index else {}
        below = {item: at for at, item in enumerate(layers[index + 1])} if index + 1 < len(layers) else {}
        ups = {item: sorted(above[other] for other in plan.up[item]) for item in layer}
        downs = {item: sorted(below[other] for other in plan.down[item]) for item in layer}
        for at in range(len(layer) - 1):
            a, b = layer[at], layer[at + 1]
            now = _pair(ups[a], ups[b]) + _pair(downs[a], downs[b])
            if now and now > _pair(ups[b], ups[a]) + _pair(downs[b], downs[a]):
                layer[at], layer[at + 1] = b, a


def _pair(left: Sequence[int], right: Sequence[int]) -> int:
    """Crossings between the edges of two neighbours, `left` standing to the left."""
    return sum(1 for a in left for b in right if a > b)


def _crossings(layers: list[list[int]], down: list[list[int]]) -> int:
    total = 0
    for upper, lower in itertools.pairwise(layers):
        place = {item: index for index, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            ends = [place[other] for other in down[item]]
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total
