"""Takes the README's pictures of a studio that really runs: `make pictures` writes docs/pictures/*.png."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright

import browser as chromium
from furnishing import QUESTION, furnish
from studio import ROOT, Studio
from visitor import Visitor

FOLDER = ROOT / "docs" / "pictures"
LIMIT = 200 * 1024
TALLEST = 1012  # of a wide one
# Name, page (as furnish names it), width, colour scheme.
PICTURES = (
    ("home-light", "home", 1280, "light"),
    ("home-dark", "home", 1280, "dark"),
    ("run-light", "run", 1280, "light"),
    ("run-dark", "run", 1280, "dark"),
    ("run-narrow", "run", 390, "light"),
    ("workflow-light", "workflow", 1280, "light"),
    ("held-light", "held", 1280, "light"),
    ("prompt-light", "waiting", 1280, "light"),
)


def main() -> None:
    path = chromium.find()
    if path is None:
        sys.exit(chromium.MISSING)
    expect.set_options(timeout=30_000)
    with tempfile.TemporaryDirectory(prefix="treadle-") as folder, sync_playwright() as playwright:
        # A copy, so that no picture tells where this checkout lies.
        flows = shutil.copytree(
            ROOT / "workflows", Path(folder) / "workflows", ignore=shutil.ignore_patterns("__pycache__")
        )
        studio = Studio(Path(folder), workflows=(flows,)).start()
        try:
            _take(playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS)), studio)
        finally:
            studio.stop()


def _take(browser: Browser, studio: Studio) -> None:
    person = Visitor(browser.new_page(), studio)
    person.page.goto(studio.login_url)
    # The first runs of a worker load libraries: the pictured one should not.
    for run in [person.start("MultiStrategyRAG", {"query": QUESTION}) for _ in range(4)]:
        person.open(f"/runs/{run}")
        person.expect_status("completed")
    pages = furnish(person, mishaps=False)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page, width, scheme in PICTURES:
        picture = FOLDER / f"{name}.png"
        _picture(browser, person.page.context.storage_state(), studio.url + pages[page], picture, width, scheme)
        size = picture.stat().st_size
        print(f"{picture.relative_to(ROOT)}  {size // 1024} KB")
        if size > LIMIT:
            sys.exit(f"{picture.name} is larger than {LIMIT // 1024} KB")
    browser.close()


def _picture(browser: Browser, state: StorageState, url: str, path: Path, width: int, scheme: str) -> None:
    context = browser.new_context(
        storage_state=state, viewport={"width": width, "height": 700}, color_scheme="dark" if scheme == "dark" else
        "light", locale="en-GB", timezone_id="UTC",
    )  # fmt: skip
    page: Page = context.new_page()
    page.goto(url)
    # A headless browser draws no scrollbar: the place kept for it would look like a mistake.
    page.evaluate("() => { document.documentElement.style.scrollbarGutter = 'auto'; }")
    height = page.evaluate("() => document.documentElement.scrollHeight")
    page.screenshot(
        path=path, full_page=True, animations="disabled",
        clip={"x": 0, "y": 0, "width": width, "height": min(height, TALLEST) if width > 700 else height},
    )  # fmt: skip
    context.close()


if __name__ == "__main__":
    main()
