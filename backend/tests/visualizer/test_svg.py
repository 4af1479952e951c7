"""The SVG is well-formed whatever the names are, and carries no inline style on pages."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treadle.visualizer.graph import Edge, Graph, Node
from treadle.visualizer.layout import layout
from treadle.visualizer.overlay import overlay_of
from treadle.visualizer.svg import to_svg
from treadle.visualizer.theme import file_css, tokens

from .samples import APPROVAL, RAG

COUNTS = {
    "steps": {"judge_query": {"started": 3, "done": 3}},
    "events": {"JudgeEvent": 2},
    "edges": {"event:JudgeEvent>step:judge_query": 2},
}


@settings(max_examples=60, deadline=None)
@given(name=st.text(max_size=60), doc=st.text(max_size=40))
def test_svg_is_well_formed_whatever_the_names_are(name: str, doc: str) -> None:
    node = Node(f"step:{name}", "step", name, "step", doc=doc)
    graph = Graph(name, (node,), (Edge(node.id, node.id),))
    for theme in ("embedded", "light"):
        ET.fromstring(to_svg(graph, layout(graph), theme=theme, href=lambda node: f"/x?{node.name}"))  # type: ignore[arg-type]


def test_svg_escapes_a_hostile_name() -> None:
    name = '"><script>alert(1)</script>'
    graph = Graph(name, (Node(f"step:{name}", "step", name, "step"),))
    drawn = to_svg(
        graph, layout(graph), overlay=overlay_of(graph, {}, run_status="running"), href=lambda node: node.name
    )
    assert "<script" not in drawn


def test_embedded_svg_has_no_inline_style_and_no_ids() -> None:
    drawn = to_svg(RAG, layout(RAG), overlay=overlay_of(RAG, COUNTS, run_status="running"))
    assert "style" not in drawn
    assert ' id="' not in drawn


def test_svg_shows_counts_statuses_and_links() -> None:
    marks = overlay_of(RAG, COUNTS, run_status="running")
    drawn = to_svg(
        RAG, layout(RAG), overlay=marks, href=lambda node: f"/steps/{node.name}" if node.kind == "step" else None
    )
    assert drawn.count("×3") == 1
    assert 'class="graph-node is-step role-step is-done" href="/steps/judge_query"' in drawn
    assert 'data-edge="event:JudgeEvent&gt;step:judge_query"' in drawn
    assert "not reached" in drawn


def test_mini_svg_has_no_words_and_nothing_to_focus() -> None:
    drawn = to_svg(APPROVAL, layout(APPROVAL), mini=True)
    assert "<text" not in drawn and "tabindex" not in drawn
    assert 'role="img"' in drawn


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_file_themes_are_plain_colours(theme: str) -> None:
    css = file_css(theme)  # type: ignore[arg-type]
    assert "var(" not in css and "light-dark" not in css and "<" not in css


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(a: str, b: str) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_keep_their_contrast(theme: int) -> None:
    """WCAG 2.2 AA: 4.5 for words, 3 for borders and icons."""
    colours = {name.removeprefix("--graph-"): pair[theme] for name, pair in tokens().items()}
    fills = [name for name in colours if name.endswith("-fill")]
    assert len(fills) == 10
    for fill in [*fills, "surface"]:
        assert _contrast(colours["ink"], colours[fill]) >= 4.5, fill
    assert _contrast(colours["muted"], colours["surface"]) >= 4.5
    for name in ("done", "running", "waiting", "failed", "stopped"):
        assert _contrast(colours[name], colours[f"{name}-fill"]) >= 4.5, name
    for name in ("step", "event", "start", "stop", "human", "idle", "line"):
        assert _contrast(colours[name], colours["surface"]) >= 3, name
