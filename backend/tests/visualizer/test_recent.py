"""A drawing of a run holds what occurred and nothing else, declared or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from treadle.visualizer.graph import Edge, Graph
from treadle.visualizer.layout import layout
from treadle.visualizer.overlay import Overlay
from treadle.visualizer.recent import MOST_CHILDREN, recent_execution
from treadle.visualizer.svg import to_svg

from .samples import APPROVAL, RAG, graphs, run_of


def counted(graph: Graph, *steps: tuple[str, str, str], **more: Any) -> tuple[Graph, Overlay]:
    """A run drawn on `graph`: (step, event it took, event it sent) one after the other, both words may be empty."""
    return recent_execution(graph, {**run_of(*steps), **more}, run_status=more.get("status", "completed"))


def names(graph: Graph) -> list[str]:
    return [node.name for node in graph.nodes]


LOOPED = (
    ("judge_query", "StartEvent", "BadQueryEvent"),
    ("improve_query", "BadQueryEvent", "JudgeEvent"),
    ("judge_query", "JudgeEvent", "NaiveRAGEvent"),
    ("naive_rag", "NaiveRAGEvent", "ResponseEvent"),
    ("judge_response", "ResponseEvent", "StopEvent"),
)


def test_only_the_branch_that_ran_is_drawn_in_declared_order() -> None:
    graph, overlay = counted(RAG, *LOOPED)
    left_out = {"high_top_k", "rerank", "HighTopKEvent", "RerankEvent"}
    assert names(graph) == [name for name in names(RAG) if name not in left_out]
    assert not [mark for mark in overlay.nodes.values() if mark.status == "idle"]
    assert {edge.key for edge in graph.edges} == set(overlay.edges)
    assert all(mark.count for mark in overlay.edges.values())


def test_a_declared_way_that_carried_nothing_is_left_out_between_nodes_that_ran() -> None:
    graph, _ = counted(RAG, *LOOPED[2:])
    assert "step:judge_query>event:BadQueryEvent" not in {edge.key for edge in graph.edges}
    graph, _ = counted(RAG, *LOOPED, LOOPED[3])
    keys = {edge.key for edge in graph.edges}
    assert "step:naive_rag>event:ResponseEvent" in keys
    assert "step:high_top_k>event:ResponseEvent" not in keys


def test_loop_shows_how_often() -> None:
    _, overlay = counted(RAG, *LOOPED)
    assert overlay.nodes["step:judge_query"].label == "×2"
    assert overlay.nodes["step:improve_query"].label == ""


def test_what_nothing_declares_comes_after_the_rest() -> None:
    graph, overlay = counted(RAG, ("judge_query", "StartEvent", "SurpriseEvent"), ("late", "SurpriseEvent", "Done"))
    assert names(graph) == ["StartEvent", "judge_query", "SurpriseEvent", "Done", "late"]
    assert Edge("event:SurpriseEvent", "step:late") in graph.edges
    assert overlay.nodes["event:SurpriseEvent"].status == "done"


def test_events_a_graph_does_not_know_keep_their_role() -> None:
    counts = run_of(("ask", "StartEvent", "InputRequiredEvent"), ("", "", "Answer"), ("ask", "Answer", "StopEvent"))
    graph, _ = recent_execution(
        Graph("Unknown"), counts, run_status="completed", events={"Answer": ("response", "What was said.")}
    )
    assert {node.name: node.role for node in graph.nodes} == {
        "StartEvent": "start",
        "InputRequiredEvent": "input",
        "Answer": "response",
        "StopEvent": "stop",
        "ask": "step",
        "person": "person",
    }
    assert Edge("person", "event:Answer") in graph.edges


def test_a_person_is_drawn_only_if_asked() -> None:
    asked, overlay = counted(
        APPROVAL,
        ("draft", "StartEvent", "DraftEvent"),
        ("ask", "DraftEvent", "InputRequiredEvent"),
        status="waiting",
        prompts=1,
    )
    assert names(asked)[-1] == "person"
    assert "HumanResponseEvent" not in names(asked)
    assert overlay.nodes["person"].status == "waiting"
    alone, _ = counted(APPROVAL, ("decide", "HumanResponseEvent", "StopEvent"))
    assert "person" not in names(alone)


def child(step: str, run_id: str, status: str, workflow: str = "Reflection") -> dict[str, str]:
    return {"step": step, "workflow": workflow, "run_id": run_id, "status": status}


@pytest.mark.parametrize(
    ("status", "run_status", "mark", "word"),
    [
        ("completed", "completed", "done", "completed"),
        ("failed", "running", "failed", "failed"),
        ("timed_out", "failed", "failed", "timed out"),
        ("cancelled", "running", "stopped", "cancelled"),
        ("waiting", "waiting", "waiting", "waiting"),
        ("running", "running", "running", "running"),
        ("running", "cancelled", "stopped", "cancelled"),
    ],
)
def test_nested_run_hangs_off_its_step(status: str, run_status: str, mark: str, word: str) -> None:
    graph, overlay = counted(RAG, *LOOPED, status=run_status, children=[child("naive_rag", "r_2", status)])
    node = graph.nodes[-1]
    assert (node.id, node.kind, node.name) == ("run:r_2", "workflow", f"Reflection: {word}")
    assert graph.edges[-1] == Edge("step:naive_rag", "run:r_2")
    assert overlay.nodes["run:r_2"].status == mark
    assert Graph.from_dict(graph.to_dict()) == graph


def test_many_nested_runs_of_a_step_are_drawn_by_how_they_went() -> None:
    few = [child("rerank", f"r_{at}", "completed") for at in range(MOST_CHILDREN)]
    graph, _ = counted(RAG, *LOOPED, ("rerank", "RerankEvent", ""), children=few)
    assert sum(node.kind == "workflow" for node in graph.nodes) == MOST_CHILDREN
    more = [*few, child("rerank", "r_a", "failed"), child("rerank", "r_b", "failed")]
    graph, overlay = counted(RAG, *LOOPED, ("rerank", "RerankEvent", ""), children=more)
    nested = {node.name: node.id for node in graph.nodes if node.kind == "workflow"}
    assert list(nested) == ["Reflection: completed", "Reflection: failed"]
    carried = {name: overlay.edges[f"step:rerank>{node}"].label for name, node in nested.items()}
    assert carried == {"Reflection: completed": f"×{MOST_CHILDREN}", "Reflection: failed": "×2"}


def test_nested_run_of_a_step_that_is_not_drawn_is_left_out() -> None:
    graph, _ = counted(RAG, *LOOPED, children=[child("gone", "r_2", "completed")])
    assert not [node for node in graph.nodes if node.kind == "workflow"]


@given(graph=graphs())
def test_any_part_of_any_graph_can_be_drawn(graph: Graph) -> None:
    """Every second node occurred, and every edge carried something: those between two nodes that occurred are drawn."""
    nodes = tuple(replace(node, name=node.id.partition(":")[2]) for node in graph.nodes)
    kept = {node.id for node in nodes[::2]}
    counts = {
        "events": {node.name: 1 for node in nodes[::2] if node.kind == "event"},
        "steps": {node.name: {"started": 1, "done": 1} for node in nodes[::2] if node.kind == "step"},
        "edges": {edge.key: 1 for edge in graph.edges},
    }
    drawn, overlay = recent_execution(replace(graph, nodes=nodes), counts, run_status="completed")
    assert {node.id for node in drawn.nodes} - {"person"} == kept
    between = [edge for edge in graph.edges if edge.source in kept and edge.target in kept]
    assert [edge for edge in drawn.edges if "person" not in edge.key] == between
    assert to_svg(drawn, layout(drawn), overlay=overlay)


@pytest.mark.parametrize("counts", [{}, {"steps": None}, {"edges": {"x": 1}, "steps": {"judge_query": None}}])
def test_counts_without_a_run_draw_nothing(counts: dict[str, Any]) -> None:
    graph, _ = recent_execution(RAG, counts, run_status="running")
    assert (graph.nodes, graph.edges) == ((), ())


def test_only_one_iteration_of_a_loop_is_drawn_when_asked() -> None:
    first = {"event:StartEvent", "step:judge_query", "event:BadQueryEvent", "step:improve_query",
             "event:StartEvent>step:judge_query", "step:judge_query>event:BadQueryEvent",
             "event:BadQueryEvent>step:improve_query"}  # fmt: skip
    counts = run_of(*LOOPED)
    graph, overlay = recent_execution(RAG, counts, run_status="completed", only=first)
    assert {*(node.id for node in graph.nodes), *(edge.key for edge in graph.edges)} == first
    assert set(overlay.nodes) | set(overlay.edges) == first


def test_trigger_of_an_execution_is_marked() -> None:
    key = "event:JudgeEvent>step:judge_query"
    _, overlay = recent_execution(RAG, run_of(*LOOPED), run_status="completed", highlight=key)
    assert [name for name, mark in overlay.edges.items() if mark.trigger] == [key]


def test_fan_out_is_drawn_as_a_group() -> None:
    fan = [("split", "StartEvent", "Work"), *[("", "", "Work")] * 39, *[("work", "Work", "Done")] * 40]
    counts = run_of(*fan)
    counts["edges"]["step:split>event:Work"] = 40
    graph, overlay = recent_execution(Graph("Fan"), counts, run_status="completed")
    assert {node.name: node.instances for node in graph.nodes}["work"] == 40
    assert overlay.nodes["step:work"].line == "40 done"
