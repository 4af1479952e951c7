"""Pictures of workflows and runs for the pages: the visualizer's drawings, and what scripts need to move them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup
from starlette.responses import HTMLResponse

from treadle.store.runs import RunDetail
from treadle.store.workflows import VersionRow
from treadle.visualizer.elements import cytoscape_elements, elements_json
from treadle.visualizer.export import possible_html, run_html
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


def workflow_export(version: VersionRow) -> HTMLResponse:
    """The graph of all possible flows as one HTML file that needs no network."""
    return _export(possible_html(Graph.from_dict(version.graph)), version.workflow)


def run_export(run: RunDetail, version: VersionRow, *, open_prompts: int) -> HTMLResponse:
    """What a run did as one HTML file that needs no network."""
    graph = Graph.from_dict(version.graph)
    title = f"{run.workflow}, run {run.id}"
    return _export(run_html(graph, _overlay(graph, run, open_prompts), title=title), f"{run.workflow}-{run.id}")


def _export(html: str, name: str) -> HTMLResponse:
    # The file brings its own policy, by the hashes of its one style and one script; ours would forbid both.
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    safe_name = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    headers = {"Content-Disposition": f'inline; filename="{safe_name}.html"'}
    if policy is not None:
        headers["Content-Security-Policy"] = f"{policy[1]}; frame-ancestors 'none'"
    return HTMLResponse(html, headers=headers)


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
