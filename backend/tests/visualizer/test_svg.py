"""The SVG is well-formed whatever the names are, and carries no inline style on pages."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treadle.visualizer.compact import compacted
from treadle.visualizer.graph import Edge, Graph, Node
from treadle.visualizer.instances import fitted
from treadle.visualizer.layout import layout
from treadle.visualizer.overlay import overlay_of
from treadle.visualizer.possible import flows_of
from treadle.visualizer.svg import to_svg
from treadle.visualizer.theme import file_css, tokens

from .flows import Caught, Equipped, Gathering, Odd, Outer
from .samples import APPROVAL, RAG, flow

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


def tagged(drawn: str, node: str) -> str:
    """The opening tag of a node."""
    found = re.search(rf'<[ag] [^>]*data-node="{node}"[^>]*>', drawn)
    assert found is not None
    return found[0]


def ids(tag: str, attribute: str) -> Any:
    found = re.search(rf'data-{attribute}="([^"]*)"', tag)
    return json.loads(unescape(found[1])) if found else None


def test_tab_key_follows_the_flow() -> None:
    made = layout(RAG)
    assert re.findall(r'data-node="([^"]*)"', to_svg(RAG, made)) == list(made.order)


def test_arrow_keys_lead_along_edges_and_to_both_sides() -> None:
    drawn = to_svg(RAG, layout(RAG))
    judge = tagged(drawn, "step:judge_query")
    assert ids(judge, "prev") == ["event:StartEvent", "event:JudgeEvent"]
    assert ids(judge, "next")[0] == "event:BadQueryEvent" and len(ids(judge, "next")) == 4
    naive = tagged(drawn, "event:NaiveRAGEvent")
    assert ids(naive, "beside") == ["event:BadQueryEvent", "event:HighTopKEvent"]
    assert ids(tagged(drawn, "event:StartEvent"), "prev") is None


def test_every_node_says_what_it_is_and_why_it_is_marked() -> None:
    graph = flows_of("Odd", Odd(disable_validation=True).table)
    drawn = to_svg(graph, layout(graph), caption="All possible flows", legend=True)
    assert drawn.count('class="graph-warning"') == 4 + 1 + len(graph.warnings)
    for node in graph.nodes:
        assert all(unescape(warning) in unescape(drawn) for warning in node.warnings)
    told = " ".join(re.findall(r'class="graph-caption-text"[^>]*>([^<]*)', drawn))
    assert "All possible flows" in told and "No step takes Unsaid" in told and "probably not meant" in told


def test_legend_and_caption_stand_below_the_picture() -> None:
    made = layout(RAG)
    plain, told = to_svg(RAG, made), to_svg(RAG, made, legend=True, caption="A run of words " * 30)
    heights = [float(ET.fromstring(text).attrib["height"]) for text in (plain, told)]
    assert heights[0] == made.bounds.height and heights[1] > heights[0] + 40
    below = [float(y) for y in re.findall(r'class="graph-caption-text" x="[^"]*" y="([^"]*)"', told)]
    assert min(below) > made.bounds.top + made.bounds.height
    assert "closes a loop" in told and "graph-caption" not in plain


def test_traits_are_told_in_passing() -> None:
    graph = flows_of("Equipped", Equipped().table)
    drawn = to_svg(graph, layout(graph))
    assert ">llm</text>" in drawn and ">3 retries</text>" in drawn and ">once</text>" in drawn
    assert "Asks for llm, a resource made by make_llm." in drawn


def test_way_over_a_failure_is_quiet() -> None:
    graph = flows_of("Caught", Caught().table)
    quiet = re.findall(r'class="([^"]*)" data-edge="([^"]*)"', to_svg(graph, layout(graph)))
    assert {unescape(key) for classes, key in quiet if "is-quiet" in classes} == {
        "step:risky>event:StepFailedEvent", "event:StepFailedEvent>step:rescue",
    }  # fmt: skip


def test_frame_of_a_nested_workflow_has_its_name_and_what_is_inside_is_drawn_over_its_ground() -> None:
    graph = flows_of("Outer", Outer().table, expand=True)
    drawn = to_svg(graph, layout(graph), theme="light")
    assert drawn.count("graph-frame-ground") == 2 and ">Reflection</text>" in drawn  # the rule, and one frame
    assert drawn.index('class="graph-frame-ground"') < drawn.index('class="graph-edges"')
    assert 'class="graph-times is-empty is-inside" data-edge-label="event:reflection/StartEvent' in to_svg(
        graph, layout(graph), overlay=overlay_of(graph, {}, run_status="running")
    )


def test_group_is_a_grid_with_counts_and_says_so_aloud() -> None:
    graph = flow("Fan", ("split", "StartEvent", "Work"), ("work", "Work", "Done"), ("join", "Done", "StopEvent"))
    counts = {
        "steps": {"split": {"started": 1}, "work": {"started": 12, "done": 9, "running": 3}},
        "events": {"Work": 12},
        "edges": {"step:split>event:Work": 12},
    }
    graph = fitted(graph, counts)
    drawn = to_svg(graph, layout(graph), overlay=overlay_of(graph, counts, run_status="running"))
    assert len(re.findall(r'class="graph-cell is-done"', drawn)) == 9
    assert len(re.findall(r'class="graph-cell is-running"', drawn)) == 3
    assert ">9 done · 3 running</text>" in drawn
    assert "9 done · 3 running" in tagged(drawn, "step:work")


JOIN = {
    "steps": {"gather": {"started": 2, "waiting": 1}},
    "joins": {"gather": {"have": 2, "need": 3, "waiting_for": ["SomethingRatherLong"]}},
}


def test_join_tells_its_progress_under_its_name() -> None:
    graph = fitted(flows_of("Gathering", Gathering().table), JOIN)
    drawn = to_svg(graph, layout(graph), overlay=overlay_of(graph, JOIN, run_status="running"))
    lines = re.findall(r'class="graph-note"[^>]*>([^<]+)', drawn)
    assert lines == ["2 of 3 collected", "waiting for SomethingRatherLong"]
    assert "2 of 3 collected; waiting for SomethingRatherLong" in tagged(drawn, "step:gather")
    assert "2/3" not in drawn, "it is told in words"


def test_join_without_room_for_it_tells_its_progress_instead_of_its_traits() -> None:
    """A page lays its graph out once: what is told while a run goes on must fit into what is there."""
    graph = flows_of("Gathering", Gathering().table)
    idle = to_svg(graph, layout(graph), overlay=overlay_of(graph, {}, run_status="running"))
    drawn = to_svg(graph, layout(graph), overlay=overlay_of(graph, JOIN, run_status="running"))
    assert "has-note" not in idle and "has-note" in tagged(drawn, "step:gather")
    assert re.findall(r'class="graph-note"[^>]*>([^<]+)', drawn) == ["2 of 3 collected"]
    assert [len(re.findall("<text", text)) for text in (idle, drawn)] == [len(re.findall("<text", idle))] * 2


def test_step_with_nothing_to_tell_below_counts_in_its_corner() -> None:
    counts = {"steps": {"judge_query": {"waiting": 1}}, "joins": {"judge_query": {"have": 2, "need": 3}}}
    drawn = to_svg(RAG, layout(RAG), overlay=overlay_of(RAG, counts, run_status="running"))
    assert ">2/3</text>" in drawn and "graph-note" not in drawn


def test_trigger_is_the_thickest_edge_and_the_rest_is_dim() -> None:
    key = "event:JudgeEvent>step:judge_query"
    counts = {"edges": {key: 1, "event:BadQueryEvent>step:improve_query": 100_000}}
    marks = overlay_of(RAG, counts, run_status="running", highlight=key, only={key, "step:judge_query"})
    drawn = to_svg(RAG, layout(RAG), overlay=marks)
    widths = {
        unescape(edge): float(width)
        for edge, width in re.findall(r'data-edge="([^"]*)"><path class="graph-line" stroke-width="([^"]*)"', drawn)
    }
    assert max(widths, key=lambda edge: widths[edge]) == key
    assert "is-dim" in tagged(drawn, "step:rerank") and "is-dim" not in tagged(drawn, "step:judge_query")


def test_words_on_compact_edges_carry_their_count() -> None:
    graph = compacted(RAG)
    counts = {"edges": {"step:judge_query>event:BadQueryEvent": 2, "event:BadQueryEvent>step:improve_query": 2}}
    drawn = to_svg(graph, layout(graph), overlay=overlay_of(graph, counts, run_status="running"))
    assert re.search(r'graph-times-text"[^>]*>×2</text><text class="graph-words is-done"[^>]*>BadQueryEvent<', drawn)
    assert ">JudgeEvent</text>" in to_svg(graph, layout(graph))


def test_mini_svg_has_no_words_and_nothing_to_focus() -> None:
    drawn = to_svg(APPROVAL, layout(APPROVAL), mini=True)
    assert "<text" not in drawn and "tabindex" not in drawn
    assert 'role="img"' in drawn


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_file_themes_are_plain_colours(theme: str) -> None:
    css = file_css(theme)  # type: ignore[arg-type]
    assert "var(" not in css and "light-dark" not in css and "<" not in css


def test_print_fills_nothing_and_tells_statuses_by_border_and_icon() -> None:
    css = file_css("print")
    fills = re.findall(r"(?:graph-shape|graph-frame-ground|rect) \{ fill: (#[0-9a-f]{6})", css)
    assert len(fills) > 10 and set(fills) == {"#ffffff"}
    assert "stroke-dasharray: 5 3" in css and "stroke-width: 2.5" in css


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
    for name in ("step", "event", "start", "stop", "human", "idle", "line", "back"):
        assert _contrast(colours[name], colours["surface"]) >= 3, name
        assert _contrast(colours[name], colours["frame"]) >= 3, name
    for name in ("ink", "muted", "done"):
        assert _contrast(colours[name], colours["frame"]) >= 4.5, name
    for fill in ("step", "running", "waiting", "done", "failed", "stopped"):
        assert _contrast(colours["muted"], colours[f"{fill}-fill"]) >= 4.5, fill
