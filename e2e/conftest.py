"""What every browser test gets: a studio of its own, a page that is logged in, and a camera.

`studio` is a running studio with the gallery. Another set of workflows, or more options:

    @pytest.mark.parametrize("studio", [{"workflows": ("workflows/loop.py",)}], indirect=True)

`launch` starts as many as a test needs; `page` is a Playwright page logged in to `studio`; `login` opens a page of any
other studio; `picture("inbox")` stores e2e/pictures-out/inbox.png.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

import browser as chromium
from studio import ROOT, Studio

PICTURES = Path(__file__).resolve().parent / "pictures-out"
SECONDS = 1000
Scheme = Literal["light", "dark"]


class Picture(Protocol):
    def __call__(self, name: str, *, of: Page | None = None, width: int | None = None, scheme: Scheme | None = None,
                 full: bool = True) -> Path: ...


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


@pytest.fixture
def studio(request: pytest.FixtureRequest, launch: Callable[..., Studio]) -> Studio:
    """A running studio; indirect parameters are those of `launch`."""
    return launch(**getattr(request, "param", {}))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser window of its own: 1280 x 800, light, no cookies, a locale that does not depend on the machine."""
    window = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light", locale="en-GB",
                                 timezone_id="UTC")
    window.set_default_timeout(15 * SECONDS)
    yield window
    window.close()


@pytest.fixture
def login(context: BrowserContext) -> Iterator[Callable[[Studio], Page]]:
    """`login(studio)` opens a page and trades the printed code for a cookie.

    The test fails when a script on any of these pages failed or the content security policy had to step in.
    """
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            complaints.append(message.text)

    def enter(studio: Studio) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", heard)
        page.goto(studio.login_url)
        return page

    yield enter
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def page(studio: Studio, login: Callable[[Studio], Page]) -> Page:
    """A page of `studio`, logged in."""
    return login(studio)


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Picture:
    """Store what the page looks like: `picture("run", scheme="dark", width=390)`; width in CSS pixels."""

    def take(name: str, *, of: Page | None = None, width: int | None = None, scheme: Scheme | None = None,
             full: bool = True) -> Path:
        page: Page = of or request.getfixturevalue("page")
        before = page.viewport_size or {"width": 1280, "height": 800}
        if width:
            page.set_viewport_size({"width": width, "height": before["height"]})
        if scheme:
            page.emulate_media(color_scheme=scheme)
        PICTURES.mkdir(exist_ok=True)
        path = PICTURES / f"{name}.png"
        page.screenshot(path=path, full_page=full, animations="disabled")
        page.set_viewport_size(before)
        page.emulate_media(color_scheme="light")
        return path

    return take


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A run without a browser proved nothing: say so in red, not in a dot."""
    reports = terminalreporter.stats.get("skipped", [])
    skipped = [report for report in reports if chromium.MISSING in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests did not run: {chromium.MISSING}", red=True, bold=True)
