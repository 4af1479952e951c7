"""Every main page, light, dark and on a telephone: nothing sticks out, nothing complains. The pictures are kept."""

from __future__ import annotations

import pytest
from playwright.sync_api import ConsoleMessage

from conftest import Picture, Scheme, Visit
from furnishing import furnish

SHAPES: tuple[tuple[str, int, Scheme], ...] = (
    ("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 390, "light"), ("narrow-dark", 390, "dark"),
)  # fmt: skip
STICKS_OUT = """() => [document.scrollingElement.scrollWidth, innerWidth, [...document.querySelectorAll("main *")]
  .filter((part) => part.getBoundingClientRect().right > innerWidth + 1 && !part.closest(
    ".scroll, .entries-scroll, pre, .graph, svg"))
  .slice(0, 3).map((part) => part.outerHTML.slice(0, 120))]"""


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Name and path of every page worth a look, with runs in every state; the first test furnishes the studio."""
    return {}


@pytest.mark.parametrize(("name", "width", "scheme"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_pages_fit_and_keep_quiet(
    name: str, width: int, scheme: Scheme, visit: Visit, picture: Picture, pages: dict[str, str]
) -> None:
    if not pages:
        helper = visit()
        helper.open("/")
        pages.update(furnish(helper))
    person = visit(width=width, scheme=scheme)
    heard: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            heard.append(f"{message.page.url if message.page else ''}: {message.text}")

    person.page.on("console", hear)
    wrong: list[str] = []
    for title, path in pages.items():
        page = person.open(path)
        total, inner, culprits = page.evaluate(STICKS_OUT)
        if total > inner:
            wrong.append(f"{path} is {total} px wide in {inner}: {culprits}")
        picture(f"{title}-{name}", of=page)
    assert not wrong, "\n".join(wrong)
    assert not heard, "\n".join(heard)
