"""Pages as a person meets them: empty, full, wrong, and without JavaScript."""

from __future__ import annotations

import json

from starlette.testclient import TestClient

from .conftest import GRAPH, NOW, Rows, Wishes, csrf_of


def test_home_says_what_to_do_when_empty(studio: TestClient) -> None:
    page = studio.get("/").text
    assert "Asking" in page and "no runs yet" in page and "graph-mini" in page


def test_home_shows_what_needs_a_person(studio: TestClient, rows: Rows) -> None:
    rows.run("r_w", "waiting")
    rows.prompt("r_w", 4)
    page = studio.get("/").text
    assert "Needs you" in page and "/runs/r_w/prompts/4" in page and "<title>(1) " in page


def test_home_names_the_busy_worker(studio: TestClient, rows: Rows) -> None:
    rows.add("worker", id="w", name="worker-1", pid=1, started_at=NOW, heartbeat_at=9e9, busy_since=NOW,
             busy_run="r_b", busy_step="slow")  # fmt: skip
    page = studio.get("/").text
    assert "worker-1 is in <code>slow</code>" in page and "/runs/r_b" in page


def test_home_shows_a_file_that_could_not_be_loaded(studio: TestClient, rows: Rows) -> None:
    error = {"message": "never closed", "file": "bad.py", "line": 7, "traceback": "SyntaxError"}
    rows.add("workflow", name="bad.py", file="bad.py", title="bad.py", doc="", fingerprint="", published_at=NOW,
             error=json.dumps(error))  # fmt: skip
    assert "bad.py:7" in studio.get("/").text
    page = studio.get("/workflows/bad.py").text
    assert "SyntaxError" in page and 'action="/workflows/bad.py/runs"' not in page


def test_workflow_page_has_graph_form_and_source(studio: TestClient) -> None:
    page = studio.get("/workflows/Asking").text
    assert 'data-node="step:ask"' in page and 'name="topic"' in page and 'name="_held"' in page
    assert 'class="source"' in page and "Asks once." in page


def test_unknown_things_are_404_in_the_askers_own_form(studio: TestClient, program: TestClient) -> None:
    for path in ("/workflows/None", "/runs/none", "/runs/none/prompts/1", "/nothing"):
        assert studio.get(path).status_code == 404
        assert set(program.get(path).json()) == {"code", "message"}


def test_start_form_starts_and_leads_to_the_run(studio: TestClient, wishes: Wishes) -> None:
    form = {"topic": "looms", "n": "5", "loud": "true", "_held": "true", "_csrf": csrf_of(studio)}
    answer = studio.post("/workflows/Asking/runs", data=form)
    assert answer.status_code == 303 and answer.headers["location"] == "/runs/r_1"
    assert wishes.made == [
        ("Asking", {"fields": {"topic": "looms", "n": 5, "loud": True}, "held": True, "continued_from": None})
    ]


def test_start_form_comes_back_as_it_was_typed(studio: TestClient, wishes: Wishes) -> None:
    form = {"topic": "", "n": "many", "_more": "{oops", "_csrf": csrf_of(studio)}
    answer = studio.post("/workflows/Asking/runs", data=form)
    assert answer.status_code == 422 and wishes.made == []
    assert 'value="many"' in answer.text and "not a whole number" in answer.text
    assert "{oops" in answer.text and "fill in this field" in answer.text


