"""A run that asks a person, and keeps asking through a power cut."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from conftest import Visit
from studio import Studio
from visitor import Visitor


def test_prompt_survives_kill_and_is_answered_once(
    launch: Callable[..., Studio], login: Callable[[Studio], Visitor]
) -> None:
    studio = launch(workflows=("workflows/human_in_the_loop.py",))
    person = login(studio)
    run = person.run_from_form("HumanInTheLoopWorkflow", {"cloth": "herringbone", "weaver": "Grace"})
    page = person.page
    person.expect_status("waiting")
    asked = page.get_by_role("region", name="Waiting for you")
    question = "The label reads: Herringbone, woven by Grace."
    expect(asked).to_contain_text(question)
    expect(person.field("response")).to_be_editable()
    person.expect_node("person", "waiting")
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    permalink = asked.get_by_role("link", name="Permalink").get_attribute("href") or ""
    address = page.url

    person.open("/inbox")
    expect(page).to_have_title(re.compile(r"^\(1\) Inbox"))
    page.get_by_role("link", name=question).click()
    expect(page).to_have_url(studio.url + permalink)
    expect(page.get_by_role("heading", name=question)).to_be_visible()

    studio.kill()
    studio.start()
    page.goto(address)
    person.expect_status("waiting")
    expect(asked).to_contain_text(question)
    late = page.context.new_page()
    late.goto(studio.url + permalink)
    expect(late.get_by_label(re.compile("^response"))).to_be_editable()

    person.mark()
    person.answer("yes")
    person.expect_status("completed")
    result = page.get_by_role("region", name="Result")
    expect(result).to_contain_text("Herringbone, woven by Grace")
    expect(person.rows.filter(has_text="HumanResponseEvent").filter(has_text="answered")).to_have_count(1)
    person.expect_node("person", "done")

    late.get_by_label(re.compile("^response")).fill("no, a better one")
    with late.expect_response(lambda response: response.request.method == "POST") as sent:
        late.get_by_role("button", name="Send answer").click()
    assert sent.value.status == 409
    expect(late.get_by_text(re.compile("already answered at", re.IGNORECASE))).to_be_visible()
    person.open(f"/runs/{run}")
    expect(result).to_contain_text("Herringbone, woven by Grace")


def test_answer_in_another_window_goes_round_the_loop_live(visitor: Visitor, visit: Visit) -> None:
    run = visitor.run_from_form("HumanInTheLoopWorkflow")
    visitor.mark()
    visitor.expect_status("waiting")
    other = visit()
    other.open("/inbox")
    other.page.locator(f'#live a[href^="/runs/{run}/prompts/"]').click()
    other.answer("Blue twill")
    expect(visitor.page.get_by_role("region", name="Waiting for you")).to_contain_text("Blue twill")
    visitor.expect_marked()
    visitor.answer("yes")
    visitor.expect_status("completed")
    expect(visitor.page.get_by_role("region", name="Result")).to_contain_text("Blue twill")
    visitor.expect_node("step:ask_person", "done", count="×2")


def test_refused_answer_keeps_what_was_typed(visitor: Visitor) -> None:
    run = visitor.run_from_form("HumanInTheLoopWorkflow")
    page = visitor.page
    visitor.expect_status("waiting")
    page.get_by_text("More fields", exact=True).click()
    page.get_by_role("textbox", name="More fields").fill("not JSON")
    with page.expect_response(lambda response: response.request.method == "POST") as sent:
        visitor.answer("yes")
    assert sent.value.status == 422
    expect(page.get_by_text("This is not JSON")).to_be_visible()
    expect(visitor.field("response")).to_have_value("yes")
    expect(page.get_by_role("textbox", name="More fields")).to_have_value("not JSON")
    page.get_by_role("textbox", name="More fields").fill("")
    page.get_by_role("button", name="Send answer").click()
    visitor.open(f"/runs/{run}")
    visitor.expect_status("completed")
