"""Nested runs on the pages: found from the run around them, and not in its way."""

from __future__ import annotations

import json

from starlette.testclient import TestClient

from .conftest import GRAPH, NOW, Rows, Wishes


def family(rows: Rows) -> None:
    """A run, two inside it, and one inside the second of those."""
    rows.run("r_outer", "running", entries=3)
    inside = {"parent_id": "r_outer", "parent_seq": 1, "parent_step": "reflect"}
    rows.run("r_first", "completed", **inside, parent_call=0, created_at=NOW + 1)
    rows.run("r_second", "waiting", **inside, parent_call=1, created_at=NOW + 2)
    rows.run("r_deep", "failed", parent_id="r_second", parent_seq=4, parent_step="dig", parent_call=0,
             created_at=NOW + 3)  # fmt: skip


def test_run_page_lists_the_runs_inside_it(studio: TestClient, rows: Rows) -> None:
    family(rows)
    page = studio.get("/runs/r_outer").text
    panel = page.split('id="run-children"', 1)[1].split('class="split', 1)[0]
    assert panel.index('id="row-r_first"') < panel.index('id="row-r_second"') and "/runs/r_deep" not in panel
    assert "<code>reflect</code>" in panel and "/runs?parent=r_second" in panel and "wait" in panel
    assert "Nested runs" not in studio.get("/runs/r_first").text


def test_nested_run_says_who_started_it(studio: TestClient, rows: Rows) -> None:
    family(rows)
    page = studio.get("/runs/r_second").text
    assert "Started by" in page and 'href="/runs/r_outer#e1"' in page and "<code>reflect</code>" in page


def test_list_leaves_nested_runs_out_until_asked(studio: TestClient, program: TestClient, rows: Rows) -> None:
    family(rows)

    def listed(query: str) -> list[str]:
        return [run["id"] for run in program.get(f"/runs.json{query}").json()["runs"]]

    assert listed("") == ["r_outer"]
    assert listed("?children=1") == ["r_deep", "r_second", "r_first", "r_outer"]
    assert listed("?parent=r_outer") == ["r_second", "r_first"]
    assert listed("?children=1&status=failed") == ["r_deep"]
    page = studio.get("/runs").text
    assert 'id="row-r_outer"' in page and 'id="row-r_first"' not in page and "+ 2 nested" in page
    assert "waiting (1)" not in page and "waiting (1)" in studio.get("/runs?children=1").text
    assert 'href="/runs/r_outer"' in studio.get("/runs?children=1").text.split('id="row-r_first"')[1].split("</tr>")[0]
    assert "look among nested runs too" in studio.get("/runs?status=failed").text


def test_pages_of_nested_runs_keep_their_filter(studio: TestClient, program: TestClient, rows: Rows) -> None:
    rows.run("r_outer")
    for n in range(60):
        rows.run(f"r_{n:02}", parent_id="r_outer", parent_seq=1, parent_step="s", parent_call=n, created_at=NOW + n)
    found = program.get("/runs.json?parent=r_outer&limit=50").json()
    assert len(found["runs"]) == 50 and "parent=r_outer" in found["next"]
    assert [run["id"] for run in program.get(found["next"]).json()["runs"]] == [f"r_{n:02}" for n in range(9, -1, -1)]
    page = studio.get("/runs?parent=r_outer").text
    older = page.split('rel="next" href="', 1)[1].split('"', 1)[0].replace("&amp;", "&")
    assert 'href="/runs?parent=r_outer">Newest' in studio.get(older).text


def test_json_tells_parent_and_children(program: TestClient, rows: Rows) -> None:
    family(rows)
    outer = program.get("/runs/r_outer.json").json()
    assert outer["parent"] is None and outer["nested"] == 2
    assert [(child["id"], child["status"]) for child in outer["children"]] == [
        ("r_first", "completed"), ("r_second", "waiting"),
    ]  # fmt: skip
    assert outer["children"][1]["nested"] == 1
    inner = program.get("/runs/r_second.json").json()
    assert inner["parent"] == {"id": "r_outer", "url": "/runs/r_outer", "seq": 1, "step": "reflect", "call": 1}


