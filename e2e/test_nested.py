"""Runs inside a run: seen from the one around them, live, answered where they ask, and found again after a kill."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from conftest import HERE, Picture, Visit
from studio import Studio
from visitor import Visitor


def test_run_shows_those_inside_it_and_they_show_who_started_them(visitor: Visitor, picture: Picture) -> None:
    outer = visitor.run_from_form("Mill", {"cloth": "linen"})
    page = visitor.page
    visitor.mark()
    panel = page.get_by_role("region", name="Nested runs")
    row = panel.get_by_role("row").filter(has_text="Dyer")
    expect(row).to_contain_text("waiting")
    expect(row).to_contain_text("finish")
    expect(panel.get_by_text("waits for an event or a person")).to_be_visible()
    visitor.expect_status("running")
    picture("nested-outer-waiting", of=page)

    row.get_by_role("rowheader").get_by_role("link").click()
    visitor.expect_status("waiting")
    header = page.locator("#run-header")
    expect(header).to_contain_text("Started by")
    expect(header).to_contain_text("finish")
    visitor.node("step:ask")
    picture("nested-inner-waiting", of=page)
    visitor.answer("madder")
    visitor.expect_status("completed")

    header.get_by_role("link", name=re.compile("Mill")).click()
    page.wait_for_url(f"**/runs/{outer}*")
    visitor.expect_status("completed")
    expect(page.get_by_role("region", name="Result")).to_contain_text("hemmed madder linen")
    expect(panel.get_by_role("row").filter(has_text="completed")).to_have_count(2)
    expect(visitor.rows.filter(has_text="started run")).to_have_count(2)
    expect(visitor.rows.filter(has_text="run ended")).to_have_count(2)
    picture("nested-outer-completed", of=page)

    visitor.rows.filter(has_text="started run").last.get_by_role("link").click()
    visitor.expect_status("completed")
    expect(page.get_by_role("link", name="Finishing")).to_be_visible()
    expect(page.get_by_role("link", name="Continue from this context")).to_have_count(0)
    visitor.expect_node("step:hem", "done")
    page.get_by_role("link", name="Finishing").click()
    expect(page.get_by_text("No loaded file offers this workflow by itself")).to_be_visible()


def test_page_of_a_run_follows_those_inside_it_live(visitor: Visitor, visit: Visit) -> None:
    visitor.run_from_form("Mill", {"cloth": "silk"})
    panel = visitor.page.get_by_role("region", name="Nested runs")
    row = panel.get_by_role("row").filter(has_text="Dyer")
    expect(row).to_contain_text("waiting")
    visitor.mark()
    other = visit()
    other.open("/inbox")
    other.page.get_by_role("link", name="Which colour for the silk?").click()
    expect(other.page.get_by_text(re.compile("inside"))).to_be_visible()
    other.answer("weld")
    expect(row).to_contain_text("completed")
    visitor.expect_status("completed")
    visitor.expect_marked()


def test_cancelled_run_shows_that_those_inside_ended_with_it(visitor: Visitor) -> None:
    visitor.run_from_form("Mill", {"cloth": "hemp"})
    page = visitor.page
    row = page.get_by_role("region", name="Nested runs").get_by_role("row").filter(has_text="Dyer")
    expect(row).to_contain_text("waiting")
    visitor.mark()
    page.get_by_role("button", name="Cancel").click()
    visitor.expect_status("cancelled")
    expect(row).to_contain_text("cancelled")
    visitor.expect_marked()


def test_list_of_runs_keeps_nested_ones_back_until_asked(visitor: Visitor, picture: Picture) -> None:
    outer = visitor.run_from_form("Mill", {"cloth": "jute"})
    page = visitor.page
    expect(page.get_by_role("region", name="Nested runs").get_by_role("row").filter(has_text="Dyer")).to_be_visible()
    visitor.open("/runs?workflow=Mill")
    mine = page.locator(f"#row-{outer}")
    expect(mine).to_contain_text("+ 1 nested")
    mine.get_by_role("link", name="+ 1 nested").click()
    expect(page.get_by_role("row").filter(has_text="Dyer")).to_have_count(1)
    expect(page.get_by_role("search").get_by_text("inside")).to_be_visible()
    visitor.open("/runs")
    expect(page.get_by_role("row").filter(has_text="Dyer")).to_have_count(0)
    page.get_by_label("nested runs too").check()
    page.wait_for_url("**children=1*")
    expect(page.get_by_role("row").filter(has_text="Dyer").first).to_contain_text("in r_")
    picture("nested-list", of=page)


def test_nested_run_keeps_its_address_and_its_prompt_through_kill_9(
    launch: Callable[..., Studio], login: Callable[[Studio], Visitor]
) -> None:
    studio = launch(workflows=(HERE / "flows",))
    person = login(studio)
    person.run_from_form("Mill", {"cloth": "cotton"})
    outer = person.page.url
    row = person.page.get_by_role("region", name="Nested runs").get_by_role("row").filter(has_text="Dyer")
    expect(row).to_contain_text("waiting")
    row.get_by_role("rowheader").get_by_role("link").click()
    person.expect_status("waiting")
    inner = person.page.url
    studio.kill()
    studio.start()
    person = login(studio)
    person.page.goto(inner)
    person.expect_status("waiting")
    person.answer("woad")
    person.expect_status("completed")
    person.page.goto(outer)
    person.expect_status("completed")
    expect(person.page.get_by_role("region", name="Result")).to_contain_text("hemmed woad cotton")
    panel = person.page.get_by_role("region", name="Nested runs")
    expect(panel.get_by_role("row").filter(has_text="Dyer")).to_have_count(1)


def test_pages_of_nested_runs_fit_light_dark_and_narrow(visitor: Visitor, visit: Visit, picture: Picture) -> None:
    outer = visitor.start("Mill", {"cloth": "a cloth with a rather long name, as they are in the trade"})
    visitor.open(f"/runs/{outer}")
    row = visitor.page.get_by_role("region", name="Nested runs").get_by_role("row").filter(has_text="Dyer")
    expect(row).to_contain_text("waiting")
    inner = row.get_by_role("rowheader").get_by_role("link").first.get_attribute("href") or ""
    for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 390, "light")):
        person = visit(width=width, scheme=scheme)  # type: ignore[arg-type]
        for title, path in (
            ("outer", f"/runs/{outer}"), ("inner", inner), ("list", "/runs?children=1"),
            ("inside", f"/runs?parent={outer}"),
        ):  # fmt: skip
            page = person.open(path)
            total, inner_width = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
            assert total <= inner_width, f"{path} is {total} px wide in {inner_width}"
            picture(f"nested-{title}-{name}", of=page)
