"""Turn rows into HTML: the Jinja environment and the words templates may use.

Autoescape is always on and an unknown name is an error, so a payload can only ever be text.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from treadle.resources import STATIC, TEMPLATES

PAYLOAD_LIMIT = 64 * 1024


def render(template: str, **values: Any) -> str:
    """The template as HTML, in characters that can be sent: a lone surrogate in a payload shows as `?`."""
    return _environment().get_template(template).render(**values).encode(errors="replace").decode()


@lru_cache(maxsize=1)
def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters.update(
        iso=iso,
        clock=clock,
        duration=duration,
        seg=segment,
        short=short,
        pretty=pretty,
        words=words,
        code=code,
        pairs=parse_qsl,
        way=way,
    )
    env.globals.update(payload_limit=PAYLOAD_LIMIT, static=static)
    return env


def iso(at: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(at: float) -> str:
    """A time without a browser's help: UTC; times.js replaces it by local time."""
    return f"{datetime.fromtimestamp(at, UTC):%d %b %H:%M:%S} UTC"


def duration(seconds: float | None) -> str:
    """A span of seconds in two places at most: `38 ms`, `3.2 s`, `6 min 5 s`, `2 h 4 min`, `3 d 1 h`."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for big, small, unit, part in ((86400, 3600, "d", "h"), (3600, 60, "h", "min"), (60, 1, "min", "s")):
        if whole >= big:
            rest = whole % big // small
            return f"{whole // big} {unit} {rest} {part}" if rest else f"{whole // big} {unit}"
    raise AssertionError(seconds)


def segment(text: str) -> str:
    """Text as one segment of a URL path."""
    return quote(str(text), safe="")


def short(run_id: str) -> str:
    """A run id that fits a table, its telling ends kept."""
    return run_id if len(run_id) <= 14 else f"{run_id[:6]}…{run_id[-4:]}"


def pretty(value: Any) -> str:
    """JSON a person can read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def words(text: str) -> str:
    """`timed_out` as `timed out`."""
    return text.replace("_", " ")


def way(sel: str) -> str:
    """A node of a graph by its name, an edge by those of its ends."""
    return " → ".join(part.rpartition(":")[2] for part in sel.replace("+", ">").split(">"))


def static(path: str) -> str:
    """The address of a static file, changed whenever the file does."""
    try:
        changed = (STATIC / path).stat().st_mtime_ns
    except OSError:
        return f"/static/{path}"
    return f"/static/{path}?v={_fingerprint(path, changed)}"


@lru_cache(maxsize=256)
def _fingerprint(path: str, changed: int) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]


@lru_cache(maxsize=64)
def code(source: str) -> Markup:
    """Python source with a class for every token and an anchor `line-N` on every line; colours live in source.css."""
    formatter = HtmlFormatter(cssclass="source", linenos="inline", lineanchors="line", anchorlinenos=True)
    return Markup(highlight(source, PythonLexer(), formatter))  # noqa: S704 - pygments escapes what it is given
