"""Lay out one connected part of a graph: its ranks, ranks for words between them, deep nodes and long chains."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace

from treadle.visualizer.folding import cuts_of, folded
from treadle.visualizer.geometry import Direction
from treadle.visualizer.layering import Ranked, rank
from treadle.visualizer.packing import Part
from treadle.visualizer.sheet import Shape, Wire, arrange

_RANK: Mapping[Direction, float] = {"TB": 80.0, "LR": 190.0}
_WORDS: Mapping[Direction, float] = {"TB": 48.0, "LR": 150.0}
_DEEP = 1.3


def drawn(shapes: Sequence[Shape], wires: Sequence[Wire], starts: Sequence[int], direction: Direction) -> Part:
    """The part with `shapes` and `wires`, folded if it is a long chain; `starts` are the shapes where one begins."""
    proper = [wire for wire in wires if wire.source != wire.target]
    for wire in wires:
        if wire.source == wire.target:
            shapes[wire.source].own.append(wire)
    ranked = rank(len(shapes), [(wire.source, wire.target) for wire in proper], starts=starts)
    cuts = cuts_of(shapes, ranked, direction, pitch=_RANK[direction])
    spread, words_at, cuts = _with_words(proper, ranked, cuts)
    if cuts:
        return folded(shapes, proper, spread, cuts, words_at, direction)
    return _unfolded(shapes, proper, spread, words_at, direction)


def _with_words(
    wires: Sequence[Wire], ranked: Ranked, cuts: Sequence[int]
) -> tuple[Ranked, dict[int, int], list[int]]:
    """Put a rank for words below every rank after which some are needed: for a loop's edge in its middle.

    Returns the new ranks, the rank of each wire's words, and the new cuts.
    """
    gaps: dict[int, int] = {}
    for at, wire in enumerate(wires):
        if wire.room is not None:
            upper, lower = (ranked.ranks[end] for end in ranked.down[at])
            is_cut = any(upper <= cut < lower for cut in cuts)
            gaps[at] = (upper + lower - 1) // 2 if ranked.turned[at] and not is_cut else upper
    spoken = sorted(set(gaps.values()))
    moved = [level + bisect_left(spoken, level) for level in range(max(ranked.ranks, default=0) + 1)]
    return (
        replace(ranked, ranks=[moved[level] for level in ranked.ranks]),
        {at: moved[gap] + 1 for at, gap in gaps.items()},
        [moved[cut] + (cut in spoken) for cut in cuts],
    )


def _unfolded(
    shapes: Sequence[Shape], wires: Sequence[Wire], ranked: Ranked, words_at: Mapping[int, int], direction: Direction
) -> Part:
    """One sheet. Nodes as deep as several ranks stand beside those, if nothing has to get past them there."""
    tailed, more, longer = _with_tails(shapes, wires, ranked, words_at, direction)
    if more:
        sheet = arrange(tailed, [*wires, *more], longer, direction, words_at=words_at)
        if sheet.whole:
            return sheet.part([*wires, *more], longer.turned)
    return arrange(shapes, wires, ranked, direction, words_at=words_at).part(wires, ranked.turned)


def _with_tails(
    shapes: Sequence[Shape], wires: Sequence[Wire], ranked: Ranked, words_at: Mapping[int, int], direction: Direction
) -> tuple[list[Shape], list[Wire], Ranked]:
    """A shape in every rank that a deep node without ways out reaches into, hung on it by wires that are not drawn."""
    tailed = [replace(shape, own=list(shape.own), tail=[]) for shape in shapes]
    more: list[Wire] = []
    ranks, trail = list(ranked.ranks), list(ranked.trail)
    leading = {upper for upper, _ in ranked.down}
    spoken = set(words_at.values())
    for index, shape in enumerate(shapes):
        if shape.along < _DEEP * _RANK[direction] or index in leading or shape.own:
            continue
        at, left, level = index, shape.along, ranks[index]
        place = trail.index(index) + 1
        while (left := left - (_WORDS if level in spoken else _RANK)[direction]) > 0:
            level += 1
            more.append(Wire(None, at, len(tailed), weight=4))
            trail[place:place] = [~(len(wires) + len(more) - 1), len(tailed)]
            place += 2
            at = len(tailed)
            tailed[index].tail.append(at)
            tailed.append(Shape(shape.across, 0.0))
            ranks.append(level)
    down = [*ranked.down, *((wire.source, wire.target) for wire in more)]
    return tailed, more, Ranked(ranks, down, [*ranked.turned, *(False for _ in more)], trail)
