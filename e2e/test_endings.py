"""Runs that end otherwise than well, and runs that never start."""

from __future__ import annotations

from playwright.sync_api import expect

from visitor import Visitor


def test_cancel_from_the_page(visitor: Visitor) -> None:
    visitor.run_from_form("EndlessCloth")
    visitor.mark()
    visitor.expect_node("step:weave", "running")
    visitor.page.get_by_role("button", name="Cancel").click()
    visitor.expect_status("cancelled")
    visitor.expect_marked()
    visitor.expect_node("step:weave", "stopped")
    expect(visitor.page.get_by_role("heading", name="Cancelled", exact=True)).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(visitor.rows.last).to_contain_text("cancelled")


def test_failed_run_shows_error_step_and_traceback(visitor: Visitor) -> None:
    visitor.run_from_form("SnappingWarp")
    visitor.expect_status("failed")
    page = visitor.page
    panel = page.get_by_role("region", name="Failed in weave: ValueError")
    expect(panel).to_contain_text("the warp snapped at tension 9")
    trace = panel.get_by_text("Traceback (most recent call last)")
    if not trace.is_visible():
        panel.get_by_text("Traceback", exact=True).click()
    expect(trace).to_be_visible()
    expect(panel).to_contain_text("mishaps.py")
    visitor.expect_node("step:pull", "done")
    visitor.expect_node("step:weave", "failed")
    expect(visitor.rows.filter(has_text="failed").first).to_contain_text("ValueError: the warp snapped")
    visitor.open("/")
    expect(page.get_by_role("region", name="Failed in the last 24 hours")).to_contain_text("the warp snapped")


def test_invalid_form_keeps_what_was_typed(visitor: Visitor) -> None:
    page = visitor.open("/workflows/LoopWorkflow")
    visitor.fill({"number": "-4", "tolerance": "0.25", "most_rounds": "99"})
    page.get_by_label("step by step").check()
    with page.expect_response(lambda response: response.request.method == "POST") as sent:
        page.get_by_role("button", name="Run", exact=True).click()
    assert sent.value.status == 422
    expect(page.get_by_text("The run was not started")).to_be_visible()
    for name, value in (("number", "-4"), ("tolerance", "0.25"), ("most_rounds", "99")):
        expect(visitor.field(name)).to_have_value(value)
    expect(page.get_by_label("step by step")).to_be_checked()
    for name, wrong in (("number", True), ("tolerance", False), ("most_rounds", True)):
        field = visitor.field(name)
        if wrong:
            expect(field).to_have_attribute("aria-invalid", "true")
            expect(page.locator(f"#start-{name}-message")).not_to_be_empty()
        else:
            expect(page.locator(f"#start-{name}-message")).to_have_count(0)
    expect(visitor.field("number")).to_be_focused()
    visitor.fill({"number": "4", "most_rounds": "20"})
    page.get_by_label("step by step").uncheck()
    page.get_by_role("button", name="Run", exact=True).click()
    visitor.expect_status("completed")
