"""Counts become statuses in one place, and nothing is inferred from names."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treadle.visualizer.compact import compacted
from treadle.visualizer.instances import fitted
from treadle.visualizer.overlay import overlay_of, stroke_width
from treadle.visualizer.possible import flows_of
from treadle.visualizer.status import Status
from treadle.visualizer.text import times

from .flows import Outer
from .samples import APPROVAL, COUNTER, RAG, flow, run_of


def status_of(step: dict[str, int], run_status: str) -> str:
    marks = overlay_of(RAG, {"steps": {"judge_query": step}}, run_status=run_status)
    return marks.nodes["step:judge_query"].status


@pytest.mark.parametrize(
    ("step", "run_status", "expected"),
    [
        ({}, "running", "idle"),
        ({"started": 1, "running": 1}, "running", "running"),
        ({"started": 2, "running": 1, "done": 1}, "running", "running"),
        ({"started": 1, "done": 1}, "running", "done"),
        ({"started": 1, "waiting": 1}, "running", "waiting"),
        ({"started": 3, "failed": 3}, "failed", "failed"),
        ({"started": 3, "failed": 2, "done": 1}, "completed", "done"),
        ({"started": 3, "failed": 2, "done": 1}, "failed", "failed"),
        ({"started": 1, "running": 1}, "cancelled", "stopped"),
        ({"started": 1, "running": 1}, "interrupted", "stopped"),
        ({"started": 1}, "interrupted", "stopped"),
        ({"started": 1, "done": 1}, "interrupted", "done"),
    ],
)
def test_step_status(step: dict[str, int], run_status: str, expected: str) -> None:
    assert status_of(step, run_status) == expected


def test_join_shows_its_progress() -> None:
    counts: dict[str, Any] = {
        "steps": {"judge_response": {"started": 2, "waiting": 1}},
        "joins": {"judge_response": {"have": 2, "need": 3, "waiting_for": ["RerankEvent"]}},
    }
    mark = overlay_of(RAG, counts, run_status="running").nodes["step:judge_response"]
    assert (mark.status, mark.label, mark.note) == ("waiting", "2/3", "2 of 3 collected; waiting for RerankEvent")


def test_person_waits_while_a_prompt_is_open() -> None:
    asked = {"events": {"InputRequiredEvent": 1}}
    assert overlay_of(APPROVAL, asked, run_status="waiting").nodes["person"].status == "waiting"
    assert overlay_of(APPROVAL, asked, run_status="cancelled").nodes["person"].status == "stopped"
    answered = {"events": {"InputRequiredEvent": 1, "HumanResponseEvent": 1}}
    assert overlay_of(APPROVAL, answered, run_status="running").nodes["person"].status == "done"
    assert overlay_of(APPROVAL, answered, run_status="running", open_prompts=1).nodes["person"].status == "waiting"


def test_edges_show_only_what_was_recorded() -> None:
    marks = overlay_of(
        RAG, {"events": {"JudgeEvent": 2}, "edges": {"event:JudgeEvent>step:judge_query": 2}}, run_status="running"
    )
    assert marks.edges["event:JudgeEvent>step:judge_query"].count == 2
    assert marks.edges["step:improve_query>event:JudgeEvent"].status == "idle"


def test_unknown_shapes_of_counts_do_no_harm() -> None:
    for counts in (
        None,
        {},
        {"steps": None},
        {"steps": {"judge_query": 3}},
        {"edges": {"x>y": 1}, "events": {"Gone": "?"}},
    ):
        overlay_of(RAG, counts, run_status="running")


def test_stroke_width_follows_the_logarithm_up_to_a_limit() -> None:
    assert stroke_width(0) == 1.5
    assert stroke_width(1) == 2.5
    assert stroke_width(2) == round(1.5 + math.log2(3), 2)
    assert stroke_width(10**6) == 6.0


def test_times_stays_short() -> None:
    assert [times(n) for n in (0, 1, 2, 999, 1200, 9_960, 250_000, 3_000_000)] == [
        "", "", "×2", "×999", "×1.2k", "×10k", "×250k", "×3M",
    ]  # fmt: skip


FAN = flow("Fan", ("split", "StartEvent", "Work"), ("work", "Work", "Done"), ("join", "Done", "StopEvent"))


def fan(sent: int, **work: int) -> dict[str, Any]:
    """Counts of a run in which one step sent many events to another."""
    return {
        "steps": {"split": {"started": 1, "done": 1}, "work": work},
        "events": {"Work": sent},
        "edges": {"step:split>event:Work": sent, "event:Work>step:work": work["started"]},
    }


def test_many_executions_side_by_side_are_a_group_with_a_grid() -> None:
    counts = fan(40, started=30, done=22, failed=2, running=6)
    graph = fitted(FAN, counts)
    work = {node.name: node for node in graph.nodes}["work"]
    assert work.instances == 40
    mark = overlay_of(graph, counts, run_status="running").nodes["step:work"]
    assert Counter(mark.cells) == {"done": 22, "failed": 2, "running": 6, "idle": 10}
    assert mark.line == "22 done · 2 failed · 6 running · 10 not begun"
    assert mark.status == "running" and mark.count == 30


def test_executions_one_after_the_other_are_no_group() -> None:
    counts = {
        "steps": {"count": {"started": 1000, "done": 1000}},
        "events": {"CountEvent": 999},
        "edges": {"step:count>event:CountEvent": 999, "event:CountEvent>step:count": 999},
    }
    assert fitted(COUNTER, counts) == COUNTER
    assert fitted(FAN, fan(8, started=8, done=8)) == FAN


def test_retried_executions_are_one_cell_each() -> None:
    counts = fan(40, started=43, done=40, failed=3)
    mark = overlay_of(fitted(FAN, counts), counts, run_status="completed").nodes["step:work"]
    assert set(mark.cells) == {"done"} and len(mark.cells) == 40


def test_grid_keeps_the_order_in_which_executions_began() -> None:
    counts = fan(10, started=3, done=1, failed=1, running=1)
    graph = fitted(FAN, counts)
    begun: dict[str, list[Status]] = {"work": ["failed", "done", "running"]}
    mark = overlay_of(graph, counts, run_status="running", instances=begun).nodes["step:work"]
    assert mark.cells == ("failed", "done", "running", *["idle"] * 7)


@given(sent=st.integers(9, 5000), data=st.data())
def test_grid_shows_every_status_and_never_too_many_cells(sent: int, data: st.DataObject) -> None:
    done = data.draw(st.integers(0, sent))
    failed = data.draw(st.integers(0, sent - done))
    running = data.draw(st.integers(0, sent - done - failed))
    counts = fan(sent, started=done + failed + running, done=done, failed=failed, running=running)
    mark = overlay_of(fitted(FAN, counts), counts, run_status="running").nodes["step:work"]
    assert len(mark.cells) == min(sent, 100)
    told = {word.partition(" ")[2]: int(word.partition(" ")[0]) for word in mark.line.split(" · ")}
    assert sum(told.values()) == sent
    assert {"not begun" if status == "idle" else status for status in mark.cells} == set(told)


def test_join_under_way_has_room_for_its_progress() -> None:
    counts = {"joins": {"judge_response": {"have": 2, "need": 3, "waiting_for": ["RerankEvent"]}}}
    node = {node.name: node for node in fitted(RAG, counts).nodes}["judge_response"]
    assert node.notes == ("2 of 3 collected", "waiting for RerankEvent")


def test_edges_of_a_compact_graph_carry_what_was_recorded_on_both_sides() -> None:
    counts = run_of(
        ("judge_query", "StartEvent", "BadQueryEvent"),
        ("improve_query", "BadQueryEvent", "JudgeEvent"),
        ("judge_query", "JudgeEvent", "NaiveRAGEvent"),
        ("naive_rag", "NaiveRAGEvent", "ResponseEvent"),
    )
    graph = compacted(RAG)
    marks = overlay_of(graph, counts, run_status="running").edges
    carried = {key: mark.count for key, mark in marks.items() if mark.count}
    assert carried == {
        "event:StartEvent>step:judge_query": 1,
        "step:judge_query>event:BadQueryEvent>step:improve_query": 1,
        "step:improve_query>event:JudgeEvent>step:judge_query": 1,
        "step:judge_query>event:NaiveRAGEvent>step:naive_rag": 1,
    }
    assert marks["step:rerank>event:ResponseEvent>step:judge_response"].status == "idle"


def test_compact_edges_to_and_from_a_person_carry_prompts_and_answers() -> None:
    counts = run_of(("ask", "DraftEvent", "InputRequiredEvent"), ("decide", "HumanResponseEvent", "StopEvent"))
    marks = overlay_of(compacted(APPROVAL), counts, run_status="running").edges
    assert marks["step:ask>event:InputRequiredEvent>person"].count == 1
    assert marks["person>event:HumanResponseEvent>step:decide"].count == 1


def test_trigger_is_marked_and_the_rest_of_the_run_dimmed() -> None:
    key = "event:JudgeEvent>step:judge_query"
    only = {"event:JudgeEvent", "step:judge_query", key}
    marks = overlay_of(RAG, {"edges": {key: 2}}, run_status="running", highlight=key, only=only)
    assert [name for name, mark in marks.edges.items() if mark.trigger] == [key]
    assert {name for name, mark in marks.nodes.items() if not mark.dim} == only - {key}
    assert marks.to_dict()["edges"][key] == {"status": "done", "count": 2, "label": "×2", "trigger": True}
    assert overlay_of(RAG, {}, run_status="running", highlight="gone>away").edges.keys() == marks.edges.keys()


def test_nested_run_is_told_inside_its_frame_and_nowhere_else() -> None:
    graph = flows_of("Outer", Outer().table, expand=True)
    counts = {
        "steps": {"start": {"started": 1, "running": 1}},
        "events": {"StartEvent": 1},
        "edges": {"event:StartEvent>step:start": 1},
        "children": [{"step": "start", "workflow": "Reflection", "run_id": "r_2", "status": "running"}],
    }
    inner = {"status": "running", "counts": run_of(("reflect", "StartEvent", ""))}
    marks = overlay_of(graph, counts, run_status="running", nested={"flow:reflection": inner})
    frame = marks.nodes["flow:reflection"]
    assert (frame.status, frame.note) == ("running", "ran once; running")
    assert marks.nodes["step:reflection/reflect"].status == "done"
    assert marks.edges["event:reflection/StartEvent>step:reflection/reflect"].count == 1
    assert marks.edges["step:start>flow:reflection"].count == 1
    alone = overlay_of(graph, counts, run_status="cancelled")
    assert alone.nodes["flow:reflection"].status == "stopped"
    assert alone.nodes["event:reflection/StartEvent"].status == "idle"
