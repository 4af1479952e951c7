"""Pictures of workflows and runs for the pages: the visualizer's drawings, and what scripts need to move them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from treadle.store.runs import RunDetail
from treadle.store.workflows import VersionRow
from treadle.visualizer.compact import shown
from treadle.visualizer.elements import cytoscape_elements, elements_json
from treadle.visualizer.geometry import Direction, Layout
from treadle.visualizer.graph import Graph, Node
from treadle.visualizer.layout import layout
from treadle.visualizer.legend import legend_html
from treadle.visualizer.listing import table_html
from treadle.visualizer.nested import local_id
from treadle.visualizer.overlay import Overlay
from treadle.visualizer.svg import to_svg
from treadle.web.drawings import Nested, Told, drawn_graph, graph_of, live_marks, marks
from treadle.web.templating import segment
from treadle.web.views import View

Link = Callable[[Node], str | None]


@dataclass(frozen=True, slots=True)
class Picture:
    """A graph on a page: the SVG everybody sees, the legend, the elements graph.js reads, the same as a table."""

    svg: Markup
    legend: Markup
    elements: Markup
    table: Markup
    loops: tuple[tuple[str, int], ...] = ()
    """Steps where a loop begins, and how often they ran."""
    simplified: bool = False
    """True when there are so many nodes that only the steps are drawn."""


def card_picture(version: VersionRow | None) -> Markup | None:
    """A small drawing without words, for a card."""
    return None if version is None or not version.graph.get("nodes") else _card(json.dumps(version.graph))


def workflow_picture(version: VersionRow | None, view: View) -> Picture | None:
    """Every possible flow; a step leads to its line in the source below."""
    if version is None or not version.graph.get("nodes"):
        return None
    whole = graph_of(version)
    return _picture(
        shown(whole, compact=view.compact),
        view,
        title=f"All possible flows of {whole.workflow}",
        link=_to_source,
        simplified=len(shown(whole).nodes) != len(whole.nodes),
    )


def run_picture(run: RunDetail, version: VersionRow | None, view: View, told: Told) -> Picture | None:
    """The graph the run was recorded with, and what the run did on it; a node leads to its entries."""
    if version is None or not version.graph.get("nodes"):
        return None
    whole = graph_of(version)
    graph = drawn_graph(whole, run, view)

    def link(node: Node) -> str | None:
        return _to_entries(node, view, told.nested or {})

    return _picture(
        graph,
        view,
        title=f"What run {run.id} did in {graph.workflow}",
        overlay=marks(graph, told, executed=view.executed, whole=whole),
        link=link,
        loops=_loops(whole, run.counts),
        simplified=not view.executed and len(shown(whole).nodes) != len(whole.nodes),
    )


def run_overlay(run: RunDetail, version: VersionRow | None, told: Told) -> dict[str, Any]:
    """What the run did, by node and edge: the numbers a live page patches its graph with."""
    return live_marks(graph_of(version) if version else Graph(""), told)


def _picture(
    graph: Graph,
    view: View,
    *,
    title: str,
    overlay: Overlay | None = None,
    link: Link,
    loops: tuple[tuple[str, int], ...] = (),
    simplified: bool = False,
) -> Picture:
    placed = _layout(json.dumps(graph.to_dict()), view.direction)
    elements = elements_json(cytoscape_elements(graph, placed, overlay=overlay, href=link))
    table = table_html(graph, overlay=overlay, order=placed.order, href=link, caption=title)
    return Picture(
        Markup(to_svg(graph, placed, overlay=overlay, href=link, title=title)),  # noqa: S704 - names are escaped there
        Markup(legend_html(graph, overlay=overlay)),  # noqa: S704 - the same
        Markup(elements),  # noqa: S704 - the same
        Markup(table),  # noqa: S704 - the same
        loops,
        simplified,
    )


def _to_source(node: Node) -> str | None:
    return f"#line-{node.line}" if node.line and not node.inside else None


def _to_entries(node: Node, view: View, nested: Nested) -> str | None:
    """Where the entries of a node are: of what is inside a frame on the page of its run."""
    if node.id.startswith("run:"):
        return f"/runs/{segment(node.id[4:])}" if ":" not in node.id[4:] else None
    frame = node.id if node.id in nested else node.inside
    if frame is not None:
        run = nested.get(frame)
        own = View(sel=local_id(node.id), listed=True).link() if frame != node.id else ""
        return f"/runs/{segment(run['id'])}{own}" if run else None
    return f"{view.link(sel=node.id, listed=True)}#entries-title" if node.kind != "workflow" else None


def _loops(graph: Graph, counts: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """The steps where the loops that a run took begin, and how often each ran."""
    back = {route.target for route in _layout(json.dumps(graph.to_dict()), "TB").routes if route.back}
    heads = [edge.target for edge in graph.edges if edge.source in back] + list(back)
    steps = counts.get("steps") or {}
    found: dict[str, int] = {}
    for node in graph.nodes:
        times = (steps.get(node.name) or {}).get("started", 0) if node.kind == "step" and not node.inside else 0
        if node.id in heads and times > 1:
            found[node.name] = times
    return tuple(found.items())


@lru_cache(maxsize=256)
def _card(graph_json: str) -> Markup:
    graph = Graph.from_dict(json.loads(graph_json))
    return Markup(to_svg(graph, _layout(graph_json, "TB"), mini=True))  # noqa: S704 - it carries no names but one, escaped there


@lru_cache(maxsize=256)
def _layout(graph_json: str, direction: Direction) -> Layout:
    return layout(Graph.from_dict(json.loads(graph_json)), direction=direction)
