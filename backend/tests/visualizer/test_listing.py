"""The table tells what the picture shows: a canvas or a drawing is nothing to somebody who does not see it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from treadle.visualizer.compact import compacted
from treadle.visualizer.graph import Graph, Node
from treadle.visualizer.layout import layout
from treadle.visualizer.listing import rows, table_html
from treadle.visualizer.overlay import overlay_of
from treadle.visualizer.possible import flows_of

from .flows import Equipped, Outer
from .samples import APPROVAL, RAG


def test_every_node_is_a_row_with_its_neighbours() -> None:
    told = {row.name: row for row in rows(RAG)}
    assert len(told) == len(RAG.nodes)
    assert told["judge_query"].comes_from == ("StartEvent", "JudgeEvent")
    assert told["ResponseEvent"].comes_from == ("naive_rag", "high_top_k", "rerank")
    assert told["StartEvent"].comes_from == ("the outside",) and told["StopEvent"].leads_to == ("the end",)


def test_rows_stand_in_reading_order_when_there_is_one() -> None:
    order = layout(RAG).order
    assert [row.id for row in rows(RAG, order=order)] == list(order)


def test_run_is_told_with_statuses_and_counts() -> None:
    counts = {
        "steps": {"judge_query": {"started": 3, "done": 3}},
        "edges": {"event:JudgeEvent>step:judge_query": 2},
    }
    told = {row.name: row for row in rows(RAG, overlay=overlay_of(RAG, counts, run_status="running"))}
    row = told["judge_query"]
    assert (row.status, row.times, row.notes) == ("done", 3, ("Ran 3 times.",))
    assert row.comes_from == ("StartEvent", "JudgeEvent (2 times)")
    assert told["rerank"].status == "not reached"


def test_edges_of_a_compact_graph_name_their_event() -> None:
    told = {row.name: row for row in rows(compacted(APPROVAL))}
    assert told["person"].comes_from == ("ask by InputRequiredEvent",)


def test_traits_and_frames_are_told_in_words() -> None:
    equipped = flows_of("Equipped", Equipped().table)
    notes = {row.name: row.notes for row in rows(equipped)}
    assert "Asks for llm, a resource made by make_llm." in notes["write"]
    outer = {row.id: row for row in rows(flows_of("Outer", Outer().table, expand=True))}
    assert outer["step:reflection/reflect"].notes == ("Part of Reflection.",)
    assert outer["flow:reflection"].kind == "nested workflow"


def test_table_is_well_formed_and_escapes_names() -> None:
    name = '"><script>alert(1)</script>'
    graph = Graph(name, (Node(f"step:{name}", "step", name, "step"),))
    html = table_html(
        graph, overlay=overlay_of(graph, {}, run_status="running"), href=lambda node: f"/?{node.name}", caption=name
    )
    table = ET.fromstring(html)
    assert "<script" not in html
    assert [cell.attrib for cell in table.iter("th")][-1] == {"scope": "row"}
    assert len(table.findall("./thead/tr/th")) == len(table.findall("./tbody/tr/")) == 7