def test_runs_are_paged_by_key_and_keep_their_filter(studio: TestClient, rows: Rows) -> None:
    for number in range(120):
        rows.run(f"r_{number:03}", "failed" if number % 2 else "completed", created_at=NOW + number // 2)
    seen: list[str] = []
    path: str | None = "/runs.json?status=failed"
    while path:
        answer = studio.get(path).json()
        seen += [run["id"] for run in answer["runs"]]
        path = answer["next"]
    assert seen == [f"r_{number:03}" for number in range(119, 0, -2)]
    assert 'rel="next"' in studio.get("/runs?status=failed").text


def test_run_page_shows_the_tail_and_the_way_back(studio: TestClient, rows: Rows) -> None:
    rows.run("r_long", "running", entries=450)
    rows.entries("r_long", 1, 450)
    page = studio.get("/runs/r_long").text
    assert page.count('class="entry"') == 200 and 'id="e450"' in page and "?before=251" in page
    assert "/runs/r_long/feed?after=450" in page and 'http-equiv="refresh"' in page
    earlier = studio.get("/runs/r_long?before=251").text
    assert 'id="e51"' in earlier and 'id="e251"' not in earlier and "rows=false" in earlier


def test_run_page_shows_payloads_as_text(studio: TestClient, rows: Rows) -> None:
    rows.run("r_x", entries=1)
    rows.entries("r_x", 1, 1, payload=json.dumps({"html": "<script>alert(1)</script><hx-partial>"}))
    page = studio.get("/runs/r_x").text
    assert "<script>alert" not in page and "<hx-partial" not in page and "&lt;script&gt;" in page


def test_failed_run_shows_its_traceback_first(studio: TestClient, rows: Rows) -> None:
    error = {"type": "ValueError", "message": "too thin", "step": "ask", "traceback": "Traceback: line 3"}
    rows.run("r_f", "failed", error=json.dumps(error), ended_at=NOW)
    page = studio.get("/runs/r_f").text
    assert page.index("too thin") < page.index("data-graph-elements") and "Traceback: line 3" in page
    assert "Continue from this context" in page and "hx-sse:connect" not in page


def test_held_run_offers_its_queue(studio: TestClient, rows: Rows, wishes: Wishes) -> None:
    queue = [{"id": "1:ask", "step": "ask", "event_type": "StartEvent", "payload": {}},
             {"id": "2:ask", "step": "ask", "event_type": "Other", "payload": {}}]  # fmt: skip
    rows.run("r_h", "held", held=True, queue=json.dumps(queue))
    page = studio.get("/runs/r_h").text
    assert "Run next step" in page and "Continue" in page and 'value="2:ask"' in page
    token = csrf_of(studio, "/runs/r_h")
    assert studio.post("/runs/r_h/steps", data={"_csrf": token, "delivery": "2:ask"}).status_code == 303
    lively = {"hx-request": "true"}
    assert studio.post("/runs/r_h/release", data={"_csrf": token}, headers=lively).status_code == 204
    assert wishes.made == [("step", {"run": "r_h", "delivery": "2:ask"}), ("release", {"run": "r_h"})]


def test_continuing_prefills_the_form(studio: TestClient, rows: Rows, wishes: Wishes) -> None:
    rows.run("r_old", entries=1)
    rows.entries("r_old", 1, 1, kind="run_started", payload=json.dumps({"topic": "wool", "n": 9, "extra": [1]}))
    page = studio.get("/workflows/Asking?continued_from=r_old").text
    assert 'value="wool"' in page and 'value="9"' in page and "&#34;extra&#34;" in page
    form = {"topic": "silk", "_continued_from": "r_old", "_csrf": csrf_of(studio)}
    studio.post("/workflows/Asking/runs", data=form)
    assert wishes.made[0][1]["continued_from"] == "r_old"


def test_prompt_is_answered_once(studio: TestClient, rows: Rows, wishes: Wishes) -> None:
    rows.run("r_w", "waiting")
    rows.prompt("r_w", 4)
    page = studio.get("/runs/r_w/prompts/4").text
    assert "Which number?" in page and 'name="response"' in page
    form = {"response": "7", "_type": "HumanResponseEvent", "_csrf": csrf_of(studio)}
    assert studio.post("/runs/r_w/prompts/4/response", data={**form, "response": ""}).status_code == 422
    assert studio.post("/runs/r_w/prompts/4/response", data=form).status_code == 303
    second = studio.post("/runs/r_w/prompts/4/response", data=form)
    assert second.status_code == 409 and "already answered at" in second.text
    assert wishes.made == [("response", {"fields": {"response": "7"}, "type": "HumanResponseEvent"})]


def test_exports_bring_their_own_policy(studio: TestClient, rows: Rows) -> None:
    rows.run("r_x")
    for path in ("/workflows/Asking/graph.html", "/runs/r_x/graph.html"):
        answer = studio.get(path)
        assert "sha256-" in answer.headers["content-security-policy"] and "src=" not in answer.text


def test_conflict_is_told_where_its_attempt_ended(studio: TestClient, rows: Rows) -> None:
    rows.run("r_c", entries=2)
    failed = {"error": {"type": "OSError", "message": "no", "traceback": ""}, "retry_at": 1.0, "conflicts": ["both"]}
    resumed = {"worker": "w", "reason": "its worker ended", "crashed": False, "conflicts": ["<i>"]}
    rows.entries("r_c", 1, 1, kind="step_failed", payload=json.dumps(failed))
    rows.entries("r_c", 2, 2, kind="resumed", step=None, event_type=None, payload=json.dumps(resumed))
    page = studio.get("/runs/r_c").text
    assert "OSError: no (conflict: both)" in page
    assert "its worker ended (conflict: &lt;i&gt;)" in page
    assert page.count("Not taken back, because another step has written it since:") == 2


def test_run_page_says_which_version_it_was_recorded_with_and_what_has_changed(studio: TestClient, rows: Rows) -> None:
    """It draws the recorded graph, not the current one."""
    rows.add("version", workflow="Asking", fingerprint="f0", graph=json.dumps(GRAPH).replace("ask", "beg"),
             source="class Asking: ...\n# <old>", start_schema="{}", responses="{}", published_at=NOW - 1)  # fmt: skip
    rows.run("r_old", fingerprint="f0")
    page = studio.get("/runs/r_old").text
    assert "Recorded with version <code>f0</code>; current is <code>f1</code>" in page
    assert '<span class="cut">-# &lt;old&gt;</span>' in page
    assert 'data-node="step:beg"' in page and 'data-node="step:ask"' not in page
    rows.run("r_new", fingerprint="f1")
    assert "Recorded with version" not in studio.get("/runs/r_new").text
    rows.run("r_lost", fingerprint="f_lost")
    page = studio.get("/runs/r_lost").text
    assert "Recorded with version <code>f_lost</code>" in page and 'class="difference"' not in page
