"""The exported file: the same graph, without a studio and without a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from visitor import Visitor


@pytest.mark.parametrize("of_a_run", [False, True], ids=["workflow", "run"])
def test_export_opens_offline_with_the_same_graph(
    of_a_run: bool, visitor: Visitor, window: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    if of_a_run:
        visitor.run_from_form("MultiStrategyRAG")
        visitor.expect_status("completed")
        visitor.expect_node("event:StopEvent", "done")
    else:
        visitor.open("/workflows/MultiStrategyRAG")
    saved = tmp_path / "graph.html"
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Export graph").click()
    download.value.save_as(saved)

    offline = window()
    offline.set_offline(True)
    page = offline.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(saved.as_uri())
    expect(page.get_by_role("heading", name="MultiStrategyRAG")).to_be_visible()
    assert _names(page) == _names(visitor.page)
    assert page.locator("[data-edge]").count() == visitor.page.locator(".graph-svg [data-edge]").count() > 15
    alone = Visitor(page, visitor.studio)
    assert alone.graph() == visitor.graph()
    for part in page.locator("[data-node]").all():
        expect(part).to_be_in_viewport()
    before = page.locator("main svg").get_attribute("viewBox")
    page.get_by_role("button", name="Zoom in").click()
    assert page.locator("main svg").get_attribute("viewBox") != before
    assert asked == [saved.as_uri()]


def _names(page: Page) -> list[str]:
    return page.locator(".graph-svg .graph-name").all_text_contents()
