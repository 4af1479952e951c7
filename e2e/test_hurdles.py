"""No page with a graph has a hurdle that axe knows, in light or dark, wide or narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from conftest import Scheme, Visit

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
CHECK = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map((found) => ({
  rule: found.id, says: found.help, where: found.nodes.map((node) => node.html.slice(0, 160)).slice(0, 4),
}))"""
PAGES = (
    ("workflow", "/workflows/MultiStrategyRAG"),
    ("compact", "/workflows/MultiStrategyRAG?compact=1&direction=LR&sel=step:judge_query"),
    ("nested", "/workflows/Mill"),
)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_graph_pages_have_no_violation(width: int, scheme: Scheme, visit: Visit) -> None:
    person = visit(width=width, scheme=scheme)
    for workflow in ("LoopWorkflow", "HumanInTheLoopWorkflow", "MultiStrategyRAG", "Mill"):
        person.await_workflow(workflow)
    run = person.start("LoopWorkflow")
    person.open(f"/runs/{run}")
    person.expect_status("completed")
    asking = person.start("HumanInTheLoopWorkflow")
    person.open(f"/runs/{asking}")
    person.expect_status("waiting")
    runs = (("run", f"/runs/{run}"), ("moment", f"/runs/{run}?at=3&only=1"), ("asking", f"/runs/{asking}"))
    wrong: dict[str, Any] = {}
    for name, path in (*PAGES, *runs):
        page = person.open(path)
        expect(page.locator(".graph.is-live")).to_be_visible()
        page.get_by_text("The same as a table").click()
        page.evaluate(AXE)
        if found := page.evaluate(CHECK):
            wrong[name] = found
    assert not wrong, "\n".join(f"{name}: {item}" for name, found in wrong.items() for item in found)
