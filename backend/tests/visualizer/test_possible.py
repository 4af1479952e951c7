"""The graph of all possible flows tells what a step's declaration says, and what is probably not meant."""

from __future__ import annotations

import pytest

from treadle import Workflow
from treadle.visualizer.graph import Graph, Node
from treadle.visualizer.nested import local_id
from treadle.visualizer.possible import flows_of

from .flows import Caught, Equipped, Gathering, Odd, Outer, Outermost, Reflection
from .test_layout_rules import check, layout


def flows(workflow: Workflow, *, expand: bool = False) -> Graph:
    return flows_of(workflow.workflow_name, workflow.table, expand=expand)


def node(graph: Graph, key: str) -> Node:
    return next(node for node in graph.nodes if node.id == key)


def test_step_tells_what_it_asks_for_and_how_it_is_tried_again() -> None:
    graph = flows(Equipped())
    told = {trait.kind: (trait.text, trait.note) for trait in node(graph, "step:write").traits}
    assert told == {
        "resource": ("llm", "Asks for llm, a resource made by make_llm."),
        "retry": ("3 retries", "Is tried again up to 3 times when it fails, 2 s apart."),
    }
    assert [trait.text for trait in node(graph, "step:send").traits] == ["once"]
    assert Graph.from_dict(graph.to_dict()) == graph


def test_step_that_waits_for_several_events_says_so() -> None:
    told = {node.name: [trait.note for trait in node.traits] for node in flows(Gathering()).nodes if node.traits}
    assert told == {
        "gather": ["Collects several events before it goes on."],
        "join": ["Starts when there is one of each: Unsaid, Secret."],
    }


def test_catching_step_tells_for_whom() -> None:
    (trait,) = node(flows(Caught()), "step:rescue").traits
    assert (trait.kind, trait.note) == ("catches", "Catches the errors of risky.")


def test_what_is_probably_not_meant_is_told_where_it_is_and_altogether() -> None:
    graph = flows(Odd(disable_validation=True))
    warned = {node.name: node.warnings[0] for node in graph.nodes if node.warnings}
    assert set(warned) == {"wander", "never", "Unsaid", "Secret"}
    assert warned["Unsaid"] == "No step takes Unsaid: let one accept it, or send another event."
    assert "dead end" in warned["wander"] and "never start" in warned["never"]
    assert set(warned.values()) <= set(graph.warnings)


def test_workflow_in_a_slot_is_drawn_in_a_frame_when_asked() -> None:
    alone, graph = flows(Outer()), flows(Outer(), expand=True)
    assert graph.nodes[: len(alone.nodes)] == alone.nodes
    frame = node(graph, "flow:reflection")
    assert (frame.kind, frame.name, frame.inside) == ("workflow", "Reflection", None)
    inside = [other.id for other in graph.nodes if other.inside == frame.id]
    assert inside == ["event:reflection/StartEvent", "step:reflection/reflect", "event:reflection/StopEvent"]
    keys = [edge.key for edge in graph.edges]
    assert "step:start>flow:reflection" in keys
    assert "step:reflection/reflect>event:reflection/StopEvent" in keys


def test_workflows_are_nested_to_any_depth() -> None:
    graph = flows(Outermost(), expand=True)
    inner = node(graph, "flow:outer/reflection")
    assert inner.inside == "flow:outer"
    assert node(graph, "step:outer/reflection/reflect").inside == inner.id
    for direction in ("TB", "LR"):
        check(graph, layout(graph, direction=direction))  # type: ignore[arg-type]


def test_workflow_that_is_inside_itself_is_drawn_once() -> None:
    outer = Outermost()
    outer.add_workflows(outer=outer)
    graph = flows(outer, expand=True)
    assert [node.id for node in graph.nodes if node.kind == "workflow"] == ["flow:outer"]
    assert not [node for node in graph.nodes if node.inside]


def test_warnings_of_a_nested_workflow_name_it() -> None:
    outer = Outermost()
    outer.add_workflows(outer=Odd(disable_validation=True))
    warnings = flows(outer, expand=True).warnings
    assert any(text.startswith("Odd: No step takes Unsaid") for text in warnings)


def test_nothing_changes_without_slots() -> None:
    assert flows(Reflection(), expand=True) == flows(Reflection())


@pytest.mark.parametrize(
    ("nested", "own"),
    [("step:a/b/reflect", "step:reflect"), ("event:a/StartEvent", "event:StartEvent"), ("a/person", "person"),
     ("step:reflect", "step:reflect"), ("person", "person")],
)  # fmt: skip
def test_local_id_is_the_one_in_the_workflow_s_own_graph(nested: str, own: str) -> None:
    assert local_id(nested) == own
