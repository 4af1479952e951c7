"""What routes are handed: the studio's parts, a read connection, the body of a request."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from treadle.runner.requests import Requests
from treadle.runner.signals import Signals
from treadle.store import prompts, workers
from treadle.store.database import Database
from treadle.store.reading import Reader
from treadle.web.frames import Streams
from treadle.web.problems import Refusal
from treadle.web.security import FIELD_LIMIT, Security, Session
from treadle.web.templating import render, segment


@dataclass(frozen=True, slots=True)
class Studio:
    """Everything the pages stand on, made once by the composition root."""

    database: Database
    requests: Requests
    signals: Signals
    security: Security
    streams: Streams
    last_workers: list[dict[str, Any]] = field(default_factory=list)
    """The workers as /health last saw them, for when the database is busy."""


def studio_of(request: Request) -> Studio:
    studio: Studio = request.app.state.studio
    return studio


def session_of(request: Request) -> Session:
    session: Session = request.state.session
    return session


def reading(studio: Annotated[Studio, Depends(studio_of)]) -> Iterator[Reader]:
    with studio.database.read() as db:
        yield db


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request: bytes, and what kind they are said to be."""

    media_type: str
    content: bytes

    @property
    def is_json(self) -> bool:
        return self.media_type == "application/json"

    def json(self) -> Any:
        """The body as JSON; an empty one is an empty object."""
        try:
            return json.loads(self.content or b"{}")
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "bad_json", f"The body is not JSON: {error}.") from error

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form; the last one wins when a name comes twice."""
        try:
            pairs = parse_qsl(self.content.decode(), keep_blank_values=True, max_num_fields=FIELD_LIMIT)
        except ValueError as error:
            raise Refusal(400, "bad_form", f"A form has at most {FIELD_LIMIT} fields, in UTF-8.") from error
        return dict(pairs)


async def body_of(request: Request) -> Body:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Body(media_type, await request.body())


InStudio = Annotated[Studio, Depends(studio_of)]
Reading = Annotated[Reader, Depends(reading)]
Asking = Annotated[Session, Depends(session_of)]
Sent = Annotated[Body, Depends(body_of)]


def page(request: Request, template: str, *, db: Reader, now: float, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page: the template inside the frame every page shares."""
    html = render(
        template,
        now=now,
        csrf=request.state.session.csrf,
        path=request.url.path,
        waiting=prompts.count_open(db),
        workers=workers.live_workers(db, now=now),
        **values,
    )
    return HTMLResponse(html, status_code=status)


def acted(request: Request, body: Body, run_id: str, told: dict[str, Any], *, status: int = 202) -> Response:
    """The answer to something done to a run.

    Nothing for htmx, whose feed shows it; the run's page for a form; JSON for programs.
    """
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204)
    if body.media_type == "application/x-www-form-urlencoded":
        return RedirectResponse(f"/runs/{segment(run_id)}", status_code=303)
    return JSONResponse(told, status_code=status)
