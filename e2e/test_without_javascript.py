"""The studio for a browser that runs no scripts: everything but liveness."""

from __future__ import annotations

from playwright.sync_api import expect

from conftest import Visit


def test_start_and_result_without_javascript(visit: Visit) -> None:
    person = visit(javascript=False)
    page = person.open("/")
    page.get_by_role("heading", name="LoopWorkflow", exact=True).get_by_role("link").click()
    expect(page.get_by_role("region", name="All possible flows").locator("svg.graph-svg")).to_be_visible()
    person.fill({"number": "81"})
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")
    # The page reloads itself every few seconds until the run has ended.
    expect(page.get_by_role("region", name="Result")).to_contain_text("Good enough.")
    person.expect_node("step:step_two", "done")
    person.rows.last.locator("summary").first.click()
    expect(person.rows.last.locator(".payload")).to_be_visible()
    expect(page.locator('meta[http-equiv="refresh"]')).to_have_count(0)


def test_prompt_and_cancel_without_javascript(visit: Visit) -> None:
    person = visit(javascript=False)
    run = person.run_from_form("HumanInTheLoopWorkflow")
    page = person.page
    expect(page.get_by_role("region", name="Waiting for you")).to_be_visible()
    # A form somebody is filling in must not be reloaded under their hands.
    expect(page.locator('meta[http-equiv="refresh"]')).to_have_count(0)
    person.answer("yes")
    page.goto(f"{person.studio.url}/runs/{run}")
    expect(page.get_by_role("region", name="Result")).to_contain_text("Ada")

    person.run_from_form("LoopWorkflow", {}, held=True)
    step = page.get_by_role("button", name="Run next step")
    expect(step).to_be_enabled()
    step.click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled", exact=True)).to_be_visible()
