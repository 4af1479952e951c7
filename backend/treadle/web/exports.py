"""Graphs as files: what the address asks for, drawn by the visualizer and sent under a name that says what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Depends, HTTPException, Query, Request
from starlette.responses import Response

from treadle.store.moments import passages
from treadle.store.reading import Reader
from treadle.store.runs import RunDetail
from treadle.store.workflows import VersionRow
from treadle.visualizer.export import FORMS, MEDIA_TYPES, Form, Look, Recording, exported
from treadle.visualizer.geometry import Direction
from treadle.visualizer.png import can_draw
from treadle.visualizer.replay import MOST
from treadle.visualizer.theme import AnyTheme
from treadle.web.dependencies import page
from treadle.web.drawings import graph_of
from treadle.web.telling import told_of
from treadle.web.views import View

_POLICY = re.compile(rb'Content-Security-Policy" content="([^"]*)"')
# An SVG is a page of its own when it is opened: it has a style sheet inside and nothing else to load or to run.
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


Show = Literal["run", "only", "flows"]
"""Of a run: what it did on all flows, nothing but what it did, or the flows without it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the query of an address says about a picture."""

    look: Look
    show: Show = "run"
    at: int | None = None
    download: bool = False

    def query(self, **more: object) -> str:
        """The address's query that says the same, and `more`; what goes without saying is left out."""
        look, plain = self.look, Look()
        said = {
            "theme": look.theme or "",
            "direction": look.direction if look.direction != plain.direction else "",
            "compact": "1" if look.compact else "",
            "legend": "" if look.legend is None else str(int(look.legend)),
            "expand": "" if look.expand else "0",
            "show": self.show if self.show != "run" else "",
            "at": "" if self.at is None else str(self.at),
            "caption": look.caption or "",
            "title": look.title,
        }
        return urlencode({key: value for key, value in {**said, **more}.items() if value != ""})


def wanted(
    theme: AnyTheme | None = None,
    direction: Direction = "TB",
    compact: bool = False,
    legend: bool | None = None,
    caption: Annotated[str | None, Query(max_length=2000)] = None,
    title: Annotated[str, Query(max_length=200)] = "",
    scale: Annotated[float, Query(ge=0.1, le=8)] = 2.0,
    expand: bool = True,
    show: Show = "run",
    at: Annotated[int | None, Query(ge=0)] = None,
    download: bool = False,
) -> Wanted:
    """The options of a picture, each checked."""
    return Wanted(Look(theme, direction, compact, legend, caption, title, scale, expand), show, at, download)


Asked = Annotated[Wanted, Depends(wanted)]


def workflow_file(version: VersionRow, form: str, wanted: Wanted) -> Response:
    """Every flow a workflow could take."""
    known = form_named(form)
    content = exported(graph_of(version), known, look=wanted.look, caption="All possible flows")
    return _file(content, known, version.workflow, wanted)


def run_file(db: Reader, run: RunDetail, version: VersionRow, form: str, wanted: Wanted) -> Response:
    """What a run did, or had done at an entry, on the graph it was recorded with."""
    if wanted.show == "flows":
        return workflow_file(version, form, wanted)
    known = form_named(form)
    at = wanted.at if wanted.at is not None and wanted.at < run.entries else None
    told = told_of(db, run, version, View(at=at))
    recording = Recording(
        told.status,
        told.counts,
        only=wanted.show == "only",
        open_prompts=told.prompts,
        at=at,
        nested=told.nested,
        moments=passages(db, run.id, run.workflow, run.fingerprint, seq=at)
        if known == "html" and run.entries <= MOST
        else (),
    )
    words = told.status.replace("_", " ") + (f" at entry {at} of {run.entries}" if at is not None else "")
    content = exported(graph_of(version), known, look=wanted.look, run=recording, caption=f"Run {run.id}: {words}")
    return _file(content, known, f"{run.workflow}-{run.id}", wanted)


def export_page(
    request: Request, db: Reader, wanted: Wanted, *, path: str, title: str, now: float, of_run: bool
) -> Response:
    """The page on which one chooses how a picture looks, for the graph of `path`; the dialog is a part of it."""
    look = wanted.look if wanted.look.theme is not None else replace(wanted.look, theme="light")
    return page(
        request,
        "export.html",
        db=db,
        now=now,
        at=path,
        title=title,
        of_run=of_run,
        look=look,
        wanted=replace(wanted, look=look),
        draws_png=can_draw(),
    )


def form_named(form: str) -> Form:
    """The form a graph is asked for in, by the end of the address."""
    for known in FORMS:
        if form == known:
            return known
    raise HTTPException(404, f"A graph comes as {', '.join(FORMS[:-1])} or {FORMS[-1]}, not as {form}.")


def _file(content: bytes, form: Form, name: str, wanted: Wanted) -> Response:
    safe_name = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    how = "attachment" if wanted.download else "inline"
    headers = {"Content-Disposition": f'{how}; filename="{safe_name}.{form}"'}
    # An HTML file brings its own policy, by the hashes of its one style and one script; ours would forbid both.
    if form == "html" and (policy := _POLICY.search(content)):
        headers["Content-Security-Policy"] = f"{policy[1].decode()}; frame-ancestors 'none'"
    elif form == "svg":
        headers["Content-Security-Policy"] = _SVG_POLICY
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers)
