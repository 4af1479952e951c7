"""Put a graph into one file that opens anywhere: HTML that can be zoomed and panned and asks for nothing, or SVG."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Literal, get_args

from treadle.resources import STATIC
from treadle.visualizer.geometry import Direction
from treadle.visualizer.graph import Graph
from treadle.visualizer.layout import layout
from treadle.visualizer.legend import legend_html
from treadle.visualizer.overlay import Overlay
from treadle.visualizer.svg import clean, to_svg
from treadle.visualizer.theme import FileTheme, picture_css

Form = Literal[".html", ".svg"]

FORMS: tuple[Form, ...] = get_args(Form)

_PAGE_CSS = """
:root{color-scheme:light dark}
html,body{height:100%;margin:0}
body{display:flex;flex-direction:column;background:var(--graph-surface);color:var(--graph-ink);
font:14px/1.45 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header,footer{padding:.7rem 1.1rem;display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;align-items:center}
h1{font-size:1.05rem;margin:0}
p{margin:0;color:var(--graph-muted)}
footer{font-size:.8rem;border-top:1px solid var(--graph-idle);flex-flow:column;align-items:flex-start;
flex:none;max-height:30vh;overflow:auto}
footer span{border-left:3px solid var(--graph-waiting);padding-left:.6rem}
main{flex:1;min-height:0;position:relative;overflow:hidden}
main .graph-svg{position:absolute;inset:0;width:100%;height:100%;cursor:grab;touch-action:none}
main .graph-svg:active{cursor:grabbing}
.graph-legend{display:flex;flex-wrap:wrap;gap:.35rem 1rem;margin:0 0 0 auto;padding:0;list-style:none;font-size:.8rem;
color:var(--graph-muted)}
.graph-legend li{display:inline-flex;align-items:center;gap:.4rem}
.zoom{position:absolute;right:.8rem;bottom:.8rem;display:flex;gap:.3rem}
.zoom button{width:2.1rem;height:2.1rem;font:600 1rem/1 inherit;color:inherit;background:var(--graph-surface);
border:1px solid var(--graph-idle);border-radius:.4rem;cursor:pointer}
.zoom button:focus-visible{outline:2px solid var(--graph-focus);outline-offset:1px}
@media print{.zoom{display:none}}
"""


def possible_html(graph: Graph, *, title: str | None = None, caption: str = "", direction: Direction = "TB") -> str:
    """One self-contained page with the graph of all possible flows."""
    return _page(graph, None, title=title or graph.workflow, caption=caption, direction=direction)


def run_html(
    graph: Graph, overlay: Overlay, *, title: str | None = None, caption: str = "", direction: Direction = "TB"
) -> str:
    """One self-contained page with what a run did, drawn on the graph it was recorded with."""
    words = caption or f"Run status: {overlay.run_status.replace('_', ' ')}"
    return _page(graph, overlay, title=title or graph.workflow, caption=words, direction=direction)


def picture(
    graph: Graph,
    overlay: Overlay | None,
    *,
    form: Form,
    title: str,
    caption: str,
    direction: Direction = "TB",
    theme: FileTheme | None = None,
) -> str:
    """The text of a file of this form. Without a `theme` HTML follows its reader and SVG is light."""
    if form == ".svg":
        return to_svg(graph, layout(graph, direction=direction), overlay=overlay, theme=theme or "light", title=title)
    return _page(graph, overlay, title=title, caption=caption, direction=direction, theme=theme)


def _page(
    graph: Graph,
    overlay: Overlay | None,
    *,
    title: str,
    caption: str,
    direction: Direction,
    theme: FileTheme | None = None,
) -> str:
    svg = to_svg(graph, layout(graph, direction=direction), overlay=overlay, title=title)
    css = picture_css() + _PAGE_CSS + (f":root{{color-scheme:{theme}}}\n" if theme else "")
    script = _script()
    policy = (
        f"default-src 'none'; style-src '{_hash(css)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{clean(title)}</title>\n<style>{css}</style>\n</head>\n<body>\n"
        f"<header><h1>{clean(title)}</h1>{_paragraph(caption)}{legend_html(graph, overlay=overlay)}</header>\n"
        f'<main>{svg}<div class="zoom" hidden><button type="button" aria-label="Zoom in">+</button>'
        '<button type="button" aria-label="Zoom out">−</button><button type="button" aria-label="Fit">⤢</button></div>'
        f"</main>\n{_footer(graph.warnings)}<script>{script}</script>\n</body>\n</html>\n"
    )


def _paragraph(text: str) -> str:
    return f"<p>{clean(text)}</p>" if text else ""


def _footer(warnings: Iterable[str]) -> str:
    lines = "".join(f"<span>{clean(warning)}</span>" for warning in warnings)
    return f"<footer>{lines}</footer>\n" if lines else ""


@cache
def _script() -> str:
    return (STATIC / "js" / "graph-export.js").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
