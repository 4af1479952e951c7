"""A graph as a file: each form opens elsewhere, asks for nothing, and is the same bytes for the same input."""

from __future__ import annotations

import json
import re
import struct
import sys
from base64 import b64encode
from hashlib import sha256
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from treadle.errors import ExtraMissing
from treadle.resources import STATIC
from treadle.visualizer.export import FORMS, Form, Look, Recording, exported
from treadle.visualizer.graph import Graph, Node

from .samples import APPROVAL, RAG, graphs, large_graphs, run_of

SCHEMA = Draft202012Validator(json.loads((STATIC / "graph.schema.json").read_text(encoding="utf-8")))
RUN = Recording(
    "failed",
    run_of(
        ("", "", "StartEvent"),
        ("judge_query", "StartEvent", "BadQueryEvent"),
        ("improve_query", "BadQueryEvent", "JudgeEvent"),
        ("judge_query", "JudgeEvent", "HighTopKEvent"),
    ),
)
HOSTILE = "</style></title><script>alert(1)</script>"


def text(graph: Graph, form: Form, look: Look | None = None, **options: Any) -> str:
    return exported(graph, form, look=look, **options).decode()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("run", [None, RUN], ids=["flows", "run"])
def test_same_input_gives_the_same_bytes(form: Form, run: Recording | None) -> None:
    look = Look("dark", "LR", legend=True, caption="For the report")
    assert exported(RAG, form, look=look, run=run) == exported(RAG, form, look=look, run=run)


def _hashed(page: str, tag: str) -> str:
    found = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    assert len(found) == 1
    return f"'sha256-{b64encode(sha256(found[0].encode()).digest()).decode()}'"


def test_html_allows_exactly_its_own_style_and_script() -> None:
    page = text(APPROVAL, "html")
    policy = re.search('Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert f"style-src {_hashed(page, 'style')};" in policy[1]
    assert f"script-src {_hashed(page, 'script')};" in policy[1]
    assert policy[1].startswith("default-src 'none'")


@pytest.mark.parametrize("form", ["html", "svg"])
def test_page_and_picture_ask_for_nothing(form: Form) -> None:
    page = text(RAG, form, Look("auto", title="r_1", caption="A run", legend=True), run=RUN)
    outside = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?://|@import|url\(|\ssrc=|\shref=", outside)


def test_html_escapes_its_title_and_names() -> None:
    graph = Graph(HOSTILE, (Node("step:x", "step", HOSTILE, "step"),), warnings=(HOSTILE,))
    page = text(graph, "html", Look(caption=HOSTILE))
    assert "alert(1)</script>" not in page
    assert page.count("<script>") == 1


@pytest.mark.parametrize(
    ("theme", "scheme"), [(None, "light dark"), ("light", "light"), ("dark", "dark"), ("print", "light")]
)
def test_html_has_a_colour_scheme_that_browsers_know(theme: Any, scheme: str) -> None:
    page = text(RAG, "html", Look(theme))
    assert re.findall(r"color-scheme:([a-z ]+)[;}]", page)[0] == scheme
    assert ("--graph-step-fill:#ffffff" in page) == (theme == "print")


def test_svg_follows_its_reader_only_where_it_is_asked_to() -> None:
    assert "prefers-color-scheme" not in text(RAG, "svg")
    auto = text(RAG, "svg", Look("auto"))
    assert "prefers-color-scheme:dark" in auto
    assert "var(" not in auto and "light-dark" not in auto


def test_svg_has_legend_and_caption_when_asked_for() -> None:
    plain, told = text(RAG, "svg"), text(RAG, "svg", Look(legend=True, caption="For the report"))
    assert "graph-caption-text" not in ET.tostring(ET.fromstring(plain), encoding="unicode").partition("</style>")[2]
    assert ">For the report</text>" in told and ">closes a loop</text>" in told


def test_html_tells_what_it_shows_unless_told_otherwise() -> None:
    assert "<p>All possible flows</p>" in text(RAG, "html", caption="All possible flows")
    silent = text(RAG, "html", Look(caption="", legend=False), caption="All possible flows")
    assert "<p>" not in silent and '<ul class="graph-legend">' not in silent


@pytest.mark.parametrize("run", [None, RUN], ids=["flows", "run"])
@pytest.mark.parametrize("compact", [False, True])
def test_json_is_as_its_schema_says(run: Recording | None, compact: bool) -> None:
    data = json.loads(text(RAG, "json", Look(compact=compact, direction="LR"), run=run))
    SCHEMA.validate(data)
    assert data["direction"] == "LR" and data["workflow"] == "MultiStrategyRAG"
    names = {node["id"] for node in data["nodes"]}
    assert all({edge["source"], edge["target"]} <= names for edge in data["edges"])
    assert ("event:JudgeEvent" in names) != compact


def test_json_of_a_run_has_its_counts() -> None:
    data = json.loads(text(RAG, "json", run=RUN))
    marks = {node["id"]: node["mark"]["count"] for node in data["nodes"]}
    assert marks["step:judge_query"] == 2 and marks["step:rerank"] == 0
    assert data["run"] == {"status": "failed", "at": None}
    carried = {edge["key"]: edge["mark"]["count"] for edge in data["edges"]}
    assert carried["event:JudgeEvent>step:judge_query"] == 1


@settings(max_examples=150, deadline=None)
@given(graph=st.one_of(graphs(), large_graphs()), direction=st.sampled_from(["TB", "LR"]), compact=st.booleans())
def test_json_of_any_graph_is_as_its_schema_says(graph: Graph, direction: Any, compact: bool) -> None:
    SCHEMA.validate(json.loads(text(graph, "json", Look(direction=direction, compact=compact))))


def test_schema_is_strict_enough_to_refuse() -> None:
    data = json.loads(text(RAG, "json", run=RUN))
    for damage in ({"format": "treadle-graph/2"}, {"nodes": [{}]}, {"run": {"status": "odd", "at": None}}):
        assert not SCHEMA.is_valid(data | damage)


def test_only_leaves_out_what_a_run_did_not_do() -> None:
    only = Recording(RUN.status, RUN.counts, only=True)
    names = [node["name"] for node in json.loads(text(RAG, "json", run=only))["nodes"]]
    assert "improve_query" in names and "rerank" not in names
    compact = json.loads(text(RAG, "json", Look(compact=True), run=only))
    assert {"via", "label"} <= set(compact["edges"][1])


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_png_has_the_size_that_is_asked_for() -> None:
    once, twice = size(exported(RAG, "png", look=Look(scale=1))), size(exported(RAG, "png"))
    assert twice == pytest.approx([2 * side for side in once], abs=2)


def test_png_has_the_letters_of_its_words() -> None:
    """Without a font a picture has boxes and no words, and nobody says so."""
    pytest.importorskip("resvg_py")
    alone = Graph("G", (Node("step:x", "step", "l", "step"),))
    wordy = Graph("G", (Node("step:x", "step", "W", "step"),))
    assert len(exported(wordy, "png")) != len(exported(alone, "png"))
    assert exported(wordy, "png") != exported(alone, "png")


def test_png_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'treadle\[png\]'") as error:
        exported(RAG, "png")
    assert error.value.extra == "png"
