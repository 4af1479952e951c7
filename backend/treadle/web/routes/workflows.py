"""One workflow: its graph, its docstring, the form that starts it, its runs and its source."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from treadle.engine.deadlines import read as read_deadline
from treadle.errors import InvalidFields
from treadle.store.runs import find_run, page_of_runs, pulse, start_fields
from treadle.store.starting import Accepted
from treadle.store.workflows import WorkflowRow, absent, find_workflow, versions_of
from treadle.web.dependencies import Body, InStudio, Reading, Sent, Studio, page
from treadle.web.exports import Asked, export_page, workflow_file
from treadle.web.forms import Form, blank_form, problems_of, read_form
from treadle.web.pictures import workflow_picture
from treadle.web.presenting import version_json, workflow_json
from treadle.web.templating import segment
from treadle.web.views import View, Viewed

router = APIRouter()
VIEW = View()


@router.get("/workflows/{name}.json")
def workflow_as_json(name: str, db: Reading) -> dict[str, object]:
    workflow = _find(db, name)
    return workflow_json(workflow) | version_json(workflow.version)


@router.get("/workflows/{name}")
def workflow_page(
    request: Request, name: str, db: Reading, view: Viewed, continued_from: str | None = None
) -> Response:
    workflow = _find(db, name)
    source = find_run(db, continued_from) if continued_from else None
    values = start_fields(db, source.id) if source else {}
    form = blank_form(_start_schema(workflow), values)
    return _page(request, db, workflow, form=form, continued_from=source.id if source else None, view=view)


@router.get("/workflows/{name}/graph.{form}")
def workflow_graph(name: str, form: str, db: Reading, wanted: Asked) -> Response:
    """Every flow of the workflow, as a file of this form."""
    workflow = _find(db, name)
    if workflow.version is None:
        raise HTTPException(404, "No worker has published a graph of this workflow.")
    return workflow_file(workflow.version, form, wanted)


@router.get("/workflows/{name}/export")
def workflow_export(request: Request, name: str, db: Reading, wanted: Asked) -> Response:
    """Choose how the graph looks as a file."""
    path = f"/workflows/{segment(_find(db, name).name)}"
    return export_page(request, db, wanted, path=path, title=name, now=time.time(), of_run=False)


@router.post("/workflows/{name}/runs")
async def start_run(
    request: Request,
    name: str,
    studio: InStudio,
    body: Sent,
    held: bool = False,
    continued_from: str | None = None,
    deadline: str | None = None,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Start a run from a JSON body (the fields of its start event) or from the form of the workflow's page."""
    if body.media_type != "application/x-www-form-urlencoded":
        fields = await run_in_threadpool(_checked, studio, name, body)
        due = read_deadline(deadline) if deadline is not None else None
        accepted = await studio.requests.start_soon(
            name, fields, held=held, idempotency_key=idempotency_key, continued_from=continued_from, deadline=due
        )
        return _started(request, accepted)
    typed = body.form
    held = typed.get("_held", "") not in ("", "false")
    continued_from = typed.get("_continued_from") or None
    read = await run_in_threadpool(_filled_in, request, studio, name, typed, held, continued_from)
    if isinstance(read, Response):
        return read
    accepted = await studio.requests.start_soon(name, read, held=held, continued_from=continued_from)
    return RedirectResponse(f"/runs/{segment(accepted.run_id)}", status_code=303)


def _checked(studio: Studio, name: str, body: Body) -> dict[str, Any]:
    """The fields that a JSON body has for the start event."""
    with studio.database.read() as db:
        workflow = _find(db, name)
    fields: dict[str, Any] = body.json()
    if problems := problems_of(_start_schema(workflow), fields):
        raise InvalidFields(problems)
    return fields


def _filled_in(
    request: Request, studio: Studio, name: str, typed: dict[str, str], held: bool, continued_from: str | None
) -> dict[str, Any] | Response:
    """The fields that a form has for the start event; where they are not valid, the page with the form again."""
    with studio.database.read() as db:
        workflow = _find(db, name)
        fields, form = read_form(_start_schema(workflow), typed)
        if form.valid:
            return fields
        return _page(request, db, workflow, form=form, held=held, continued_from=continued_from, status=422)


def _start_schema(workflow: WorkflowRow) -> dict[str, Any]:
    return workflow.version.start_schema if workflow.version else {}


def _started(request: Request, accepted: Accepted) -> Response:
    url = str(request.base_url.replace(path=f"/runs/{segment(accepted.run_id)}"))
    status = 201 if accepted.created else 200
    return JSONResponse({"id": accepted.run_id, "url": url}, status_code=status, headers={"Location": url})


def _page(
    request: Request,
    db: Reading,
    workflow: WorkflowRow,
    *,
    form: Form,
    held: bool = False,
    continued_from: str | None = None,
    status: int = 200,
    view: View = VIEW,
) -> Response:
    return page(
        request,
        "workflow.html",
        db=db,
        now=time.time(),
        status=status,
        seen=pulse(db),
        workflow=workflow,
        form=form,
        held=held,
        continued_from=continued_from,
        picture=workflow_picture(workflow.version, view),
        view=view,
        runs=page_of_runs(db, workflow=workflow.name, nested=True, limit=15),
        versions=versions_of(db, workflow.name),
    )


def _find(db: Reading, name: str) -> WorkflowRow:
    workflow = find_workflow(db, name)
    if workflow is None:
        raise absent(db, name)
    return workflow
