"""Put a graph into one file that opens anywhere: HTML, SVG, PNG, Mermaid or JSON, the same bytes for the same input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from treadle.visualizer.compact import shown
from treadle.visualizer.document import document
from treadle.visualizer.geometry import Direction
from treadle.visualizer.graph import Graph
from treadle.visualizer.instances import fitted
from treadle.visualizer.layout import layout
from treadle.visualizer.leaf import leaf
from treadle.visualizer.mermaid import mermaid
from treadle.visualizer.nested import collapsed
from treadle.visualizer.overlay import Overlay, overlay_of
from treadle.visualizer.png import to_png
from treadle.visualizer.possible import EventFacts
from treadle.visualizer.recent import recent_execution
from treadle.visualizer.replay import Moment, replay_json
from treadle.visualizer.svg import to_svg
from treadle.visualizer.theme import AnyTheme, FileTheme

Form = Literal["html", "svg", "png", "mmd", "json"]

FORMS: tuple[Form, ...] = get_args(Form)
MEDIA_TYPES: Mapping[Form, str] = {
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "mmd": "text/plain; charset=utf-8",
    "json": "application/json",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is to look; None leaves it to the form of the file.

    An HTML file follows its reader's `theme`, the others are light. It has its `legend` and says in a `caption` what
    it shows; the others have what they are told to. `scale` is how many pixels of a PNG a pixel of the drawing gets.
    Without `expand` nested workflows are boxes of which nothing inside is drawn.
    """

    theme: AnyTheme | None = None
    direction: Direction = "TB"
    compact: bool = False
    legend: bool | None = None
    caption: str | None = None
    title: str = ""
    scale: float = 2.0
    expand: bool = True


@dataclass(frozen=True, slots=True)
class Recording:
    """What is known of a run: `counts` as in `Run.counts`, up to the entry `at` if that is not the last.

    With `only` nothing is drawn but what the run did; `events` are the roles of events no signature names. `nested`
    are the runs in the frames of nested workflows, as overlay_of takes them. `moments` are the run after each of its
    entries, for a page to replay; they are read when one is made.
    """

    status: str
    counts: Mapping[str, Any]
    only: bool = False
    events: EventFacts = field(default_factory=dict)
    open_prompts: int | None = None
    at: int | None = None
    nested: Mapping[str, Mapping[str, Any]] | None = None
    moments: Iterable[Moment] = ()


def exported(
    graph: Graph, form: Form, *, look: Look | None = None, run: Recording | None = None, caption: str = ""
) -> bytes:
    """The file of this form with every flow `graph` tells of or, with `run`, with what that did.

    `caption` is what a page says where `look` has nothing to say. Raises ExtraMissing for a PNG without `treadle[png]`.
    """
    look = look or Look()
    graph, overlay = drawn(graph, look=look, run=run)
    title = look.title or graph.workflow
    words = look.caption or ""
    fixed = _fixed(look.theme)
    if form == "mmd":
        text = mermaid(graph, overlay=overlay, direction=look.direction, theme=fixed, title=title, caption=words)
        return text.encode()
    placed = layout(graph, direction=look.direction)
    if form == "json":
        at = run.at if run is not None else None
        return document(graph, placed, overlay=overlay, title=title, caption=words, at=at).encode()
    if form == "html":
        return leaf(
            graph,
            to_svg(graph, placed, overlay=overlay, title=title),
            overlay=overlay,
            theme=look.theme or "auto",
            title=title,
            caption=caption if look.caption is None else look.caption,
            legend=look.legend is not False,
            replay=_replay(graph, overlay, run),
        ).encode()
    theme = look.theme if look.theme is not None and form == "svg" else fixed
    svg = to_svg(graph, placed, overlay=overlay, theme=theme, title=title, legend=bool(look.legend), caption=words)
    return to_png(svg, scale=look.scale) if form == "png" else svg.encode()


def drawn(graph: Graph, *, look: Look, run: Recording | None) -> tuple[Graph, Overlay | None]:
    """The graph that is drawn, and what a run did on it."""
    graph = graph if look.expand else collapsed(graph)
    if run is None:
        return shown(graph, compact=look.compact), None
    if run.only:
        return recent_execution(
            graph, run.counts, run_status=run.status, events=run.events, compact=look.compact
        )
    graph = fitted(shown(graph, compact=look.compact), run.counts)
    return graph, overlay_of(
        graph, run.counts, run_status=run.status, open_prompts=run.open_prompts, nested=run.nested
    )


def _replay(graph: Graph, overlay: Overlay | None, run: Recording | None) -> str:
    moments = list(run.moments) if run is not None else []
    return replay_json(graph, overlay, moments) if overlay is not None and moments else ""


def _fixed(theme: AnyTheme | None) -> FileTheme:
    """The theme of a file that cannot know its reader."""
    return "light" if theme is None or theme == "auto" else theme
