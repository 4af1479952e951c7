"""Give every node a rank, so that all edges but those that close a loop point down.

Loops are found by walking from the start in declared order: the edge that comes back to a node still being walked is
the one that closes the loop, which is the one a reader would name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Ranks per node, edges turned to point down (`down`), and for each whether it was turned (`turned`).

    `trail` is the walk from the start: a node by its number when first visited, edge number i as ~i when it is taken.
    """

    ranks: list[int]
    down: list[Pair]
    turned: list[bool]
    trail: list[int]


def rank(count: int, edges: Sequence[Pair], *, starts: Sequence[int] = ()) -> Ranked:
    """Rank `count` nodes; `edges` holds no self-loops, `starts` are walked first, the rest in declared order."""
    closing, trail = _walk(count, edges, starts)
    down = [(b, a) if closes else (a, b) for (a, b), closes in zip(edges, closing, strict=True)]
    after: list[list[int]] = [[] for _ in range(count)]
    before: list[list[int]] = [[] for _ in range(count)]
    for a, b in down:
        after[a].append(b)
        before[b].append(a)
    order = _topological(count, after, before)
    ranks = [0] * count
    for node in order:
        ranks[node] = max((ranks[other] + 1 for other in before[node]), default=0)
    # A node with more ways out than in (an event from outside) stands right above what it wakes, not at the far top.
    for node in reversed(order):
        if len(after[node]) > len(before[node]):
            ranks[node] = min(ranks[other] for other in after[node]) - 1
    lowest = min(ranks, default=0)
    return Ranked(ranks=[value - lowest for value in ranks], down=down, turned=closing, trail=trail)


def components(count: int, edges: Sequence[Pair]) -> list[list[int]]:
    """The connected parts, each in declared order, ordered by their first node."""
    near: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        near[a].append(b)
        near[b].append(a)
    seen = [False] * count
    parts: list[list[int]] = []
    for first in range(count):
        if seen[first]:
            continue
        seen[first] = True
        part, queue = [first], [first]
        while queue:
            for other in near[queue.pop()]:
                if not seen[other]:
                    seen[other] = True
                    part.append(other)
                    queue.append(other)
        parts.append(sorted(part))
    return parts


def _walk(count: int, edges: Sequence[Pair], starts: Sequence[int]) -> tuple[list[bool], list[int]]:
    """Depth first, without recursion (a chain may be long): which edges close a loop, and the trail."""
    out: list[list[Pair]] = [[] for _ in range(count)]
    has_in = [False] * count
    for index, (a, b) in enumerate(edges):
        out[a].append((b, index))
        has_in[b] = True
    roots = [*starts, *(node for node in range(count) if not has_in[node]), *range(count)]
    state = [0] * count
    closing = [False] * len(edges)
    trail: list[int] = []
    for root in roots:
        if state[root]:
            continue
        state[root] = 1
        trail.append(root)
        stack = [(root, iter(out[root]))]
        while stack:
            node, rest = stack[-1]
            for other, index in rest:
                trail.append(~index)
                if state[other] == 1:
                    closing[index] = True
                elif state[other] == 0:
                    state[other] = 1
                    trail.append(other)
                    stack.append((other, iter(out[other])))
                    break
            else:
                state[node] = 2
                stack.pop()
    return closing, trail


def _topological(count: int, after: list[list[int]], before: list[list[int]]) -> list[int]:
    missing = [len(before[node]) for node in range(count)]
    ready = [node for node in range(count) if not missing[node]]
    order: list[int] = []
    for node in ready:
        order.append(node)
        for other in after[node]:
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    return order
