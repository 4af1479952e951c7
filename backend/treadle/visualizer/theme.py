"""Take the look of exported pictures from the page's own stylesheet, so that there is only one.

Picture viewers and converters know neither custom properties nor light-dark(): for them every token is replaced by its
colour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from treadle.resources import STATIC

FileTheme = Literal["light", "dark", "print"]
AnyTheme = Literal["auto"] | FileTheme
"""What a file may be asked for: `auto` follows its reader, and is light where that cannot be."""

_ROOT = re.compile(r":root\s*\{[^}]*\}\s*")
_TOKEN = re.compile(r"(--graph-[a-z-]+):\s*light-dark\((#[0-9a-f]{3,8}),\s*(#[0-9a-f]{3,8})\);")
_USE = re.compile(r"var\((--graph-[a-z-]+)\)")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PAGE_ONLY = "/* page only"
_INK: Mapping[str, str] = {"--graph-ink": "#000000", "--graph-muted": "#333333", "--graph-line": "#333333"}


@cache
def tokens() -> dict[str, tuple[str, str]]:
    """Every colour token with its light and its dark value."""
    return {name: (light, dark) for name, light, dark in _TOKEN.findall(_stylesheet())}


@cache
def picture_css() -> str:
    """The rules of a picture with their tokens, for a page of its own that follows the reader's colour scheme."""
    return _tight(_stylesheet())


@cache
def page_css(theme: AnyTheme) -> str:
    """The rules of a picture with their tokens, for a page of its own in this theme."""
    if theme != "print":
        scheme = "light dark" if theme == "auto" else theme
        return f"{picture_css()}\n:root{{color-scheme:{scheme}}}\n@media print{{:root{{color-scheme:light}}}}"
    plain = "".join(f"{name}:{colour};" for name, colour in colours("print").items())
    return f"{picture_css()}\n:root{{color-scheme:light;{plain}}}"


@cache
def file_css(theme: AnyTheme) -> str:
    """The rules of a picture in plain colours, for a file; one that follows its reader has those for the dark below."""
    if theme == "auto":
        return f"{file_css('light')}\n@media (prefers-color-scheme:dark){{\n{file_css('dark')}\n}}"
    plain = colours(theme)
    return _USE.sub(lambda use: plain[use[1]], _ROOT.sub("", picture_css()))


@cache
def colours(theme: FileTheme) -> Mapping[str, str]:
    """The colour of every token in one theme."""
    return {name: _colour(name, pair, theme) for name, pair in tokens().items()}


def _colour(name: str, pair: tuple[str, str], theme: FileTheme) -> str:
    """Paper is white and toner is dear: in print nothing is filled, and borders and icons tell the statuses apart."""
    if theme != "print":
        return pair[0 if theme == "light" else 1]
    if name.endswith(("-fill", "-surface", "-frame")):
        return "#ffffff"
    return _INK.get(name, pair[0])


@cache
def _stylesheet() -> str:
    return (STATIC / "css" / "graph.css").read_text(encoding="utf-8").partition(_PAGE_ONLY)[0]


def _tight(css: str) -> str:
    """Without comments and indentation."""
    return "\n".join(line.strip() for line in _COMMENT.sub("", css).splitlines() if line.strip())
