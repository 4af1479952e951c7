"""Explain the shapes and colours of a picture, by samples that use the picture's own classes."""

from __future__ import annotations

from treadle.visualizer.graph import Graph, containers
from treadle.visualizer.icons import CHIPS, DISC, GLYPHS, PERSON, WARNING
from treadle.visualizer.layering import rank
from treadle.visualizer.overlay import Overlay
from treadle.visualizer.status import STATUS_WORDS, STATUSES

SAMPLE = (32.0, 20.0)
"""How big a sample is, in pixels."""

ICON = (16.0, 20.0)
"""How big a sample is that is only an icon."""

Sample = tuple[str, tuple[float, float], str]
"""A drawing, how big it is, and the words for it."""

_TRAITS = {
    "collects": "collects events",
    "resource": "resource",
    "retry": "retried",
    "once": "at most once",
    "catches": "catches errors",
}


def legend_html(graph: Graph, *, overlay: Overlay | None = None, every: bool = False) -> str:
    """A list of samples: what the shapes are, or, with an `overlay`, what the colours say about the run.

    With `every` that is every colour, for a picture whose nodes will have others.
    """
    found = samples(graph, overlay=overlay, every=every)
    items = "".join(f"<li>{_html(shape, size)}{words}</li>" for shape, size, words in found)
    return f'<ul class="graph-legend">{items}</ul>'


def samples(graph: Graph, *, overlay: Overlay | None = None, every: bool = False) -> list[Sample]:
    """What there is to explain; words that need no drawing have an empty one."""
    first = _statuses(overlay, every=every) if overlay else _shapes(graph)
    found = [*((shape, SAMPLE, words) for shape, words in first), *_further(graph, overlay)]
    if overlay:
        found.append(("", (0.0, 0.0), "×n = times a step ran, events an edge carried"))
    return found


def _html(shape: str, size: tuple[float, float]) -> str:
    if not shape:
        return ""
    width, height = size
    box = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return f'<svg {box} aria-hidden="true">{shape}</svg>'


def _shapes(graph: Graph) -> list[tuple[str, str]]:
    roles = {node.role for node in graph.nodes}
    found = []
    for role, classes, words in (
        ("start", "is-event role-start", "start"),
        ("step", "is-step role-step", "step"),
        ("plain", "is-event role-plain", "event"),
        ("input", "is-event role-input", "asks or answers a person"),
        ("stop", "is-event role-stop", "stop"),
    ):
        if role in roles:
            found.append((_box(f"graph-node {classes}", 4 if role == "step" else 9), words))
    if "person" in roles:
        person = f'<path class="graph-person" transform="translate(16 10) scale(.75)" d="{PERSON}"/>'
        found.append((_box("graph-node is-person role-person", 4, person), "person"))
    return found


def _statuses(overlay: Overlay, *, every: bool) -> list[tuple[str, str]]:
    seen = {mark.status for mark in overlay.nodes.values()}
    found = []
    for status in STATUSES:
        if status in ("stopped", "idle") and status not in seen and not (every and status == "idle"):
            continue
        badge = (
            f'<g class="graph-badge" transform="translate(16 10) scale(.8)"><circle class="graph-disc" r="{DISC:g}"/>'
            f'<path class="graph-glyph" d="{GLYPHS[status]}"/></g>'
        )
        found.append((_box(f"graph-node is-step is-{status}", 4, badge), STATUS_WORDS[status]))
    return found


def _further(graph: Graph, overlay: Overlay | None) -> list[Sample]:
    """What only some graphs have."""
    found: list[Sample] = []
    frames = {frame for around in containers(graph.nodes).values() for frame in around}
    boxes = [node for node in graph.nodes if node.kind == "workflow" and node.id not in frames]
    if not overlay and _has_loop(graph):
        back = '<path class="graph-line" stroke-width="2" d="M1 10H27"/><path class="graph-head" d="M32 10L24 6V14Z"/>'
        found.append((f'<g class="graph-edge is-back">{back}</g>', SAMPLE, "closes a loop"))
    if frames:
        frame = '<rect class="graph-frame" x="1" y="1" width="30" height="18" rx="5"/>'
        found.append((frame, SAMPLE, "nested workflow"))
    if boxes:
        bars = '<path class="graph-shape" d="M6 1V19M26 1V19"/>'
        classes = "graph-node is-workflow" + (" is-idle" if overlay else "")
        found.append((_box(classes, 4, bars), SAMPLE, "run of another workflow"))
    kinds = dict.fromkeys(trait.kind for node in graph.nodes for trait in node.traits)
    for kind, words in _TRAITS.items():
        if kind in kinds:
            path = f'<path transform="translate(8 10) scale(1.2)" d="{CHIPS[kind]}"/>'
            icon = f'<g class="graph-chips">{path}</g>'
            found.append((icon, ICON, words))
    if any(node.warnings for node in graph.nodes):
        mark = f'<path class="graph-warning" transform="translate(8 10.5) scale(.9)" d="{WARNING}"/>'
        found.append((mark, ICON, "probably not meant"))
    return found


def _has_loop(graph: Graph) -> bool:
    number = {node.id: at for at, node in enumerate(graph.nodes)}
    pairs = [(number[edge.source], number[edge.target]) for edge in graph.edges]
    return any(a == b for a, b in pairs) or any(rank(len(number), pairs).turned)


def _box(classes: str, radius: int, inside: str = "") -> str:
    shape = f'<rect class="graph-shape" x="1" y="1" width="30" height="18" rx="{radius}"/>'
    return f'<g class="{classes}">{shape}{inside}</g>'
