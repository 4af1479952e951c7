"""A run that waits before every step until somebody lets it go on."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from visitor import Visitor


def test_held_run_goes_step_by_step_then_on_to_the_end(visitor: Visitor) -> None:
    visitor.run_from_form("LoopWorkflow", {"number": "49"}, held=True)
    page = visitor.page
    visitor.mark()
    visitor.expect_status("held")
    panel = page.get_by_role("region", name="Step by step")
    following, go_on = panel.get_by_role("button", name="Run next step"), panel.get_by_role("button", name="Continue")
    expect(panel.get_by_role("listitem")).to_have_text([_queued("LoopStartEvent", "step_one")])
    expect(go_on).to_be_enabled()
    expect(page.get_by_role("button", name="Cancel")).to_be_enabled()
    visitor.expect_node("step:step_one", "idle")

    for times in range(1, 4):
        before = visitor.rows.count()
        expect(following).to_be_enabled()
        following.click()
        # One step: that it was allowed, and what came of it.
        expect(visitor.rows).to_have_count(before + 2)
        visitor.expect_status("held")
        visitor.expect_node("step:step_one", "done", count=f"×{times}" if times > 1 else "")
        expect(panel.get_by_role("listitem")).to_have_text([_queued("LoopEvent", "step_one")])

    go_on.click()
    visitor.expect_status("completed")
    visitor.expect_marked()
    expect(panel).to_have_count(0)
    expect(page.get_by_role("region", name="Result")).to_contain_text("Good enough.")
    visitor.expect_node("step:step_two", "done")


def test_held_run_is_the_same_after_a_reload(visitor: Visitor) -> None:
    visitor.run_from_form("BranchWorkflow", {}, held=True)
    page = visitor.page
    step = page.get_by_role("button", name="Run next step")
    step.click()
    expect(visitor.rows.filter(has_text="finished")).to_have_count(1)
    expect(step).to_be_enabled()
    rows, picture = visitor.rows.all_inner_texts(), visitor.graph()
    queue = page.get_by_role("region", name="Step by step").get_by_role("listitem").all_inner_texts()
    page.reload()
    assert visitor.rows.all_inner_texts() == rows
    assert visitor.graph() == picture
    assert page.get_by_role("region", name="Step by step").get_by_role("listitem").all_inner_texts() == queue
    page.get_by_role("button", name="Cancel").click()
    visitor.expect_status("cancelled")


def test_person_chooses_what_goes_next_and_the_join_says_what_it_waits_for(visitor: Visitor) -> None:
    visitor.run_from_form("ConcurrentFlow", {"pause": "0"}, held=True)
    page = visitor.page
    page.get_by_role("button", name="Run next step").click()
    panel = page.get_by_role("region", name="Step by step")
    expect(panel.get_by_text("3 queued events")).to_be_visible()
    panel.get_by_role("button", name=re.compile("Run this one ?: StepCEvent to step_c")).click()
    visitor.expect_node("step:step_c", "done")
    visitor.expect_node("step:step_a", "idle")
    panel.get_by_role("button", name=re.compile("Run this one ?: StepCCompleteEvent to step_three")).click()
    visitor.expect_node("step:step_three", "waiting")
    expect(visitor.node("step:step_three").locator(".graph-note")).to_have_text("1 of 3 collected")
    expect(visitor.node("step:step_three")).to_have_attribute("aria-label", re.compile("waiting for StepA"))
    page.get_by_role("button", name="Continue").click()
    visitor.expect_status("completed")
    visitor.expect_node("step:step_three", "done", count="×3")


def _queued(event: str, step: str) -> re.Pattern[str]:
    return re.compile(rf"{event}\s*{step}")
