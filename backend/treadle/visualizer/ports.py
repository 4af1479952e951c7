"""Choose where on a node's side each edge begins or ends: apart from each other, straight where that is possible."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from treadle.visualizer.ordering import Lanes

SPREAD = 16.0
CLOSEST = 10.0
TIGHT = 8.0
_LEAN = 24.0


def ports(
    plan: Lanes, xs: Sequence[float], room: Sequence[float], closing: Collection[int]
) -> tuple[list[float], list[float]]:
    """For every edge but the `closing` ones, where it touches its upper and its lower node.

    `room` is half the usable side of each node.
    """
    lower_side: list[list[int]] = [[] for _ in range(plan.count)]
    upper_side: list[list[int]] = [[] for _ in range(plan.count)]
    for index, chain in enumerate(plan.chains):
        if index not in closing:
            lower_side[chain[0]].append(index)
            upper_side[chain[-1]].append(index)
    for node in range(plan.count):
        lower_side[node].sort(key=lambda index: (xs[plan.chains[index][1]], index))
        upper_side[node].sort(key=lambda index: (xs[plan.chains[index][-2]], index))
    begin = _slots(lower_side, xs, room, len(plan.chains))
    end = _slots(upper_side, xs, room, len(plan.chains))
    wanted = [
        (None, None)
        if index in closing
        else _straight(chain, begin[index], end[index], len(lower_side[chain[0]]), len(upper_side[chain[-1]]), xs, room)
        for index, chain in enumerate(plan.chains)
    ]
    for node in range(plan.count):
        _settle(begin, [(index, wanted[index][0]) for index in lower_side[node]], xs[node], room[node])
        _settle(end, [(index, wanted[index][1]) for index in upper_side[node]], xs[node], room[node])
    # Whole pixels: the pooling leaves hundredths, which would turn straight edges into kinks.
    begin, end = [float(round(at)) for at in begin], [float(round(at)) for at in end]
    for index, chain in enumerate(plan.chains):
        # A lone edge gives way to the crowded side, so that a pushed port does not leave a small kink.
        if len(chain) == 2 and wanted[index][0] is not None and abs(begin[index] - end[index]) > 0.01:
            if len(lower_side[chain[0]]) == 1 and abs(end[index] - xs[chain[0]]) <= room[chain[0]]:
                begin[index] = end[index]
            elif len(upper_side[chain[-1]]) == 1 and abs(begin[index] - xs[chain[-1]]) <= room[chain[-1]]:
                end[index] = begin[index]
    return begin, end


def _slots(sides: list[list[int]], xs: Sequence[float], room: Sequence[float], edges: int) -> list[float]:
    """The even spread of each side, before anything is made straight."""
    found = [0.0] * edges
    for node, side in enumerate(sides):
        gap = min(SPREAD, 2 * room[node] / max(1, len(side) - 1))
        for at, index in enumerate(side):
            found[index] = xs[node] + (at - (len(side) - 1) / 2) * gap
    return found


def _straight(
    chain: list[int], begin: float, end: float, outs: int, ins: int, xs: Sequence[float], room: Sequence[float]
) -> tuple[float | None, float | None]:
    """Where the edge would have to touch its two nodes to run straight, if it can."""
    a, b = chain[0], chain[-1]
    if len(chain) > 2:
        first, last = xs[chain[1]], xs[chain[-2]]
        return (
            first if abs(first - xs[a]) <= room[a] else None,
            last if abs(last - xs[b]) <= room[b] else None,
        )
    low = max(xs[a] - room[a], xs[b] - room[b])
    high = min(xs[a] + room[a], xs[b] + room[b])
    if low > high or (outs > 1 < ins and high - low < SPREAD * 1.5):
        return None, None
    if outs == 1 and ins == 1:
        wish = (xs[a] + xs[b]) / 2
    elif ins == 1:
        wish = xs[b]
    elif outs == 1:
        wish = xs[a]
    else:
        wish = (begin + end) / 2
    at = min(max(wish, low), high)
    lone = [xs[node] for node, degree in ((a, outs), (b, ins)) if degree == 1]
    if any(abs(at - middle) > _LEAN / 2 for middle in lone):
        return None, None
    return at, at


def _settle(found: list[float], side: list[tuple[int, float | None]], middle: float, room: float) -> None:
    """Move the ports of one side as near to their wishes as order, distance and the side's length allow."""
    count = len(side)
    if not count:
        return
    for closest in (CLOSEST, TIGHT):
        gap = min(closest, 2 * room / max(1, count - 1))
        spots = _spots(found, side, gap, middle - room, middle + room)
        if all(wish is None or abs(spot - wish) < 0.5 for spot, (_, wish) in zip(spots, side, strict=True)):
            break
    for spot, (index, _) in zip(spots, side, strict=True):
        found[index] = spot


def _spots(
    found: list[float], side: list[tuple[int, float | None]], gap: float, least: float, most: float
) -> list[float]:
    """Pool neighbours that would come too close (isotonic regression), wishes for a straight edge weighing most."""
    blocks: list[tuple[float, float, int]] = []
    for at, (index, wish) in enumerate(side):
        value = (found[index] if wish is None else wish) - at * gap
        weight = 1.0 if wish is None else 60.0
        size = 1
        while blocks and blocks[-1][0] > value:
            other, heft, many = blocks.pop()
            value = (value * weight + other * heft) / (weight + heft)
            weight, size = weight + heft, size + many
        blocks.append((value, weight, size))
    high = max(least, most - (len(side) - 1) * gap)
    values = [min(max(value, least), high) for value, _, size in blocks for _ in range(size)]
    return [value + at * gap for at, value in enumerate(values)]
