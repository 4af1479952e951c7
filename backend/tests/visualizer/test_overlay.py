"""Counts become statuses in one place, and nothing is inferred from names."""

from __future__ import annotations

import math
from typing import Any

import pytest

from treadle.visualizer.overlay import overlay_of, stroke_width
from treadle.visualizer.text import times

from .samples import APPROVAL, RAG


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
        ({"started": 1, "running": 1}, "interrupted", "running"),
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
