"""Place the items of every rank sideways, after Brandes and Köpf: as many edges straight as the order allows.

Four extreme placings are made (aligned up or down, leaning left or right) and averaged, which centres a parent over its
children. Lanes of long edges come first; a step and its main event come before edges that close a loop or skip ranks.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from treadle.visualizer.ordering import Lanes

Segment = tuple[int, int]

_CROOKED = 14.0


def place(plan: Lanes, reach: Sequence[tuple[float, float]], weights: Sequence[int]) -> list[float]:
    """The middle of every item; `reach` is how far each extends to its left and right, its share of the gaps included.

    `weights` says how much each edge should be straight. The ends of edges that close a loop wish for nothing:
    `plan.up` and `plan.down` do not have them.
    """
    forbidden = _crossing_lanes(plan)
    up, down = _preferred(plan, weights)
    found: list[list[float]] = []
    for upwards in (True, False):
        for leftwards in (True, False):
            layers = plan.layers if upwards else plan.layers[::-1]
            if not leftwards:
                layers = [layer[::-1] for layer in layers]
            root = _align(layers, up if upwards else down, forbidden, len(plan.rank_of))
            sides = reach if leftwards else [(right, left) for left, right in reach]
            xs = _compact(layers, root, sides)
            found.append(xs if leftwards else [-x for x in xs])
    xs = _balance(found, reach)
    _snap(plan, xs, reach, up, down)
    return xs


def _preferred(plan: Lanes, weights: Sequence[int]) -> tuple[list[list[int]], list[list[int]]]:
    """Which neighbours an item may line up with: those of its heaviest edges; one that skips ranks is lighter."""
    total = len(plan.rank_of)
    worth: dict[Segment, int] = {}
    for chain, weight in zip(plan.chains, weights, strict=True):
        for a, b in itertools.pairwise(chain):
            if b in plan.down[a]:
                value = 2 * weight - (1 if a >= plan.count or b >= plan.count else 0)
                worth[a, b] = max(worth.get((a, b), 0), value)
    best_up, best_down = [0] * total, [0] * total
    for (a, b), value in worth.items():
        best_down[a] = max(best_down[a], value)
        best_up[b] = max(best_up[b], value)
    up: list[list[int]] = [[] for _ in range(total)]
    down: list[list[int]] = [[] for _ in range(total)]
    for (a, b), value in worth.items():
        if value == best_down[a] and value == best_up[b]:
            down[a].append(b)
            up[b].append(a)
    return up, down


def _crossing_lanes(plan: Lanes) -> set[Segment]:
    """Edges that cross a lane: a lane stays straight, so they may not be lined up."""
    bad: set[Segment] = set()
    for upper, lower in zip(plan.layers, plan.layers[1:], strict=False):
        place_of = {item: index for index, item in enumerate(upper)}
        left, scanned = -1, 0
        for index, item in enumerate(lower):
            inner = next((a for a in plan.up[item] if a >= plan.count), None) if item >= plan.count else None
            if inner is None and index < len(lower) - 1:
                continue
            right = place_of[inner] if inner is not None else len(upper)
            for other in lower[scanned : index + 1]:
                for above in plan.up[other]:
                    at = place_of[above]
                    if (at < left or at > right) and not (above >= plan.count and other >= plan.count):
                        bad.add((above, other))
            scanned, left = index + 1, right
    return bad


def _align(layers: list[list[int]], near: list[list[int]], forbidden: set[Segment], total: int) -> list[int]:
    """Join items into upright blocks; returns the block (its first item) of each item."""
    place_of = [0] * total
    for layer in layers:
        for index, item in enumerate(layer):
            place_of[item] = index
    root = list(range(total))
    taken = [False] * total
    for layer in layers:
        last = -1
        for item in layer:
            others = sorted(near[item], key=place_of.__getitem__)
            if not others:
                continue
            middle = (len(others) - 1) / 2
            for other in others[int(middle) : int(middle + 0.5) + 1]:
                blocked = (item, other) in forbidden or (other, item) in forbidden
                if place_of[other] > last and not blocked and not taken[other]:
                    taken[other] = True
                    root[item] = root[other]
                    last = place_of[other]
                    break
    return root


def _compact(layers: list[list[int]], root: list[int], reach: Sequence[tuple[float, float]]) -> list[float]:
    """Push every block as far left as its neighbours allow, then back right as far as that costs no width."""
    after: dict[int, dict[int, float]] = {}
    before: dict[int, int] = {}
    blocks = dict.fromkeys(root[item] for layer in layers for item in layer)
    for layer in layers:
        for a, b in itertools.pairwise(layer):
            space = reach[a][1] + reach[b][0]
            out = after.setdefault(root[a], {})
            if root[b] not in out:
                before[root[b]] = before.get(root[b], 0) + 1
            out[root[b]] = max(out.get(root[b], 0.0), space)
    ready = [block for block in blocks if not before.get(block)]
    at = dict.fromkeys(ready, 0.0)
    for block in ready:
        for other, space in after.get(block, {}).items():
            at[other] = max(at.get(other, 0.0), at[block] + space)
            before[other] -= 1
            if not before[other]:
                ready.append(other)
    for block in reversed(ready):
        outs = after.get(block)
        if outs:
            at[block] = max(at[block], min(at[other] - space for other, space in outs.items()))
    return [at.get(block, 0.0) for block in root]


def _balance(found: list[list[float]], reach: Sequence[tuple[float, float]]) -> list[float]:
    """Shift the four placings onto the narrowest one and take the mean of the two middle values of each item."""
    spans = [
        (
            min((x - left for x, (left, _) in zip(xs, reach, strict=True)), default=0.0),
            max((x + right for x, (_, right) in zip(xs, reach, strict=True)), default=0.0),
        )
        for xs in found
    ]
    low, high = min(spans, key=lambda span: span[1] - span[0])
    shifts = [low - span[0] if index % 2 == 0 else high - span[1] for index, span in enumerate(spans)]
    balanced: list[float] = []
    for values in zip(*found, strict=True):
        ordered = sorted(value + shift for value, shift in zip(values, shifts, strict=True))
        balanced.append(float(round((ordered[1] + ordered[2]) / 2)))
    return balanced


def _snap(
    plan: Lanes,
    xs: list[float],
    reach: Sequence[tuple[float, float]],
    up: Sequence[Sequence[int]],
    down: Sequence[Sequence[int]],
) -> None:
    """Straighten what the mean of four placings left a little crooked, with all that hangs straight below it."""
    at = plan.places()
    for layer in plan.layers:
        for item in layer:
            above = sorted(up[item], key=at.__getitem__)
            if len(above) % 2 == 0:
                continue
            off = xs[above[len(above) // 2]] - xs[item]
            if not 0 < abs(off) <= _CROOKED:
                continue
            hanging = [item]
            while below := [other for other in down[hanging[-1]] if xs[other] == xs[item]]:
                hanging.append(below[0])
            if all(_has_room(plan.layers[plan.rank_of[one]], at[one], xs, reach, off) for one in hanging):
                for one in hanging:
                    xs[one] += off


def _has_room(
    layer: Sequence[int], at: int, xs: Sequence[float], reach: Sequence[tuple[float, float]], off: float
) -> bool:
    item = layer[at]
    if off < 0:
        return at == 0 or xs[item] + off - reach[item][0] >= xs[layer[at - 1]] + reach[layer[at - 1]][1]
    last = at + 1 == len(layer)
    return last or xs[item] + off + reach[item][1] <= xs[layer[at + 1]] - reach[layer[at + 1]][0]
