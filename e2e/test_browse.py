"""Looking around before anything was run."""

from __future__ import annotations

from playwright.sync_api import expect

from visitor import Visitor

GALLERY = (
    "BranchWorkflow", "ConcurrentFlow", "HumanInTheLoopWorkflow", "LoopWorkflow", "MultiStrategyRAG", "StatefulFlow",
    "StreamingWorkflow",
)  # fmt: skip


def test_home_shows_the_gallery_with_mini_graphs(visitor: Visitor) -> None:
    page = visitor.page
    for name in GALLERY:
        card = page.get_by_role("article").filter(has=page.get_by_role("heading", name=name, exact=True))
        expect(card).to_be_visible()
        expect(card.locator("svg.graph-mini .graph-node").first).to_be_visible()
        expect(card.get_by_role("link", name=f"Run {name}")).to_be_visible()
    expect(page.get_by_text("2 workers")).to_be_visible()


def test_card_leads_to_graph_docstring_and_form(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("heading", name="MultiStrategyRAG", exact=True).get_by_role("link").click()
    expect(page.get_by_role("heading", name="MultiStrategyRAG", level=1)).to_be_visible()
    flows = page.get_by_role("region", name="All possible flows")
    for name in ("judge_query", "improve_query", "naive_rag", "high_top_k", "rerank", "judge_response", "StopEvent"):
        expect(flows.locator("[data-node]").filter(has_text=name).first).to_be_attached()
    assert set(visitor.canvas()) == set(visitor.graph())
    expect(page.get_by_text("Improves a question until it is good").first).to_be_visible()
    expect(visitor.field("query")).to_have_value("How did we get from jaquard to computrs?")
    expect(visitor.field("top_k")).to_have_value("8")


def test_steps_events_and_source_open_below_the_graph(visitor: Visitor) -> None:
    page = visitor.open("/workflows/LoopWorkflow")
    page.get_by_role("heading", name="Steps and events").click()
    expect(page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="step_two"))).to_contain_text(
        "StopEvent"
    )
    page.get_by_role("heading", name="Source").click()
    expect(page.get_by_role("region", name="Source")).to_contain_text("class LoopWorkflow(Workflow):")


def test_unknown_addresses_say_so(visitor: Visitor) -> None:
    for path in ("/workflows/Nowhere", "/runs/r_nowhere", "/nowhere"):
        answer = visitor.page.goto(visitor.studio.url + path)
        assert answer is not None
        assert answer.status == 404
        expect(visitor.page.get_by_role("heading", name="Not here")).to_be_visible()
