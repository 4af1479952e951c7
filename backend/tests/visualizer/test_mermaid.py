"""Mermaid: names are data, whatever they look like. Whether its parser agrees is asked in e2e/test_mermaid.py."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from treadle.visualizer.compact import compacted
from treadle.visualizer.graph import Graph, Node
from treadle.visualizer.mermaid import escaped, mermaid
from treadle.visualizer.overlay import overlay_of
from treadle.visualizer.possible import flows_of

from .flows import Outer
from .samples import RAG, run_of


def test_flows_are_told_in_declared_order() -> None:
    told = mermaid(RAG).splitlines()
    assert told[:4] == [
        "%% MultiStrategyRAG",
        "flowchart TB",
        '  n0(["StartEvent"]):::start',
        '  n1(["JudgeEvent"]):::event',
    ]
    assert "  n0 --> n2" in told


def test_run_tells_counts_and_statuses() -> None:
    counts = run_of(("judge_query", "StartEvent", "JudgeEvent"), ("judge_query", "JudgeEvent", "RerankEvent"))
    counts["steps"]["rerank"] = {"started": 1, "failed": 1}
    told = mermaid(RAG, overlay=overlay_of(RAG, counts, run_status="failed"))
    assert '["judge_query ×2"]:::done' in told
    assert '["rerank<br>failed"]:::failed' in told
    assert '["naive_rag"]:::idle' in told
    assert "classDef failed fill:#fde8e6" in told and "classDef waiting" not in told
    assert " -.-> " in told and re.search(r"linkStyle [\d,]+ stroke-width:2.5px", told)


def test_compact_graph_names_events_on_its_edges() -> None:
    assert '-->|"BadQueryEvent"|' in mermaid(compacted(RAG))


def test_nested_workflows_are_subgraphs() -> None:
    told = mermaid(flows_of("Outer", Outer().table, expand=True))
    assert told.count("subgraph ") == told.count("\n  end\n") >= 1


def test_words_of_mermaid_are_no_ids() -> None:
    told = mermaid(Graph("end", (Node("step:end", "step", "end", "step"),)))
    assert '  n0["end"]:::step' in told


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_escaped_text_has_nothing_of_the_language(text: str) -> None:
    told = escaped(text)
    assert "\n" not in told
    assert not re.search(r'["<>`%:\\{&]', told)
    back = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), told)
    assert back == " ".join("".join(char if char.isprintable() else " " for char in text).split())
