"""Explain the shapes and colours of a picture in one line, as HTML that uses the picture's own classes."""

from __future__ import annotations

from treadle.visualizer.graph import Graph
from treadle.visualizer.icons import DISC, GLYPHS, PERSON
from treadle.visualizer.overlay import STATUS_WORDS, STATUSES, Overlay


def legend_html(graph: Graph, *, overlay: Overlay | None = None) -> str:
    """A list of samples: what the shapes are, or, with an `overlay`, what the colours say about the run."""
    items = _statuses(overlay) if overlay else _shapes(graph)
    if overlay:
        if any(node.kind == "workflow" for node in graph.nodes):
            bars = '<path class="graph-shape" d="M6 1V19M26 1V19"/>'
            items.append(_item("graph-node is-workflow is-idle", 4, bars, "run of another workflow"))
        items.append("<li>×n = times a step ran, events an edge carried</li>")
    return f'<ul class="graph-legend">{"".join(items)}</ul>'


def _shapes(graph: Graph) -> list[str]:
    roles = {node.role for node in graph.nodes}
    items = []
    for role, classes, words in (
        ("start", "is-event role-start", "start"),
        ("step", "is-step role-step", "step"),
        ("plain", "is-event role-plain", "event"),
        ("input", "is-event role-input", "asks or answers a person"),
        ("stop", "is-event role-stop", "stop"),
    ):
        if role in roles:
            radius = 4 if role == "step" else 9
            items.append(_item(f"graph-node {classes}", radius, "", words))
    if "person" in roles:
        person = f'<path class="graph-person" transform="translate(16 10) scale(.75)" d="{PERSON}"/>'
        items.append(_item("graph-node is-person role-person", 4, person, "person"))
    return items


def _statuses(overlay: Overlay) -> list[str]:
    seen = {mark.status for mark in overlay.nodes.values()}
    items = []
    for status in STATUSES:
        if status in ("stopped", "idle") and status not in seen:
            continue
        badge = (
            f'<g class="graph-badge" transform="translate(16 10) scale(.8)"><circle class="graph-disc" r="{DISC:g}"/>'
            f'<path class="graph-glyph" d="{GLYPHS[status]}"/></g>'
        )
        items.append(_item(f"graph-node is-step is-{status}", 4, badge, STATUS_WORDS[status]))
    return items


def _item(classes: str, radius: int, inside: str, words: str) -> str:
    return (
        '<li><svg viewBox="0 0 32 20" width="32" height="20" aria-hidden="true">'
        f'<g class="{classes}"><rect class="graph-shape" x="1" y="1" width="30" height="18" rx="{radius}"/>{inside}</g>'
        f"</svg>{words}</li>"
    )
