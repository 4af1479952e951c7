"""A graph survives JSON, and possible flows name exactly what the steps declare."""

from __future__ import annotations

from hypothesis import given

from treadle.visualizer.graph import Graph

from .samples import APPROVAL, RAG, graphs


@given(graph=graphs())
def test_graph_survives_json(graph: Graph) -> None:
    assert Graph.from_dict(graph.to_dict()) == graph


def test_graph_drops_edges_to_nowhere_and_doubles() -> None:
    nodes = [{"id": "step:a", "kind": "step", "name": "a", "role": "step"}]
    edge = {"source": "step:a", "target": "step:a"}
    read = Graph.from_dict(
        {"workflow": "W", "nodes": nodes, "edges": [edge, edge, {"source": "step:a", "target": "x"}]}
    )
    assert [edge.key for edge in read.edges] == ["step:a>step:a"]


def test_possible_flows_keep_declared_order() -> None:
    names = [node.name for node in RAG.nodes]
    assert names[:4] == ["StartEvent", "JudgeEvent", "judge_query", "BadQueryEvent"]
    assert RAG.nodes[0].role == "start"
    assert RAG.edges[0].key == "event:StartEvent>step:judge_query"


def test_possible_flows_put_a_person_between_prompt_and_answer() -> None:
    keys = [edge.key for edge in APPROVAL.edges]
    assert keys[-2:] == ["event:InputRequiredEvent>person", "person>event:HumanResponseEvent"]
    assert not any(node.id == "person" for node in RAG.nodes)
