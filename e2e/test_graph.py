"""The graph on its pages: from the keyboard, for a screen reader, at any moment, and true to the journal."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from conftest import Visit
from studio import Studio
from visitor import Visitor

QUESTION = "How did we get from jaquard to computrs?"
THROWS, THREADS = 1000, 500
PATIENCE = 300_000
CHOSEN = "() => new URL(location.href).searchParams.get('sel')"
FOCUSED = "() => document.activeElement?.dataset?.node ?? ''"
CAMERA = """async () => {
  const { canvasOf } = await import(document.querySelector('script[src*="js/graph.js"]').src);
  const canvas = canvasOf(document.querySelector(".graph"));
  return [canvas.zoom(), canvas.pan().x, canvas.pan().y];
}"""
DIM = "nodes => nodes.filter((node) => node.classList.contains('is-dim')).map((node) => node.dataset.node)"
FADED = """async () => {
  const { canvasOf } = await import(document.querySelector('script[src*="js/graph.js"]').src);
  return canvasOf(document.querySelector(".graph")).nodes(".node.faded").map((node) => node.id());
}"""
POINT = """async (id) => {
  const { canvasOf } = await import(document.querySelector('script[src*="js/graph.js"]').src);
  const canvas = canvasOf(document.querySelector(".graph"));
  const box = document.querySelector(".graph-canvas").getBoundingClientRect();
  const part = canvas.getElementById(id);
  const at = part.isNode() ? part.renderedPosition() : part.renderedMidpoint();
  return [box.left + at.x, box.top + at.y];
}"""


@pytest.fixture(scope="module")
def runs() -> dict[str, str]:
    """Runs that several tests look at, by name; the first who needs one starts it."""
    return {}


def rag(person: Visitor, runs: dict[str, str]) -> str:
    if "rag" not in runs:
        person.await_workflow("MultiStrategyRAG")
        runs["rag"] = person.start("MultiStrategyRAG", {"query": QUESTION})
    person.open(f"/runs/{runs['rag']}")
    expect(person.page.locator("#run-header")).to_have_attribute("data-run-status", "completed", timeout=PATIENCE)
    person.open(f"/runs/{runs['rag']}")
    return runs["rag"]


def busy(person: Visitor, runs: dict[str, str]) -> str:
    if "busy" not in runs:
        person.await_workflow("BusyLoom")
        runs["busy"] = person.start("BusyLoom", {"throws": THROWS, "threads": THREADS})
    person.open(f"/runs/{runs['busy']}")
    expect(person.page.locator("#run-header")).to_have_attribute("data-run-status", "completed", timeout=PATIENCE)
    return runs["busy"]


def journal(studio: Studio, run: str, upto: int = 10**9) -> list[Any]:
    with closing(sqlite3.connect(f"file:{studio.folder / 'treadle.db'}?mode=ro", uri=True)) as db:
        query = "SELECT seq, kind, step, event_type, cause FROM entry WHERE run_id = ? AND seq <= ? ORDER BY seq"
        return db.execute(query, (run, upto)).fetchall()


def counted(entries: list[Any]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """How often each event was sent, by whom, and which steps finished, by nothing but the rows of the journal."""
    events, sent, finished = Counter[str](), Counter[str](), Counter[str]()
    for _, kind, step, event, _ in entries:
        if kind == "step_finished":
            finished[step] += 1
        if event is not None:
            events[event] += 1
            if step is not None:
                sent[f"step:{step}>event:{event}"] += 1
    return events, sent, finished


def overlay(page: Page, run: str, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(f"async () => (await fetch('/runs/{run}/overlay.json{query}')).json()")
    return found


def focus(page: Page, node: str) -> None:
    page.locator(f'.graph-svg [data-node="{node}"]').focus()


def test_graph_is_walked_by_keys_alone(visitor: Visitor, runs: dict[str, str]) -> None:
    """Tab leads in, arrows along the edges and sideways; Enter chooses, and once more lists the entries."""
    run = rag(visitor, runs)
    page = visitor.page
    page.locator(".graph-tools button").last.focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED):
            break
    assert page.evaluate(FOCUSED) == "event:QueryStartEvent"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) == "step:judge_query"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(FOCUSED) == "event:QueryStartEvent"
    focus(page, "event:NaiveRAGEvent")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == "event:HighTopKEvent"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) == "step:high_top_k"
    page.keyboard.press("Enter")
    assert page.evaluate(CHOSEN) == "step:high_top_k"
    expect(page.locator(".graph-card")).to_contain_text("high_top_k")
    page.keyboard.press("Enter")
    expect(page.locator("#entries-panel .chosen")).to_contain_text("high_top_k")
    own = [row for row in journal(visitor.studio, run) if row[2] == "high_top_k"]
    expect(visitor.rows).to_have_count(len(own))
    page.keyboard.press("Escape")
    expect(visitor.rows).to_have_count(len(journal(visitor.studio, run)))
    assert page.evaluate(CHOSEN) is None


def test_keys_zoom_fit_and_draw_it_another_way(visitor: Visitor, runs: dict[str, str]) -> None:
    rag(visitor, runs)
    page = visitor.page
    first = page.evaluate(CAMERA)
    page.keyboard.press("+")
    assert page.evaluate(CAMERA)[0] > first[0]
    page.keyboard.press("0")
    assert page.evaluate(CAMERA)[0] == pytest.approx(first[0])
    page.keyboard.press("m")
    judged = "step:improve_query>event:JudgeEvent>step:judge_query"
    expect(page.locator(f'.graph-svg [data-edge="{judged}"]')).to_be_attached()
    expect(page.locator('.graph-svg [data-node="event:JudgeEvent"]')).to_have_count(0)
    page.keyboard.press("d")
    page.wait_for_url("**direction=LR**")
    assert "compact=1" in page.url
    page.go_back()
    page.go_back()
    expect(page.locator('.graph-svg [data-node="event:JudgeEvent"]')).to_be_attached()
    page.get_by_role("searchbox").or_(page.locator("#loop-pass")).first.focus()
    page.keyboard.press("m")
    assert "compact" not in page.url


def test_pointing_dims_the_rest_and_a_click_is_kept_in_the_address(visitor: Visitor, runs: dict[str, str]) -> None:
    run = rag(visitor, runs)
    page = visitor.page
    page.mouse.move(*page.evaluate(POINT, "step:naive_rag"))
    page.wait_for_function(f"async () => (await ({FADED})()).length > 0")
    faded = set(page.evaluate(FADED))
    assert "step:rerank" in faded
    assert not faded & {"step:naive_rag", "event:NaiveRAGEvent", "event:ResponseEvent"}
    page.mouse.click(*page.evaluate(POINT, "step:naive_rag"))
    page.wait_for_url("**sel=step%3Anaive_rag**")
    page.mouse.move(2, 2)
    page.reload()
    expect(page.locator(".graph-card")).to_contain_text("naive_rag")
    page.mouse.click(*page.evaluate(POINT, "step:judge_query>event:BadQueryEvent"))
    expect(page.locator("#entries-panel .chosen")).to_contain_text("judge_query → BadQueryEvent")
    sent = [row for row in journal(visitor.studio, run) if row[2:4] == ("judge_query", "BadQueryEvent")]
    expect(visitor.rows).to_have_count(len(sent))
    assert len(sent) == 2


def test_double_click_lists_the_entries_of_a_node(visitor: Visitor, runs: dict[str, str]) -> None:
    run = rag(visitor, runs)
    page = visitor.page
    page.mouse.dblclick(*page.evaluate(POINT, "event:ResponseEvent"))
    expect(page.locator("#entries-panel .chosen")).to_contain_text("ResponseEvent")
    expect(visitor.rows).to_have_count(sum(row[3] == "ResponseEvent" for row in journal(visitor.studio, run)))


def test_reader_meets_nodes_in_order_and_the_same_in_a_table(visitor: Visitor, runs: dict[str, str]) -> None:
    rag(visitor, runs)
    page = visitor.page
    graph = page.get_by_role("group", name="What run")
    names = graph.get_by_role("link").evaluate_all("nodes => nodes.map((node) => node.getAttribute('aria-label'))")
    assert names[0].startswith("event QueryStartEvent: done")
    assert names[1].startswith("step judge_query: done, ran 3 times")
    assert names[-1].startswith("event StopEvent: done")
    page.get_by_text("The same as a table").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="judge_query", exact=True))
    expect(row).to_contain_text("JudgeEvent (2 times)")
    expect(row).to_contain_text("done")
    assert len(names) == page.locator(".graph-table tbody tr").count()


def test_counts_are_those_of_the_journal(visitor: Visitor, runs: dict[str, str]) -> None:
    """A thousand iterations and five hundred at once: on the picture, on the canvas and at any moment."""
    run = busy(visitor, runs)
    page = visitor.page
    page.reload()
    entries = journal(visitor.studio, run)
    for upto in (len(entries), 500, 1234, 1800):
        events, sent, finished = counted([row for row in entries if row[0] <= upto])
        told = overlay(page, run, "" if upto == len(entries) else f"?at={upto}")
        nodes, edges = told["nodes"], told["edges"]
        assert {name: nodes[f"event:{name}"]["count"] for name in events} == dict(events)
        assert {key: edges[key]["count"] for key in sent} == dict(sent)
        for step, times in finished.items():
            assert nodes[f"step:{step}"]["count"] >= times
        if upto == len(entries):
            assert {step: nodes[f"step:{step}"]["count"] for step in finished} == dict(finished)
    events, _, finished = counted(entries)
    assert (finished["throw"], events["DyeEvent"]) == (THROWS, THREADS)
    visitor.expect_node("step:throw", "done", count="×1k")
    group = page.locator('.graph-svg [data-node="step:dye"]')
    expect(group.locator(".graph-cell")).to_have_count(100)
    expect(group).to_have_attribute("aria-label", "step dye: done, ran 500 times; 500 done")


def test_slider_goes_back_in_time_and_leaves_the_camera_alone(visitor: Visitor, runs: dict[str, str]) -> None:
    run = rag(visitor, runs)
    page = visitor.page
    camera = page.evaluate(CAMERA)
    entries = journal(visitor.studio, run)
    first = next(row[0] for row in entries if row[3] == "BadQueryEvent")
    page.get_by_label("Show the run as it was at entry").fill(str(first))
    visitor.expect_node("event:BadQueryEvent", "done", count="")
    visitor.expect_node("step:improve_query", "running", count="")
    visitor.expect_node("event:StopEvent", "idle", count="")
    expect(page.locator(f"#e{first}")).to_have_class("entry entry-at")
    page.wait_for_url(f"**at={first}**")
    assert page.evaluate(CAMERA) == camera
    picture = visitor.graph()
    page.reload()
    assert visitor.graph() == picture
    trigger = page.locator(".graph-edge.is-trigger")
    assert trigger.get_attribute("data-edge") == "event:QueryStartEvent>step:judge_query"
    page.get_by_role("link", name="Last entry").click()
    visitor.expect_node("event:StopEvent", "done", count="")


def test_one_iteration_of_a_loop_stands_out(visitor: Visitor, runs: dict[str, str]) -> None:
    rag(visitor, runs)
    page = visitor.page
    page.get_by_label("Number").fill("2")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**pass=2**")
    dimmed = set(page.locator(".graph-svg [data-node]").evaluate_all(DIM))
    assert {"step:rerank", "event:StopEvent", "event:QueryStartEvent"} <= dimmed
    assert not dimmed & {"step:judge_query", "step:improve_query", "event:BadQueryEvent", "event:JudgeEvent"}
    page.get_by_role("link", name="Next", exact=True).click()
    page.wait_for_url("**pass=3**")
    assert "step:improve_query" in page.locator(".graph-svg [data-node]").evaluate_all(DIM)


def test_large_graph_has_a_map_and_one_stop_for_the_tab_key(visit: Visit) -> None:
    person = visit()
    person.await_workflow("BigWarp")
    page = person.open("/workflows/BigWarp")
    page.keyboard.press("+")
    expect(page.locator(".graph-map")).to_be_visible()
    assert page.locator('.graph-svg [tabindex="0"]').count() == 1
    before = page.evaluate(CAMERA)
    page.locator(".graph-map").click(position={"x": 4, "y": 100})
    assert page.evaluate(CAMERA)[1:] != before[1:]
