"""Puts runs of every kind into a studio, so that its pages have something to show."""

from __future__ import annotations

from playwright.sync_api import expect

from visitor import Visitor

QUESTION = "How did we get from jaquard to computrs?"


def furnish(person: Visitor, *, mishaps: bool = True) -> dict[str, str]:
    """Start runs and bring them where they are wanted; return name and path of the pages that show them."""
    pages = {"home": "/", "workflow": "/workflows/MultiStrategyRAG", "runs": "/runs", "inbox": "/inbox"}
    rag = person.start("MultiStrategyRAG", {"query": QUESTION})
    for workflow in ("BranchWorkflow", "LoopWorkflow", "StatefulFlow", "LoopWorkflow"):
        person.start(workflow)
    concurrent = person.start("ConcurrentFlow", {"pause": 0.05})
    if mishaps:
        failed, cancelled = person.start("SnappingWarp"), person.start("EndlessCloth")
        pages |= {"failed": f"/runs/{failed}", "cancelled": f"/runs/{cancelled}"}
        person.open(f"/runs/{cancelled}")
        person.page.get_by_role("button", name="Cancel").click()
        person.expect_status("cancelled")
        person.open(f"/runs/{failed}")
        person.expect_status("failed")
    held = person.start("MultiStrategyRAG", {"query": QUESTION}, held=True)
    person.open(f"/runs/{held}")
    following = person.page.get_by_role("button", name="Run next step")
    for step in ("judge_query", "improve_query", "judge_query", "improve_query", "judge_query"):
        done = person.rows.filter(has_text="finished").filter(has_text=step)
        times = done.count()
        expect(following).to_be_enabled()
        following.click()
        expect(done).to_have_count(times + 1)
    expect(following).to_be_enabled()
    waiting = person.start("HumanInTheLoopWorkflow", {"cloth": "indigo twill", "weaver": "Ada"})
    person.open(f"/runs/{waiting}")
    person.expect_status("waiting")
    permalink = person.page.get_by_role("link", name="Permalink").get_attribute("href") or ""
    for run in (rag, concurrent):
        person.open(f"/runs/{run}")
        person.expect_status("completed")
    return pages | {
        "run": f"/runs/{rag}", "join": f"/runs/{concurrent}", "held": f"/runs/{held}", "waiting": f"/runs/{waiting}",
        "prompt": permalink,
    }  # fmt: skip
