"""The live readings: one run's journal, and the news that lists have changed."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from treadle.errors import RunNotFound
from treadle.runner.feed import Batch, follow
from treadle.store.runs import RunDetail, find_run, pulse
from treadle.store.workflows import VersionRow, find_version, find_workflow
from treadle.web.dependencies import Asking, InStudio, Studio
from treadle.web.frames import Feed, change_frames, html_frames, json_frames
from treadle.web.pictures import run_overlay
from treadle.web.running import entry_rows, run_regions
from treadle.web.telling import told_of
from treadle.web.views import View

router = APIRouter()

LastEventId = Annotated[str | None, Header(alias="Last-Event-ID")]


@router.get("/runs/{run_id}/feed")
async def run_feed(
    request: Request,
    run_id: str,
    studio: InStudio,
    session: Asking,
    after: int = 0,
    rows: bool = True,
    format: str = "html",  # noqa: A002 - the name in the URL
    last_event_id: LastEventId = None,
) -> Response:
    """Follow a run after a seq. `format=json` is for programs; `rows=false` leaves the entries out."""
    run, version, current = await run_in_threadpool(_look_up, studio, run_id)
    if last_event_id and last_event_id.isdigit():
        after = max(after, int(last_event_id))
    if not rows:
        after = max(after, run.entries)
    batches = follow(
        run_id, database=studio.database, signals=studio.signals, after=after, threads=studio.streams.threads
    )
    if format == "json":
        frames = json_frames(batches)
    else:

        def draw(batch: Batch) -> dict[str, str]:
            return run_regions(
                batch.run, batch.prompts, version=version, current=current, csrf=session.csrf, workers=batch.workers
            )

        def draw_rows(batch: Batch) -> str:
            return entry_rows(batch.entries, batch.run) if rows else ""

        def overlay(batch: Batch) -> dict[str, Any]:
            with studio.database.read() as db:
                return run_overlay(batch.run, version, told_of(db, batch.run, version, View()))

        frames = html_frames(batches, draw=draw, rows=draw_rows, overlay=overlay)
    return Feed(frames, streams=studio.streams, session_id=session.stream_key)


@router.get("/feed")
async def changes(studio: InStudio, session: Asking, seen: str = "", last_event_id: LastEventId = None) -> Response:
    """A `treadle:change` event whenever a list is out of date; `seen` is the pulse the page was made with."""

    def read_pulse() -> str:
        with studio.database.read() as db:
            return pulse(db)

    async def wait(seconds: float) -> bool:
        return await studio.signals.wait("*", timeout=seconds)

    frames = change_frames(wait, read_pulse, seen=last_event_id or seen, streams=studio.streams)
    return Feed(frames, streams=studio.streams, session_id=session.stream_key)


def _look_up(studio: Studio, run_id: str) -> tuple[RunDetail, VersionRow | None, VersionRow | None]:
    with studio.database.read() as db:
        run = find_run(db, run_id)
        if run is None:
            raise RunNotFound(run_id)
        current = find_workflow(db, run.workflow)
        return run, find_version(db, run.workflow, run.fingerprint), current.version if current else None
