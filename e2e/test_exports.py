"""Exporting: the dialog that shows how a file will look, and the files, without a studio and without a network."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from conftest import Picture, Visit
from visitor import Visitor

PNG = b"\x89PNG\r\n\x1a\n"


def ran(visitor: Visitor) -> str:
    """A run that is over."""
    page = visitor.open("/")
    expect(page.get_by_role("link", name="LoopWorkflow").first).to_be_visible(timeout=60_000)
    run = visitor.start("LoopWorkflow")
    visitor.open(f"/runs/{run}")
    visitor.expect_status("completed")
    visitor.expect_node("event:StopEvent", "done")
    return run


def opened(visitor: Visitor) -> Locator:
    visitor.page.get_by_role("link", name="Export graph").click()
    dialog = visitor.page.get_by_role("dialog", name="Export graph")
    expect(dialog).to_be_visible()
    return dialog


def saved(dialog: Locator, name: str, folder: Path) -> Path:
    with dialog.page.expect_download() as download:
        dialog.get_by_role("link", name=name, exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("form", ["HTML", "SVG"])
def test_file_opens_offline_with_the_same_graph(
    form: str, scheme: str, visitor: Visitor, window: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    ran(visitor)
    dialog = opened(visitor)
    dialog.get_by_label("the reader's").check()
    file = saved(dialog, form, tmp_path)

    offline = window(color_scheme=scheme)
    offline.set_offline(True)
    page = offline.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    alone = Visitor(page, visitor.studio)
    assert alone.graph() == visitor.graph()
    assert _names(page) == _names(visitor.page)
    ground = page.locator("body" if form == "HTML" else ".graph-ground")
    dark = "rgb(14, 19, 27)"
    paint = ground.evaluate("part => [getComputedStyle(part).backgroundColor, getComputedStyle(part).fill]")
    assert (dark in paint) == (scheme == "dark")
    if form == "HTML":
        for part in page.locator("[data-node]").all():
            expect(part).to_be_in_viewport()
        before = page.locator("main svg").get_attribute("viewBox")
        page.get_by_role("button", name="Zoom in").click()
        assert page.locator("main svg").get_attribute("viewBox") != before
    assert asked == [file.as_uri()]


def test_replay_ends_where_the_journal_does_and_passes_every_entry(
    visitor: Visitor, window: Callable[..., BrowserContext], tmp_path: Path, picture: Picture
) -> None:
    run = ran(visitor)
    whole = visitor.page.request.get(f"{visitor.studio.url}/runs/{run}.json").json()
    file = saved(opened(visitor), "HTML", tmp_path)
    page = window().new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    slider = page.get_by_role("slider", name="Entry")
    expect(slider).to_have_value(str(whole["entries"]))
    alone = Visitor(page, visitor.studio)
    for name, step in whole["counts"]["steps"].items():
        alone.expect_node(f"step:{name}", "done", count=f"×{step['done']}" if step["done"] > 1 else "")
    for key, count in whole["counts"]["edges"].items():
        alone.expect_edge(key, "done", count=f"×{count}" if count > 1 else "")
    end = alone.graph()

    page.keyboard.press("Home")
    expect(page.get_by_role("status")).to_contain_text("before the first entry")
    expect(page.locator("main .is-done[data-node], main .is-done[data-edge]")).to_have_count(0)
    for seq in (1, 2, whole["entries"] // 2):
        slider.fill(str(seq))
        expect(page.get_by_role("status")).to_contain_text(f"{seq} of {whole['entries']}")
        path = f"{visitor.studio.url}/runs/{run}/graph.json?at={seq}"
        then = visitor.page.request.get(path).json()
        for node in then["nodes"]:
            alone.expect_node(node["id"], node["mark"]["status"], count=node["mark"]["label"])
    picture("export-replay", of=page)
    page.keyboard.press("Tab")
    slider.blur()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_value(str(whole["entries"] - 1))
    page.get_by_role("button", name="One entry on").click()
    assert alone.graph() == end
    page.keyboard.press("Home")
    page.get_by_role("button", name="Play").click()
    expect(slider).to_have_value(str(whole["entries"]), timeout=60_000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert alone.graph() == end
    assert asked == [file.as_uri()]


def test_dialog_shows_what_will_be_in_the_file(visitor: Visitor, tmp_path: Path, picture: Picture) -> None:
    visitor.open("/workflows/MultiStrategyRAG")
    dialog = opened(visitor)
    preview = dialog.get_by_role("img", name="Preview")
    expect(preview).to_have_js_property("complete", True)
    wide = preview.evaluate("image => image.naturalWidth")
    dialog.get_by_label("left to right").check()
    dialog.get_by_label("dark").check()
    dialog.get_by_label("compact").check()
    dialog.get_by_label("legend").check()
    dialog.get_by_label("Caption").fill("Figure 1: how a query is answered")
    link = dialog.get_by_role("link", name="SVG")
    expect(link).to_have_attribute("href", _has("direction=LR", "theme=dark", "compact=1", "legend=1", "Figure+1"))
    expect(preview).to_have_attribute("src", _has("direction=LR", "Figure+1"))
    dialog.page.wait_for_function("wide => document.querySelector('.export-preview img').naturalWidth > wide", arg=wide)
    picture("export-dialog", of=visitor.page)
    text = saved(dialog, "SVG", tmp_path).read_text(encoding="utf-8")
    assert "Figure 1: how a query is answered" in text
    assert "BadQueryEvent</text>" in text
    for name in ("PNG", "PNG 2×"):
        assert saved(dialog, name, tmp_path).read_bytes().startswith(PNG)
    assert saved(dialog, "Mermaid", tmp_path).read_text(encoding="utf-8").startswith("%% MultiStrategyRAG")
    visitor.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(visitor.page.get_by_role("link", name="Export graph")).to_be_focused()


def test_mermaid_is_copied(visit: Visit) -> None:
    visitor = visit()
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.open("/workflows/MultiStrategyRAG")
    dialog = opened(visitor)
    dialog.get_by_role("button", name="Copy Mermaid").click()
    expect(dialog.get_by_role("status")).to_have_text("Copied.")
    assert "flowchart TB" in visitor.page.evaluate("() => navigator.clipboard.readText()")


def test_browser_draws_png_where_the_studio_cannot(visitor: Visitor, tmp_path: Path) -> None:
    """The page says so by an attribute; a studio without the library sets it."""
    visitor.page.route(
        "**/export", lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body=answer.text().replace('/graph">', '/graph" data-draws-png>').replace(
                '<div class="export-links"', '<span class="export-drawn"></span><div class="export-links"'),
        ),
    )  # fmt: skip
    visitor.page.route("**/graph.png*", lambda route: route.abort())
    visitor.open("/workflows/MultiStrategyRAG")
    dialog = opened(visitor)
    once, twice = (_size(saved(dialog, name, tmp_path)) for name in ("PNG", "PNG 2×"))
    assert once[0] > 400
    assert twice == (2 * once[0], 2 * once[1])


def test_export_page_needs_no_script(visit: Visit, picture: Picture) -> None:
    visitor = visit(javascript=False)
    page = visitor.open("/workflows/MultiStrategyRAG")
    page.get_by_role("link", name="Export graph").click()
    page.get_by_label("left to right").check()
    page.get_by_role("button", name="Update preview").click()
    expect(page.get_by_label("left to right")).to_be_checked()
    expect(page.get_by_role("link", name="SVG")).to_have_attribute("href", _has("direction=LR"))
    expect(page.get_by_role("button", name="Copy Mermaid")).to_be_hidden()
    picture("export-without-script", of=page)


def test_dialog_fits_a_phone(visit: Visit, picture: Picture) -> None:
    visitor = visit(width=390, scheme="dark")
    ran(visitor)
    dialog = opened(visitor)
    dialog.get_by_label("only what happened").check()
    expect(dialog.get_by_role("link", name="HTML")).to_have_attribute("href", _has("show=only"))
    assert dialog.evaluate("part => part.scrollWidth <= part.clientWidth")
    picture("export-dialog-narrow", of=visitor.page)


def _has(*parts: str) -> re.Pattern[str]:
    return re.compile("".join(f"(?=.*{re.escape(part)})" for part in parts))


def _size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data.startswith(PNG)
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _names(page: Page) -> list[str]:
    return page.locator(".graph-svg .graph-name").all_text_contents()
