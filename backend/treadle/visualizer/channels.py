"""Give the level parts of the edges between two ranks their own tracks, with few crossings and never one on another."""

from __future__ import annotations

from collections.abc import Sequence

Span = tuple[float, float]

_APART = 8.0
_SAME = 5.0
_OVERLAP = 100


def tracks(spans: Sequence[Span]) -> list[int]:
    """The track of each span, 0 being the uppermost; a span runs from its upper end's x to its lower end's x."""
    count = len(spans)
    before: list[dict[int, int]] = [{} for _ in range(count)]
    after: list[dict[int, int]] = [{} for _ in range(count)]
    touching: list[list[int]] = [[] for _ in range(count)]
    by_left = sorted(range(count), key=lambda index: (min(spans[index]), index))
    for position, a in enumerate(by_left):
        limit = max(spans[a]) + _APART
        for b in by_left[position + 1 :]:
            if min(spans[b]) >= limit:
                break
            touching[a].append(b)
            touching[b].append(a)
            over, under = _cost(spans[a], spans[b]), _cost(spans[b], spans[a])
            if over < under:
                after[a][b] = before[b][a] = under - over
            elif under < over:
                after[b][a] = before[a][b] = over - under
    found = [-1] * count
    for index in _sequence(before, after):
        lowest = max((found[other] + 1 for other in before[index]), default=0)
        taken = {found[other] for other in touching[index]}
        while lowest in taken:
            lowest += 1
        found[index] = lowest
    return found


def entangled(a: Span, b: Span) -> bool:
    """Whether two spans swap places, so that no order of tracks keeps their upright parts off each other."""
    return abs(a[1] - b[0]) < _SAME and abs(b[1] - a[0]) < _SAME


def _cost(over: Span, under: Span) -> int:
    """What it costs to run `over` above `under`: crossings, and much more for upright parts lying on each other."""
    low, high = min(under), max(under)
    cost = 1 if low < over[1] < high else 0
    low, high = min(over), max(over)
    cost += 1 if low < under[0] < high else 0
    return cost + (_OVERLAP if abs(over[1] - under[0]) < _SAME else 0)


def _sequence(before: list[dict[int, int]], after: list[dict[int, int]]) -> list[int]:
    """An order that respects the wishes, breaking a ring of wishes where it costs least."""
    open_ = dict.fromkeys(range(len(before)))
    missing = [len(wishes) for wishes in before]
    ready = [index for index in open_ if not missing[index]]
    order: list[int] = []
    while open_:
        if ready:
            index = ready.pop(0)
        else:
            index = min(
                open_,
                key=lambda item: (
                    sum(cost for other, cost in before[item].items() if other in open_)
                    - sum(cost for other, cost in after[item].items() if other in open_),
                    item,
                ),
            )
        if index not in open_:
            continue
        del open_[index]
        order.append(index)
        for other in after[index]:
            missing[other] -= 1
            if not missing[other] and other in open_:
                ready.append(other)
    return order
