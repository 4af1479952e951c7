"""Takes the README's pictures of a studio that really runs: `make pictures` writes docs/pictures/*.png.

The graphs of docs/pictures/graphs/ come without a studio: `python scripts/pictures.py graphs` takes those alone.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from math import ceil
from pathlib import Path

from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright

import browser as chromium
from furnishing import QUESTION, furnish
from graphs import Subject, subjects
from studio import ROOT, Studio
from treadle.visualizer.theme import tokens
from visitor import Visitor

FOLDER = ROOT / "docs" / "pictures"
LIMIT = 200 * 1024
GRAPHS_LIMIT = 300 * 1024
THEMES = ("light", "dark")
SIZE = re.compile(r'<svg [^>]*width="([\d.]+)" height="([\d.]+)"')
TALLEST = 980  # of a wide one
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
    _take_graphs(path)
    if "graphs" in sys.argv[1:]:
        return
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


def _take_graphs(path: str) -> None:
    folder = FOLDER / "graphs"
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        for subject in subjects():
            for theme in THEMES:
                picture = folder / f"{subject.name}-{theme}.png"
                _draw(browser, subject, theme, picture)
                size = picture.stat().st_size
                print(f"{picture.relative_to(ROOT)}  {size // 1024} KB")
                if size > GRAPHS_LIMIT:
                    sys.exit(f"{picture.name} is larger than {GRAPHS_LIMIT // 1024} KB")
        browser.close()


def _draw(browser: Browser, subject: Subject, theme: str, path: Path) -> None:
    """The SVG as any picture viewer shows it: an image, in whole pixels."""
    svg = subject.svg("dark" if theme == "dark" else "light")
    width, height = (float(number) * min(1.0, subject.scale) for number in SIZE.findall(svg)[0])
    context = browser.new_context(
        viewport={"width": ceil(width), "height": ceil(height)}, device_scale_factor=max(1.0, subject.scale)
    )
    page = context.new_page()
    ground = tokens()["--graph-surface"][THEMES.index(theme)]
    look = f"body{{margin:0;background:{ground}}} svg{{display:block;width:{width}px;height:auto}}"
    page.set_content(f"<style>{look}</style>{svg}")
    page.screenshot(path=path)
    context.close()


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
