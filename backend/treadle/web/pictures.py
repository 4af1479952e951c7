"""Pictures of workflows and runs for the pages: the visualizer's drawings, with links where pages have them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from treadle.store.runs import RunDetail
from treadle.store.workflows import VersionRow
from treadle.visualizer.geometry import Layout
from treadle.visualizer.graph import Graph, Node
from treadle.visualizer.layout import layout
from treadle.visualizer.overlay import Overlay, overlay_of
from treadle.visualizer.svg import to_svg

Link = Callable[[Node], str | None]


def card_picture(version: VersionRow | None) -> Markup | None:
    """A small drawing without words, for a card."""
    if version is None or not version.graph.get("nodes"):
        return None
    return _card(json.dumps(version.graph))


def workflow_picture(version: VersionRow | None) -> Markup | None:
    """Every possible flow; a step leads to its line in the source below."""
    if version is None or not version.graph.get("nodes"):
        return None
    graph, placed = _placed(json.dumps(version.graph))
    return _svg(graph, placed, title=f"All possible flows of {graph.workflow}", link=_to_source)


def run_picture(run: RunDetail, version: VersionRow | None, *, open_prompts: int) -> Markup | None:
    """The graph the run was recorded with, and what the run did on it."""
    if version is None or not version.graph.get("nodes"):
        return None
    graph, placed = _placed(json.dumps(version.graph))
    overlay = _overlay(graph, run, open_prompts)
    return _svg(graph, placed, title=f"What run {run.id} did in {graph.workflow}", overlay=overlay)


def run_overlay(run: RunDetail, version: VersionRow | None, *, open_prompts: int) -> dict[str, Any]:
    """What the run did, by node and edge: the numbers a live page patches its graph with."""
    graph = Graph.from_dict(version.graph) if version else Graph("")
    return _overlay(graph, run, open_prompts).to_dict()


def _overlay(graph: Graph, run: RunDetail, open_prompts: int) -> Overlay:
    return overlay_of(graph, run.counts, run_status=run.status, open_prompts=open_prompts)


def _svg(
    graph: Graph, placed: Layout, *, title: str, overlay: Overlay | None = None, link: Link | None = None
) -> Markup:
    return Markup(to_svg(graph, placed, overlay=overlay, href=link, title=title))  # noqa: S704 - it escapes names itself


def _to_source(node: Node) -> str | None:
    return f"#line-{node.line}" if node.line else None


@lru_cache(maxsize=256)
def _card(graph_json: str) -> Markup:
    graph, placed = _placed(graph_json)
    return Markup(to_svg(graph, placed, mini=True))  # noqa: S704 - it escapes names itself


@lru_cache(maxsize=256)
def _placed(graph_json: str) -> tuple[Graph, Layout]:
    graph = Graph.from_dict(json.loads(graph_json))
    return graph, layout(graph)
