"""Getting in: the printed URL, once."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from studio import Studio
from visitor import Visitor


def test_login_code_works_once(launch: Callable[..., Studio], window: Callable[..., BrowserContext]) -> None:
    studio = launch(workflows=("workflows/loop.py",))
    first = window().new_page()
    first.goto(studio.login_url)
    expect(first).to_have_url(studio.url + "/")
    expect(first.get_by_role("link", name="LoopWorkflow", exact=True)).to_be_visible()
    first.reload()
    expect(first.get_by_role("heading", name="Workflows")).to_be_visible()

    second = window().new_page()
    answer = second.goto(studio.login_url)
    assert answer is not None
    assert answer.status == 401
    expect(second.get_by_role("heading", name="Please log in")).to_be_visible()
    expect(second.get_by_text("This login link is wrong or was used before")).to_be_visible()


def test_pages_without_login_are_refused(gallery: Studio, window: Callable[..., BrowserContext]) -> None:
    page = window().new_page()
    for path in ("/", "/runs", "/inbox", "/workflows/LoopWorkflow"):
        answer = page.goto(gallery.url + path)
        assert answer is not None
        assert answer.status == 401
        expect(page.get_by_role("heading", name="Please log in")).to_be_visible()
        expect(page.get_by_text(re.compile("Open the URL that treadle serve printed"))).to_be_visible()
        expect(page.get_by_text("LoopWorkflow")).to_have_count(0)


def test_login_survives_a_restart(launch: Callable[..., Studio], login: Callable[[Studio], Visitor]) -> None:
    studio = launch(workflows=("workflows/loop.py",))
    person = login(studio)
    studio.kill()
    studio.start()
    person.open("/runs")
    expect(person.page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
