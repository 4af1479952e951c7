"""The JSON beside the pages, as a program meets it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from starlette.testclient import TestClient

from treadle.store.database import Database

from .conftest import NOW, Rows, Wishes


def test_start_answers_with_id_and_url(program: TestClient, wishes: Wishes) -> None:
    answer = program.post("/workflows/Asking/runs?held=true", json={"topic": "looms", "other": [1]})
    assert answer.status_code == 201
    assert answer.json() == {"id": "r_1", "url": "http://127.0.0.1:8765/runs/r_1"}
    assert wishes.made[0][1]["held"] is True and wishes.made[0][1]["fields"] == {"topic": "looms", "other": [1]}


def test_start_takes_a_deadline(program: TestClient, wishes: Wishes) -> None:
    for given in ("90", "2030-01-31T18:00:00Z"):
        answer = program.post(f"/workflows/Asking/runs?deadline={given}", json={"topic": "looms"})
        assert answer.status_code == 201
    moment = datetime(2030, 1, 31, 18, tzinfo=UTC)
    assert [start["deadline"] for _, start in wishes.made] == [90.0, moment]
    answer = program.post("/workflows/Asking/runs?deadline=2030-01-31T18:00:00", json={"topic": "looms"})
    assert (answer.status_code, len(wishes.made)) == (422, 2)
    assert "has no time zone" in answer.json()["message"]


def test_start_with_a_used_key_is_the_same_run(program: TestClient, wishes: Wishes) -> None:
    key = {"idempotency-key": "k"}
    first = program.post("/workflows/Asking/runs", json={"topic": "x"}, headers=key)
    again = program.post("/workflows/Asking/runs", json={"topic": "x"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() and len(wishes.made) == 1


def test_start_refuses_fields_that_do_not_fit(program: TestClient, wishes: Wishes) -> None:
    answer = program.post("/workflows/Asking/runs", json={"n": 0})
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_fields" and set(answer.json()["fields"]) == {"n", "topic"}
    assert program.post("/workflows/Asking/runs", json=[1]).status_code == 422
    broken = program.post("/workflows/Asking/runs", content=b"{", headers={"content-type": "application/json"})
    assert broken.status_code == 400 and wishes.made == []


def test_run_json_tells_its_summary(program: TestClient, rows: Rows) -> None:
    rows.run("r_1", result=json.dumps({"a": 1}), ended_at=NOW + 1.5, entries=2)
    run = program.get("/runs/r_1.json").json()
    assert run["id"] == "r_1" and run["workflow"] == "Asking" and run["status"] == "completed"
    assert run["result"] == {"a": 1} and run["error"] is None and run["entries"] == 2
    assert run["started_at"] == "2025-10-09T08:53:20.000Z" and run["ended_at"] == "2025-10-09T08:53:21.500Z"


def test_events_are_paged_by_seq(program: TestClient, rows: Rows) -> None:
    rows.run("r_1", entries=5)
    rows.entries("r_1", 1, 5)
    page = program.get("/runs/r_1/events.json?after=1&limit=3").json()
    assert [event["seq"] for event in page["events"]] == [2, 3, 4] and page["next"] == 4
    assert set(page["events"][0]) == {"seq", "at", "kind", "step", "event_type", "payload", "cause", "superseded"}
    assert program.get("/runs/r_1/events.json?after=4").json()["next"] is None


def test_prompts_tell_what_they_take(program: TestClient, rows: Rows, wishes: Wishes) -> None:
    rows.run("r_1", "waiting")
    rows.prompt("r_1", 2)
    prompt = program.get("/runs/r_1/prompts.json").json()["prompts"][0]
    assert prompt["prefix"] == "Which number?" and "HumanResponseEvent" in prompt["responses"]
    assert program.post("/runs/r_1/prompts/2/response", json={"response": 7}).status_code == 422
    assert program.post("/runs/r_1/prompts/2/response", json={"response": "7"}).status_code == 201
    second = program.post("/runs/r_1/prompts/2/response", json={"response": "8"})
    assert second.status_code == 409 and second.json()["code"] == "prompt_answered"
    assert "already answered at" in second.json()["message"]


def test_controls_are_accepted_or_refused(program: TestClient, wishes: Wishes) -> None:
    assert program.post("/runs/r_1/cancellation").status_code == 202
    assert program.post("/runs/r_1/steps").status_code == 202
    assert program.post("/runs/r_1/release").status_code == 202
    wishes.ended.add("r_1")
    refused = program.post("/runs/r_1/cancellation")
    assert refused.status_code == 409 and refused.json()["code"] == "run_ended"


def test_workflow_json_has_graph_and_schema(program: TestClient) -> None:
    assert [item["name"] for item in program.get("/workflows.json").json()["workflows"]] == ["Asking"]
    workflow = program.get("/workflows/Asking.json").json()
    assert workflow["graph"]["nodes"] and workflow["start_schema"]["required"] == ["topic"]


def test_health_answers_while_somebody_writes(program: TestClient, rows: Rows, database: Database) -> None:
    rows.add("worker", id="w", name="worker-1", pid=1, started_at=NOW, heartbeat_at=9e9)
    program.get("/health")
    with database.write() as db:
        db.exec_driver_sql("UPDATE worker SET pid = 2")
        answer = program.get("/health", headers={"authorization": ""})
    assert answer.status_code == 200 and answer.json()["workers"][0]["name"] == "worker-1"


def test_lone_surrogates_are_shown_and_not_choked_on(program: TestClient, studio: TestClient, rows: Rows) -> None:
    """A payload may hold what no encoding can carry."""
    run_id = rows.run("r_odd", result='"\\ud800"')
    rows.entries(run_id, 1, 1, payload='{"text":"\\ud800"}')
    assert program.get(f"/runs/{run_id}.json").json()["result"] == "\ud800"
    assert program.get(f"/runs/{run_id}/events.json").json()["events"][0]["payload"] == {"text": "\ud800"}
    assert studio.get(f"/runs/{run_id}").status_code == 200


def test_response_of_an_unknown_type_is_refused(program: TestClient, rows: Rows, wishes: Wishes) -> None:
    rows.prompt(rows.run("r_ask", status="waiting"), 2)
    answer = program.post("/runs/r_ask/prompts/2/response?type=Nope", json={"response": "1"})
    assert answer.status_code == 422
    assert "takes no Nope" in answer.json()["message"]


def test_step_may_be_chosen_in_the_body(program: TestClient, rows: Rows, wishes: Wishes) -> None:
    rows.run("r_held", status="held")
    assert program.post("/runs/r_held/steps", json={"delivery": "3:ask"}).status_code == 202
    assert wishes.made[-1] == ("step", {"run": "r_held", "delivery": "3:ask"})
