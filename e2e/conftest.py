"""What every browser test gets: a studio, somebody who is logged in to it, and a camera.

Tests that only look and start runs share one studio with the gallery: `visitor` is a window of it, `visit` opens more
(another width, another colour scheme, no JavaScript). A test that mistreats its studio has one of its own: `launch`
starts as many as it needs, `login` logs a window in to one. `picture("inbox")` stores e2e/pictures-out/inbox.png.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect, sync_playwright

import browser as chromium
from studio import ROOT, Studio
from visitor import CONNECTION_ERROR, Visitor

HERE = Path(__file__).resolve().parent
PICTURES = HERE / "pictures-out"
SECONDS = 1000
WINDOW: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "timezone_id": "UTC"}
Scheme = Literal["light", "dark"]


class Picture(Protocol):
    def __call__(self, name: str, *, of: Page) -> Path: ...


class Visit(Protocol):
    def __call__(self, *, width: int = 1280, scheme: Scheme = "light", javascript: bool = True) -> Visitor: ...


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium with a fresh profile; without one the tests skip, or fail where CI is set."""
    path = chromium.find()
    if path is None and os.environ.get("CI"):
        pytest.fail(chromium.MISSING)
    if path is None:
        pytest.skip(chromium.MISSING)
    expect.set_options(timeout=15 * SECONDS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    """Start a studio: `launch(workflows=(path, ...), args=("--workers", "1"), env={...})`. All end with the test."""
    started: list[Studio] = []

    def start(*, workflows: tuple[str | Path, ...] = (), args: tuple[str, ...] = (),
              env: dict[str, str] | None = None) -> Studio:
        folder = tmp_path / f"studio-{len(started)}"
        folder.mkdir()
        studio = Studio(folder, workflows=tuple(ROOT / path for path in workflows), args=args, env=env)
        started.append(studio)
        return studio.start()

    yield start
    for studio in started:
        studio.kill()


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The studio the tests share: the gallery, and the workflows in e2e/flows that misbehave on purpose."""
    studio = Studio(tmp_path_factory.mktemp("gallery"), workflows=(ROOT / "workflows", HERE / "flows")).start()
    yield studio
    studio.kill()


@pytest.fixture(scope="session")
def cookies(browser: Browser, gallery: Studio) -> StorageState:
    """What a browser that logged in to the shared studio keeps."""
    window = browser.new_context(**WINDOW)
    window.new_page().goto(gallery.login_url)
    state = window.storage_state()
    window.close()
    return state


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open a browser window of its own: 1280 x 800, light, no cookies, a locale that does not depend on the machine.

    The test fails when a script failed on any of its pages, when the content security policy had to step in, or when
    the browser complained about anything but an answer that was no success or never came: those a test provokes.
    """
    complaints: list[str] = []
    opened: list[BrowserContext] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not CONNECTION_ERROR.search(message.text):
            complaints.append(f"{message.page.url if message.page else ''}: {message.text}")

    def new(**options: Any) -> BrowserContext:
        context = browser.new_context(**{**WINDOW, "color_scheme": "light", **options})
        context.set_default_timeout(15 * SECONDS)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("console", heard)
        opened.append(context)
        return context

    yield new
    for context in opened:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def login(window: Callable[..., BrowserContext]) -> Callable[[Studio], Visitor]:
    """`login(studio)` opens a page of a studio and trades the printed code for a cookie."""

    def enter(studio: Studio) -> Visitor:
        page = window().new_page()
        page.goto(studio.login_url)
        return Visitor(page, studio)

    return enter


@pytest.fixture
def visit(gallery: Studio, window: Callable[..., BrowserContext], cookies: StorageState) -> Visit:
    """`visit()` opens a window of the shared studio, logged in, on no page yet."""

    def enter(*, width: int = 1280, scheme: Scheme = "light", javascript: bool = True) -> Visitor:
        context = window(
            storage_state=cookies, color_scheme=scheme, java_script_enabled=javascript,
            viewport={"width": width, "height": 800},
        )  # fmt: skip
        return Visitor(context.new_page(), gallery)

    return enter


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    """A window of the shared studio, logged in, on its first page."""
    found = visit()
    found.open("/")
    return found


@pytest.fixture
def picture() -> Picture:
    """Store what a whole page looks like."""

    def take(name: str, *, of: Page) -> Path:
        PICTURES.mkdir(exist_ok=True)
        path = PICTURES / f"{name}.png"
        of.screenshot(path=path, full_page=True, animations="disabled")
        return path

    return take


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A run without a browser proved nothing: say so in red, not in a dot."""
    reports = terminalreporter.stats.get("skipped", [])
    skipped = [report for report in reports if chromium.MISSING in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests did not run: {chromium.MISSING}", red=True, bold=True)
