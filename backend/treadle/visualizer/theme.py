"""Take the look of exported pictures from the page's own stylesheet, so that there is only one.

Picture viewers and converters know neither custom properties nor light-dark(): for them every token is replaced by its
colour.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from treadle.resources import STATIC

FileTheme = Literal["light", "dark"]

_TOKEN = re.compile(r"(--graph-[a-z-]+):\s*light-dark\((#[0-9a-f]{3,8}),\s*(#[0-9a-f]{3,8})\);")
_USE = re.compile(r"var\((--graph-[a-z-]+)\)")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PAGE_ONLY = "/* page only"


@cache
def tokens() -> dict[str, tuple[str, str]]:
    """Every colour token with its light and its dark value."""
    return {name: (light, dark) for name, light, dark in _TOKEN.findall(_stylesheet())}


@cache
def picture_css() -> str:
    """The rules of a picture with their tokens, for a page of its own that follows the reader's colour scheme."""
    return _tight(_stylesheet().partition(_PAGE_ONLY)[0])


@cache
def file_css(theme: FileTheme) -> str:
    """The rules of a picture in plain colours, for a file in one theme."""
    at = 0 if theme == "light" else 1
    rules = picture_css()
    rules = rules[rules.index("}") + 1 :]
    return _USE.sub(lambda use: tokens()[use[1]][at], rules)


@cache
def _stylesheet() -> str:
    return (STATIC / "css" / "graph.css").read_text(encoding="utf-8")


def _tight(css: str) -> str:
    """Without comments and indentation."""
    return "\n".join(line.strip() for line in _COMMENT.sub("", css).splitlines() if line.strip())
