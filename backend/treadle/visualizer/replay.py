"""Replay: how the marks on a graph came about, entry by entry, each told by what it changed.

A page can so go to any of ten thousand entries without a server; at the last one it shows what was drawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from treadle.visualizer.facts import table
from treadle.visualizer.graph import Graph, containers, event_id, step_id
from treadle.visualizer.icons import GLYPHS
from treadle.visualizer.overlay import EdgeMark, NodeMark, Overlay, overlay_of
from treadle.visualizer.status import ENDED, STATUS_WORDS, STATUSES

MOST = 20_000
"""Entries of a run that a page replays; of a longer one it shows the end."""


class Moment(Protocol):
    """A run after one entry: `counts` as in `Run.counts`, and the entry's kind with the step and event it is about."""

    @property
    def at(self) -> float: ...
    @property
    def status(self) -> str: ...
    @property
    def counts(self) -> Mapping[str, Any]: ...
    @property
    def kind(self) -> str: ...
    @property
    def step(self) -> str | None: ...
    @property
    def event(self) -> str | None: ...


def replay_json(graph: Graph, drawn: Overlay, moments: Iterable[Moment]) -> str:
    """The replay as JSON that cannot end the `<script type="application/json">` it is put into.

    `frames` has for every entry its time in milliseconds, its kind, what it is about, the node it is at or -1, and what
    changed: of nodes six numbers each (node, status, count, label, lines, note), of edges four (edge, status, count,
    label). Kinds, labels, lines and notes are numbers in `words`.
    """
    writer = _Writer(graph)
    frames = list(writer.frames(moments, drawn))
    text = json.dumps(
        {
            "nodes": [[node.id, node.kind, node.name] for node in graph.nodes],
            "edges": [edge.key for edge in graph.edges],
            "statuses": [[status, STATUS_WORDS[status], GLYPHS.get(status, "")] for status in STATUSES],
            "words": list(writer.words),
            "frames": frames,
        },
        ensure_ascii=True,
        separators=(",", ":"),
    )
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.words: dict[str, int] = {"": 0}
        self._nodes = {node.id: at for at, node in enumerate(graph.nodes)}
        self._edges = {edge.key: at for at, edge in enumerate(graph.edges)}
        self._shown_nodes = dict.fromkeys(self._nodes, NodeMark(note="not reached"))
        self._shown_edges = dict.fromkeys(self._edges, EdgeMark())
        inside = containers(graph.nodes)
        self._own = {node.id for node in graph.nodes if not inside[node.id]}
        self._always = {node.id for node in graph.nodes if node.kind in ("person", "workflow")}
        self._always |= {edge.key for edge in graph.edges if {edge.source, edge.target} & self._always}
        self._whole = self._own | self._edges.keys()
        # A recorded way may be a part of several that are drawn.
        self._ways: dict[str, list[str]] = {}
        for edge in graph.edges:
            keys = [key for via in edge.via for key in (f"{edge.source}>{via}", f"{via}>{edge.target}")]
            for key in keys or [edge.key]:
                self._ways.setdefault(key, []).append(edge.key)

    def frames(self, moments: Iterable[Moment], drawn: Overlay) -> Iterator[list[Any]]:
        """A frame for every moment; the last one comes to what is drawn."""
        before: Moment | None = None
        began = 0.0
        last: list[Any] | None = None
        for now in moments:
            if last is not None:
                yield last
            began = began if before is not None else now.at
            marks = overlay_of(
                self._graph,
                now.counts,
                run_status=now.status,
                open_prompts=_prompts(now),
                among=self._touched(before, now),
            )
            last = self._frame(now, round((now.at - began) * 1000), marks)
            before = now
        if last is not None:
            nodes, edges = self._changes(drawn)
            yield [*last[:4], last[4] + nodes, last[5] + edges]

    def _frame(self, now: Moment, ms: int, overlay: Overlay) -> list[Any]:
        place = -1
        for node in (step_id(now.step) if now.step else "", event_id(now.event) if now.event else ""):
            place = self._nodes.get(node, -1) if place < 0 else place
        about = " · ".join(filter(None, (now.step, now.event)))
        return [ms, self._word(now.kind.replace("_", " ")), self._word(about), place, *self._changes(overlay)]

    def _changes(self, overlay: Overlay) -> tuple[list[int], list[int]]:
        nodes: list[int] = []
        for key, mark in overlay.nodes.items():
            if key in self._nodes and mark != self._shown_nodes[key]:
                self._shown_nodes[key] = mark
                told = (self._word(mark.label), self._word(_lines(mark)), self._word(mark.note))
                nodes += [self._nodes[key], STATUSES.index(mark.status), mark.count, *told]
        edges: list[int] = []
        for key, way in overlay.edges.items():
            if key in self._edges and way != self._shown_edges[key]:
                self._shown_edges[key] = way
                edges += [self._edges[key], STATUSES.index(way.status), way.count, self._word(way.label)]
        return nodes, edges

    def _touched(self, before: Moment | None, now: Moment) -> set[str]:
        """What may look different now. How a run ends may change the look of every step."""
        if before is None or (before.status != now.status and ENDED & {before.status, now.status}):
            return self._whole
        touched = set(self._always)
        for part, name_of in (("steps", step_id), ("joins", step_id), ("events", event_id)):
            touched.update(name_of(name) for name in _changed(before.counts, now.counts, part))
        for key in _changed(before.counts, now.counts, "edges"):
            touched.update(self._ways.get(key, ()))
        return touched & self._whole

    def _word(self, text: str) -> int:
        return self.words.setdefault(text, len(self.words))


def _changed(before: Mapping[str, Any], now: Mapping[str, Any], part: str) -> Iterator[str]:
    old, new = table(before, part), table(now, part)
    yield from (name for name, value in new.items() if old.get(name) != value)
    yield from (name for name in old if name not in new)


def _lines(mark: NodeMark) -> str:
    """The lines of a node and, behind a bar, the cells of a group."""
    cells = "".join(str(STATUSES.index(status)) for status in mark.cells)
    return f"{mark.line}|{cells}" if cells else mark.line


def _prompts(moment: Moment) -> int | None:
    prompts = moment.counts.get("prompts")
    return prompts if isinstance(prompts, int) else None
