"""Say where one gets to from a node with the arrow keys: along its edges, and to both sides."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from treadle.visualizer.geometry import Layout
from treadle.visualizer.markup import clean


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The ids of the nodes after, before and beside a node; beside are the one to the left and the one to the right."""

    next: Sequence[str] = ()
    prev: Sequence[str] = ()
    beside: tuple[str | None, str | None] = (None, None)

    @property
    def attributes(self) -> str:
        """`data-next`, `data-prev` and `data-beside` as JSON lists, those that have something in them."""
        beside = list(self.beside) if any(self.beside) else []
        found = {"next": list(self.next), "prev": list(self.prev), "beside": beside}
        return "".join(f' data-{key}="{clean(json.dumps(ids))}"' for key, ids in found.items() if ids)


def neighbours(edges: Iterable[tuple[str, str]], layout: Layout) -> Mapping[str, Neighbours]:
    """The neighbours of every node of a layout, `edges` being pairs of source and target."""
    ahead: dict[str, dict[str, None]] = {}
    back: dict[str, dict[str, None]] = {}
    for source, target in edges:
        ahead.setdefault(source, {})[target] = None
        back.setdefault(target, {})[source] = None
    found: dict[str, Neighbours] = {}
    for row in _rows(layout):
        for at, node in enumerate(row):
            beside = (row[at - 1] if at else None, row[at + 1] if at + 1 < len(row) else None)
            found[node] = Neighbours(list(ahead.get(node, ())), list(back.get(node, ())), beside)
    return found


def _rows(layout: Layout) -> list[list[str]]:
    """The nodes that stand beside each other across the reading direction, in that order."""
    turned = layout.direction == "LR"
    rows: dict[float, list[tuple[float, str]]] = {}
    for node in layout.order:
        place = layout.by_id[node]
        across, along = (place.y, place.x) if turned else (place.x, place.y)
        rows.setdefault(along, []).append((across, node))
    return [[node for _, node in sorted(row, key=lambda item: item[0])] for row in rows.values()]