def test_home_does_not_tell_of_a_failure_twice(studio: TestClient, rows: Rows) -> None:
    rows.run("r_outer", "failed", created_at=9e9, ended_at=9e9)
    rows.run("r_inner", "failed", parent_id="r_outer", parent_seq=1, parent_step="s", parent_call=0, created_at=9e9)
    page = studio.get("/").text
    failures = page.split("Failed in the last", 1)[1].split("</section>", 1)[0]
    assert "r_outer" in failures and "r_inner" not in failures


def test_prompt_inside_another_run_says_so(studio: TestClient, rows: Rows) -> None:
    family(rows)
    rows.prompt("r_second", 4)
    for path in ("/inbox", "/runs/r_second/prompts/4"):
        page = studio.get(path).text
        assert "Which number?" in page and 'href="/runs/r_outer"' in page


def test_prompt_of_a_waiting_step_asks_for_what_the_step_waits_for(
    studio: TestClient, program: TestClient, rows: Rows, wishes: Wishes
) -> None:
    rows.run("r_w", "waiting")
    schema = {"type": "object", "properties": {"length": {"type": "integer"}}, "required": ["length"]}
    rows.prompt("r_w", 4, expects=json.dumps({"Measured": schema}))
    page = studio.get("/runs/r_w/prompts/4").text
    assert 'name="length"' in page and 'name="response"' not in page
    assert set(program.get("/runs/r_w/prompts.json").json()["prompts"][0]["responses"]) == {"Measured"}
    url = "/runs/r_w/prompts/4/response"
    assert program.post(url, json={"response": "7"}).status_code == 422
    assert program.post(url + "?type=HumanResponseEvent", json={"response": "7"}).status_code == 422
    assert program.post(url, json={"length": 7}).status_code == 201
    assert wishes.made == [("response", {"fields": {"length": 7}, "type": "Measured"})]


def test_workflow_nobody_offers_has_a_page_and_cannot_be_started(studio: TestClient, rows: Rows) -> None:
    rows.add("version", workflow="Hidden", fingerprint="f9", graph=json.dumps(GRAPH | {"workflow": "Hidden"}),
             start_schema="{}", responses="{}", source="", published_at=NOW)  # fmt: skip
    rows.run("r_h", workflow="Hidden", fingerprint="f9", parent_id="r_o", parent_seq=1, parent_step="s", parent_call=0)
    page = studio.get("/workflows/Hidden").text
    assert 'data-node="step:ask"' in page and "No loaded file offers" in page and 'id="row-r_h"' in page
    assert 'action="/workflows/Hidden/runs"' not in page
    run = studio.get("/runs/r_h").text
    assert 'data-node="step:ask"' in run and "Continue from this context" not in run
    assert "Recorded with version" not in run
    assert "Hidden" not in studio.get("/").text


def test_steps_of_one_instance_are_no_change_of_the_code(studio: TestClient, rows: Rows) -> None:
    rows.run("r_own", fingerprint="f1+abc123")
    rows.run("r_old", fingerprint="f0")
    assert "Recorded with version" not in studio.get("/runs/r_own").text
    assert "Recorded with version" in studio.get("/runs/r_old").text


def test_every_kind_of_entry_has_its_word(studio: TestClient, rows: Rows) -> None:
    words = {
        "wait_started": "waits", "wait_timed_out": "wait timed out", "result_kept": "kept",
        "child_started": "started run", "child_ended": "run ended", "context_removed": "context", "held": "held",
        "child_changed": "run goes on",
    }  # fmt: skip
    rows.run("r_k", entries=8)
    rows.run("r_in", parent_id="r_k", parent_seq=1, parent_step="ask", parent_call=0)
    payloads = {
        "child_started": {"call": 0, "workflow": "Inner", "run_id": "r_in"},
        "child_ended": {"call": 0, "status": "timed_out"},
        "child_changed": {"call": 0, "status": "waiting"},
        "result_kept": {"key": "pay", "value": 3},
    }
    for seq, kind in enumerate(words, start=1):
        rows.entries("r_k", seq, seq, kind=kind, cause=1, event_type=None, payload=json.dumps(payloads.get(kind)))
    page = studio.get("/runs/r_k").text
    for seq, (kind, word) in enumerate(words.items(), start=1):
        row = page.split(f'id="e{seq}"', 1)[1].split("</summary>", 1)[0]
        assert f'<span class="kind">{word}</span>' in row
        if kind.startswith("child"):
            assert 'href="/runs/r_in"' in row
    assert "timed out" in page.split('id="e5"', 1)[1]
