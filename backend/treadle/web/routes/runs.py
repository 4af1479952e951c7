"""The list of runs, newest first; its filters and its place live in the query string."""

import time
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from treadle.store.runs import STATUSES, RunPage, count_by_status, page_of_runs, pulse
from treadle.store.workflows import workflow_names
from treadle.web.dependencies import Reading, page
from treadle.web.presenting import summary_json

router = APIRouter()
PAGE = 50

Statuses = Annotated[list[str], Query(alias="status")]


@router.get("/runs.json")
def runs_json(
    db: Reading,
    status: Statuses = [],  # noqa: B006 - FastAPI copies it
    workflow: str | None = None,
    parent: str | None = None,
    children: bool = False,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
) -> dict[str, object]:
    """Runs, newest first: with `children` also those inside others, with `parent` those that its steps started."""
    chosen = _known(status)
    found = page_of_runs(
        db, statuses=chosen, workflow=workflow, parent=parent, nested=children, before=before, limit=limit
    )
    query = {"status": chosen, "workflow": workflow, "parent": parent, "children": children, "limit": limit}
    return {"runs": [summary_json(run) for run in found.runs], "next": _next("/runs.json", found, query)}


@router.get("/runs")
def runs_page(
    request: Request,
    db: Reading,
    status: Statuses = [],  # noqa: B006 - FastAPI copies it
    workflow: str | None = None,
    parent: str | None = None,
    children: bool = False,
    before: str | None = None,
) -> Response:
    chosen = _known(status)
    found = page_of_runs(
        db, statuses=chosen, workflow=workflow, parent=parent, nested=children, before=before, limit=PAGE
    )
    query = {"status": chosen, "workflow": workflow, "parent": parent, "children": children}
    return page(
        request,
        "runs.html",
        db=db,
        now=time.time(),
        seen=pulse(db),
        runs=found,
        statuses=STATUSES,
        counts=count_by_status(db, parent=parent, nested=children),
        chosen=chosen,
        workflow=workflow or "",
        workflows=workflow_names(db),
        parent=parent,
        children=children,
        filtered=bool(chosen or workflow or parent or children),
        newest_url=_url("/runs", query) if before else None,
        next_url=_next("/runs", found, query),
        here=str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
    )


def _known(statuses: list[str]) -> list[str]:
    return [status for status in statuses if status in STATUSES]


def _next(path: str, found: RunPage, query: dict[str, Any]) -> str | None:
    return _url(path, {**query, "before": found.next}) if found.next is not None else None


def _url(path: str, query: dict[str, Any]) -> str:
    kept = {name: 1 if value is True else value for name, value in query.items() if value}
    return f"{path}?{urlencode(kept, doseq=True)}" if kept else path
