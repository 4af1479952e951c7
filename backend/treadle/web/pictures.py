"""Pictures of workflows and runs for the pages: the visualizer's drawings, and what scripts need to move them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from treadle.store.runs import RunDetail
from treadle.store.workflows import VersionRow
from treadle.visualizer.elements import cytoscape_elements, elements_json
from treadle.visualizer.geometry import Layout
from treadle.visualizer.graph import Graph, Node
from treadle.visualizer.layout import layout
from treadle.visualizer.legend import legend_html
from treadle.visualizer.overlay import Overlay, overlay_of
from treadle.visualizer.svg import to_svg

Link = Callable[[Node], str | None]


@dataclass(frozen=True, slots=True)
class Picture:
    """A graph on a page: the SVG everybody sees, the legend, and the elements graph.js reads."""

    svg: Markup
    legend: Markup
    elements: Markup


def card_picture(version: VersionRow | None) -> Markup | None:
    """A small drawing without words, for a card."""
    return None if version is None or not version.graph.get("nodes") else _card(json.dumps(version.graph))


def workflow_picture(version: VersionRow | None) -> Picture | None:
    """Every possible flow; a step leads to its line in the source below."""
    if version is None or not version.graph.get("nodes"):
        return None
    graph, placed = _placed(json.dumps(version.graph))
    return _picture(graph, placed, title=f"All possible flows of {graph.workflow}", link=_to_source)


def run_picture(run: RunDetail, version: VersionRow | None, *, open_prompts: int) -> Picture | None:
    """The graph the run was recorded with, and what the run did on it."""
    if version is None or not version.graph.get("nodes"):
        return None
    graph, placed = _placed(json.dumps(version.graph))
    overlay = _overlay(graph, run, open_prompts)
    return _picture(graph, placed, title=f"What run {run.id} did in {graph.workflow}", overlay=overlay)


def run_overlay(run: RunDetail, version: VersionRow | None, *, open_prompts: int) -> dict[str, Any]:
    """What the run did, by node and edge: the numbers a live page patches its graph with."""
    graph = Graph.from_dict(version.graph) if version else Graph("")
    return _overlay(graph, run, open_prompts).to_dict()


def _overlay(graph: Graph, run: RunDetail, open_prompts: int) -> Overlay:
    return overlay_of(graph, run.counts, run_status=run.status, open_prompts=open_prompts)


def _picture(
    graph: Graph, placed: Layout, *, title: str, overlay: Overlay | None = None, link: Link | None = None
) -> Picture:
    return Picture(
        Markup(to_svg(graph, placed, overlay=overlay, href=link, title=title)),  # noqa: S704 - names are escaped there
        Markup(legend_html(graph, overlay=overlay)),  # noqa: S704 - the same
        Markup(elements_json(cytoscape_elements(graph, placed, overlay=overlay, href=link))),  # noqa: S704 - the same
    )


def _to_source(node: Node) -> str | None:
    return f"#line-{node.line}" if node.line else None


@lru_cache(maxsize=256)
def _card(graph_json: str) -> Markup:
    graph, placed = _placed(graph_json)
    return Markup(to_svg(graph, placed, mini=True))  # noqa: S704 - it carries no names but one, escaped there


@lru_cache(maxsize=256)
def _placed(graph_json: str) -> tuple[Graph, Layout]:
    graph = Graph.from_dict(json.loads(graph_json))
    return graph, layout(graph)
