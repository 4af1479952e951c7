"""Runs that stopped: what their pages offer, and what pressing it asks for."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from .conftest import GRAPH, NOW, Rows, Wishes, csrf_of

UNKNOWN = json.dumps(
    {"type": "StepUnknown", "message": "It is not known.", "step": "pay", "traceback": "", "delivery": "2:pay"},
    separators=(",", ":"),
)
PAID = {"type": "object", "properties": {"receipt": {"type": "integer"}}, "required": ["receipt"]}


def error(kind: str, step: str | None = "ask") -> str:
    return json.dumps({"type": kind, "message": "It went wrong.", "step": step, "traceback": ""})


def asking(rows: Rows, **values: object) -> None:
    """A run that asks whether its step was done; the version it would go on with knows what that returns."""
    rows.add("version", workflow="Buying", fingerprint="b1", published_at=NOW, start_schema="{}", source="",
             graph=json.dumps({**GRAPH, "outcomes": {"pay": {"Paid": PAID, "None": None}}}))  # fmt: skip
    rows.run("r_asks", "interrupted", workflow="Buying", fingerprint="b1", error=UNKNOWN, epoch=3, entries=4, **values)


def buttons(page: str) -> set[str]:
    return {noun for noun in ("resumption", "retry", "abandonment", "verdict", "cancellation") if f"/{noun}" in page}


@pytest.mark.parametrize(
    ("status", "error", "offered"),
    [
        ("interrupted", error("StepCrashed"), {"resumption", "abandonment"}),
        ("interrupted", UNKNOWN, {"verdict"}),
        ("failed", error("ValueError"), {"retry"}),
        ("timed_out", error("WorkflowTimeoutError", None), {"retry"}),
        ("failed", error("WorkflowStalledError", None), set()),
        ("cancelled", error("WorkflowCancelledByUser", None), set()),
        ("completed", None, set()),
        ("running", error("ValueError"), {"cancellation"}),
    ],
)
def test_run_page_offers_what_makes_sense(
    studio: TestClient, rows: Rows, status: str, error: str, offered: set[str]
) -> None:
    rows.run("r_1", status, error=error, entries=4, epoch=2)
    page = studio.get("/runs/r_1").text
    assert buttons(page) == offered
    assert ("went wrong" in page) == (status in ("interrupted", "failed", "timed_out") and error != UNKNOWN)


def test_run_that_never_began_and_one_inside_another_are_not_retried(studio: TestClient, rows: Rows) -> None:
    rows.run("r_1", "failed", error=error("ValidationError"), entries=0)
    rows.run("r_2", "failed", error=error("ValueError"), entries=4, parent_id="r_1", parent_seq=1, parent_step="ask",
             parent_call=0)  # fmt: skip
    assert buttons(studio.get("/runs/r_1").text) == set()
    page = studio.get("/runs/r_2").text
    assert buttons(page) == set() and "when that is retried" in page


@pytest.mark.parametrize(
    ("noun", "wish", "status"),
    [("resumption", "resume", 202), ("retry", "retry", 202), ("abandonment", "give up", 201)],
)
def test_what_is_pressed_names_the_stop_that_was_seen(
    studio: TestClient, program: TestClient, rows: Rows, wishes: Wishes, noun: str, wish: str, status: int
) -> None:
    rows.run("r_1", "interrupted", error=error("StepCrashed"), epoch=2)
    sent = studio.post(f"/runs/r_1/{noun}", data={"_csrf": csrf_of(studio), "_epoch": "2"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/runs/r_1")
    assert program.post(f"/runs/r_1/{noun}", json={}).status_code == status
    assert program.post(f"/runs/r_1/{noun}", json={"epoch": 5}).status_code == status
    assert program.post(f"/runs/r_1/{noun}", json={"epoch": "soon"}).status_code == 422
    assert [(name, told["epoch"]) for name, told in wishes.made] == [(wish, 2), (wish, None), (wish, 5)]


def test_what_makes_no_sense_is_a_conflict_with_the_reason(
    studio: TestClient, program: TestClient, rows: Rows, wishes: Wishes
) -> None:
    rows.run("r_1", "completed")
    wishes.ended.add("r_1")
    answer = program.post("/runs/r_1/retry", json={})
    assert (answer.status_code, answer.json()) == (409, {"code": "not_applicable", "message": "Run r_1 is completed."})
    page = studio.post("/runs/r_1/retry", data={"_csrf": csrf_of(studio)})
    assert page.status_code == 409 and "Run r_1 is completed." in page.text


def test_question_stands_on_the_run_in_the_inbox_and_at_home(
    studio: TestClient, program: TestClient, rows: Rows
) -> None:
    asking(rows)
    page = studio.get("/runs/r_asks").text
    assert "Was <code>pay</code> done?" in page and 'name="receipt"' in page and "Done without an event" in page
    assert 'href="/runs/r_asks#e2"' in page and "<title>(1) " in page
    assert 'http-equiv="refresh"' not in page, "what is being typed is not thrown away"
    for path in ("/", "/inbox"):
        assert "/runs/r_asks/question" in studio.get(path).text
    (told,) = program.get("/inbox.json").json()["questions"]
    assert (told["run"], told["step"], told["url"]) == ("r_asks", "pay", "/runs/r_asks/question")
    question = program.get(told["url"] + ".json").json()["question"]
    assert (question["epoch"], question["outcomes"]) == (3, {"Paid": PAID, "None": None})
    assert 'name="receipt"' in studio.get(told["url"]).text


def test_question_that_was_answered_is_none(studio: TestClient, program: TestClient, rows: Rows) -> None:
    rows.run("r_1")
    assert program.get("/runs/r_1/question.json").json() == {"question": None}
    assert "asks nothing any more" in studio.get("/runs/r_1/question").text
    assert program.get("/runs/none/question.json").status_code == 404


def test_verdict_of_a_form(studio: TestClient, rows: Rows, wishes: Wishes) -> None:
    asking(rows)
    base = {"_csrf": csrf_of(studio), "_epoch": "3"}
    done = base | {"_verdict": "done", "_type": "Paid"}
    wrong = studio.post("/runs/r_asks/verdict", data=done | {"receipt": "seven"})
    assert wrong.status_code == 422 and "not a whole number" in wrong.text and 'value="seven"' in wrong.text
    assert not wishes.made
    for data in (done | {"receipt": "7"}, base | {"_verdict": "done", "_type": "None"}, base | {"_verdict": "again"},
                 base | {"_verdict": "fail"}):  # fmt: skip
        assert studio.post("/runs/r_asks/verdict", data=data).status_code == 303
    paid = {"type": "Paid", "fields": {"receipt": 7}}
    told = [(name, said.get("event"), said["epoch"]) for name, said in wishes.made]
    assert told == [("done", paid, 3), ("done", None, 3), ("again", None, 3), ("give up", None, 3)]


def test_verdict_of_a_program(program: TestClient, rows: Rows, wishes: Wishes) -> None:
    asking(rows)

    def post(**said: object) -> int:
        return program.post("/runs/r_asks/verdict", json=said).status_code

    assert post(verdict="perhaps") == post() == 422
    assert post(verdict="done", type="Sold", fields={}) == 422
    assert post(verdict="done", type="Paid", fields={}) == 422
    assert not wishes.made
    assert post(verdict="done", type="Paid", fields={"receipt": 7}) == 202
    assert post(verdict="done") == post(verdict="again") == post(verdict="fail") == 202
    assert [name for name, _ in wishes.made] == ["done", "done", "again", "give up"]


def test_parked_run_points_to_what_stopped_inside_it(studio: TestClient, rows: Rows) -> None:
    rows.run("r_1", "interrupted", error=error("TreadleError", None), entries=4)
    asking(rows, parent_id="r_1", parent_seq=1, parent_step="ask", parent_call=0)
    page = studio.get("/runs/r_1").text
    assert "stopped too" in page and 'href="/runs/r_asks"' in page
