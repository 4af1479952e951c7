"""A leaf: one HTML file with a graph that can be zoomed and panned, under a policy that allows it nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256

from treadle.resources import STATIC
from treadle.visualizer.graph import Graph
from treadle.visualizer.legend import legend_html
from treadle.visualizer.markup import clean
from treadle.visualizer.overlay import Overlay
from treadle.visualizer.theme import AnyTheme, page_css

_BUTTONS = (
    ("Before the first entry", "M12 3L6 8L12 13M4 3V13"),
    ("One entry back", "M10.5 3L5 8L10.5 13"),
    ("Play", ""),
    ("One entry on", "M5.5 3L11 8L5.5 13"),
    ("Last entry", "M4 3L10 8L4 13M12 3V13"),
)


def leaf(
    graph: Graph,
    svg: str,
    *,
    overlay: Overlay | None = None,
    theme: AnyTheme = "auto",
    title: str,
    caption: str = "",
    legend: bool = True,
    replay: str = "",
) -> str:
    """The page around `svg`, which it styles; what may be wrong with `graph` stands at its foot.

    With `replay`, JSON of replay_json, there is a slider over the entries of a run.
    """
    css = page_css(theme) + _file("css/leaf.css")
    script = _file("js/leaf.js") + (_file("js/leaf-replay.js") if replay else "")
    policy = (
        f"default-src 'none'; style-src '{_hash(css)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{clean(title)}</title>\n<style>{css}</style>\n</head>\n<body>\n"
        f"<header><h1>{clean(title)}</h1>{_paragraph(caption)}"
        f"{legend_html(graph, overlay=overlay, every=bool(replay)) if legend else ''}</header>\n"
        f'<main>{svg}<div class="zoom" hidden><button type="button" aria-label="Zoom in">+</button>'
        '<button type="button" aria-label="Zoom out">−</button><button type="button" aria-label="Fit">⤢</button></div>'
        f"</main>\n{_replay(replay)}{_footer(graph.warnings)}<script>{script}</script>\n</body>\n</html>\n"
    )


def _replay(data: str) -> str:
    if not data:
        return ""
    buttons = "".join(_button(name, path) for name, path in _BUTTONS)
    return (
        f'<section class="replay" aria-label="Replay" hidden><div class="keys">{buttons}</div>'
        '<input type="range" min="0" value="0" aria-label="Entry"><output></output></section>\n'
        f'<script type="application/json" id="replay">{data}</script>\n'
    )


def _button(name: str, path: str) -> str:
    if not path:
        return f'<button type="button" class="play" aria-pressed="false">{name}</button>'
    icon = f'<svg viewBox="0 0 16 16" aria-hidden="true"><path d="{path}"/></svg>'
    return f'<button type="button" aria-label="{name}">{icon}</button>'


def _paragraph(text: str) -> str:
    return f"<p>{clean(text)}</p>" if text else ""


def _footer(warnings: Iterable[str]) -> str:
    lines = "".join(f"<span>{clean(warning)}</span>" for warning in warnings)
    return f"<footer>{lines}</footer>\n" if lines else ""


@cache
def _file(path: str) -> str:
    return (STATIC / path).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
