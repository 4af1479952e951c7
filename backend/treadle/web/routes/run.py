"""One run: its page, its JSON, its entries and its picture."""

import time
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import Response

from treadle.errors import RunNotFound
from treadle.store.blobs import payload_text
from treadle.store.prompts import prompts_of
from treadle.store.runs import RunDetail, entries_after, entries_before, find_run
from treadle.store.workflows import find_version, find_workflow
from treadle.web.dependencies import Asking, Reading, page
from treadle.web.difference import difference_of
from treadle.web.exports import Asked, export_page, run_file
from treadle.web.pictures import run_overlay, run_picture
from treadle.web.presenting import entry_json, run_json
from treadle.web.running import count_open, entry_rows, run_regions
from treadle.web.telling import told_of
from treadle.web.templating import segment
from treadle.web.views import Viewed

router = APIRouter()
PAGE = 200


@router.get("/runs/{run_id}/events.json")
def run_events(
    run_id: str,
    db: Reading,
    after: Annotated[int, Query(ge=-1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = PAGE,
) -> dict[str, object]:
    _find(db, run_id)
    entries = entries_after(db, run_id, after=after, limit=limit)
    more = len(entries) == limit
    return {"events": [entry_json(entry) for entry in entries], "next": entries[-1].seq if more else None}


@router.get("/runs/{run_id}/events/{seq}/payload")
def entry_payload(run_id: str, seq: int, db: Reading) -> Response:
    """The whole payload of an entry, to be saved as a file."""
    _find(db, run_id)
    text = payload_text(db, run_id, seq)
    if text is None:
        raise HTTPException(404, f"Run {run_id} has no entry {seq} with a payload.")
    name = quote(f"{run_id}-{seq}.json", safe="")
    disposition = f"attachment; filename*=UTF-8''{name}"
    return Response(text, media_type="application/json", headers={"Content-Disposition": disposition})


@router.get("/runs/{run_id}.json")
def run_as_json(run_id: str, db: Reading) -> dict[str, object]:
    return run_json(_find(db, run_id))


@router.get("/runs/{run_id}/overlay.json")
def run_counts(run_id: str, db: Reading, view: Viewed) -> dict[str, object]:
    """What the run did on its graph, by node and edge: now, or up to an entry; of one pass through a loop only."""
    run = _find(db, run_id)
    version = find_version(db, run.workflow, run.fingerprint)
    return run_overlay(run, version, told_of(db, run, version, view))


@router.get("/runs/{run_id}/graph.{form}")
def run_graph(run_id: str, form: str, db: Reading, wanted: Asked) -> Response:
    """What the run did, as a file of this form."""
    run = _find(db, run_id)
    version = find_version(db, run.workflow, run.fingerprint)
    if version is None:
        raise HTTPException(404, "The graph of this run's version is not remembered.")
    return run_file(db, run, version, form, wanted)


@router.get("/runs/{run_id}/export")
def run_export(request: Request, run_id: str, db: Reading, wanted: Asked) -> Response:
    """Choose how what the run did looks as a file."""
    run = _find(db, run_id)
    path, title = f"/runs/{segment(run.id)}", f"{run.workflow}, run {run.id}"
    return export_page(request, db, wanted, path=path, title=title, now=time.time(), of_run=True)


@router.get("/runs/{run_id}")
def run_page(
    request: Request,
    run_id: str,
    db: Reading,
    session: Asking,
    view: Viewed,
    before: int | None = None,
    after: int | None = None,
) -> Response:
    """The run with its last entries, or those `before` or `after` a seq; only the tail is followed live."""
    now = time.time()
    run = _find(db, run_id)
    version = find_version(db, run.workflow, run.fingerprint)
    current = find_workflow(db, run.workflow)
    if before is None and after is None and view.at is not None and view.at < run.entries - PAGE // 2:
        before = view.at + PAGE // 2
    if after is not None:
        entries = entries_after(db, run_id, after=after, limit=PAGE, chosen=view.choice)
    else:
        entries = entries_before(db, run_id, before=before, limit=PAGE, chosen=view.choice)
    first, last = (entries[0].seq, entries[-1].seq) if entries else (0, 0)
    at_tail = before is None and (after is None or len(entries) < PAGE)
    prompts = prompts_of(db, run_id)
    waiting = count_open(prompts)
    regions = run_regions(
        run, prompts, version=version, current=current.version if current else None, csrf=session.csrf, now=now
    )
    return page(
        request,
        "run.html",
        db=db,
        now=now,
        run=run,
        version=version,
        difference=difference_of(run, version, current),
        regions=regions,
        rows=entry_rows(entries, run),
        first=first,
        last=last,
        earlier=bool(entries) and bool(entries_before(db, run_id, before=first, limit=1, chosen=view.choice)),
        later=not at_tail and bool(entries_after(db, run_id, after=last, limit=1, chosen=view.choice)),
        at_tail=at_tail and not view.listed,
        picture=run_picture(run, version, view, told_of(db, run, version, view)),
        view=view,
        asking=bool(waiting) or run.asks,
    )


def _find(db: Reading, run_id: str) -> RunDetail:
    run = find_run(db, run_id)
    if run is None:
        raise RunNotFound(run_id)
    return run
