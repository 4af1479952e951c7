"""Runs that stopped, and what a person does with them from the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from conftest import Picture
from studio import Studio
from visitor import Visitor

FLOWS = ("e2e/flows/stops.py",)
SHAPES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("light", {}),
    ("dark", {"color_scheme": "dark"}),
    ("narrow", {"viewport": {"width": 390, "height": 800}}),
)


@pytest.fixture
def visitor(launch: Callable[..., Studio], login: Callable[[Studio], Visitor]) -> Visitor:
    """A window of a studio of its own: these workflows end its workers."""
    entered = login(launch(workflows=FLOWS, args=("--workers", "1")))
    published = entered.open("/").get_by_role("link", name="MothHole")
    expect(published.first).to_be_visible(timeout=60_000)
    return entered


def show(visitor: Visitor, window: Callable[..., BrowserContext], picture: Picture, name: str) -> None:
    """The page as it is, in every shape; nothing sticks out."""
    state = visitor.page.context.storage_state()
    for shape, options in SHAPES:
        page = window(storage_state=state, **options).new_page()
        page.goto(visitor.page.url)
        expect(page.locator(".panel-actions")).to_be_visible()
        picture(f"stopped-{name}-{shape}", of=page)
        assert page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth"), shape
        page.context.close()


def test_retry_from_the_page(visitor: Visitor, window: Callable[..., BrowserContext], picture: Picture) -> None:
    visitor.run_from_form("ShearsSlip")
    visitor.expect_status("failed")
    page = visitor.page
    page.reload()
    show(visitor, window, picture, "failed")
    page.get_by_role("button", name="Retry").click()
    visitor.expect_status("completed")
    expect(page.locator("#result")).to_contain_text("cut at attempt 2")
    expect(visitor.rows.filter(has_text="reopened")).to_have_count(1)
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    visitor.expect_node("step:measure", "done")
    visitor.expect_node("step:cut", "done", count="×2")


def test_question_is_found_and_answered(
    visitor: Visitor, window: Callable[..., BrowserContext], picture: Picture
) -> None:
    run_id = visitor.run_from_form("LostReceipt")
    page = visitor.page
    expect(page.get_by_role("heading", name="Was pay done?")).to_be_visible(timeout=60_000)
    visitor.expect_status("interrupted")
    visitor.expect_node("step:pay", "stopped")
    show(visitor, window, picture, "question")
    visitor.open("/")
    page.get_by_role("region", name="Needs you").get_by_role("link", name="Was step pay done?").click()
    page.get_by_label("note").fill("by post")
    page.get_by_role("button", name="Done with PaidEvent").click()
    expect(page.locator("#done-PaidEvent-receipt-message")).to_be_visible()
    expect(page.get_by_label("note")).to_have_value("by post")
    page.get_by_label("receipt").fill("77")
    page.get_by_role("button", name="Done with PaidEvent").click()
    page.wait_for_url(f"**/runs/{run_id}")
    visitor.expect_status("completed")
    expect(page.locator("#result")).to_contain_text("receipt 77")
    expect(page.locator("#inbox-count")).to_be_hidden()


def test_parked_run_is_resumed(visitor: Visitor, window: Callable[..., BrowserContext], picture: Picture) -> None:
    page = visitor.page
    visitor.run_from_form("MothHole")
    expect(page.get_by_role("button", name="Give up")).to_be_visible(timeout=90_000)
    show(visitor, window, picture, "interrupted")
    page.get_by_role("button", name="Resume").click()
    visitor.expect_status("completed")
    expect(page.locator("#result")).to_contain_text("mended")


def test_run_that_asks_is_failed(visitor: Visitor) -> None:
    visitor.run_from_form("LostReceipt")
    page = visitor.page
    expect(page.get_by_role("button", name="Fail the run")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Fail the run").click()
    visitor.expect_status("failed")
    expect(page.locator("#run-outcome")).to_contain_text("Given up by a person.")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
