"""Feeds: everything after a seq, once, in order, drawn as the page draws it."""

from __future__ import annotations

import json
from contextlib import aclosing

from sqlalchemy import update
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from treadle.runner.feed import BATCH, follow
from treadle.runner.signals import Signals
from treadle.store.database import Database
from treadle.web.frames import Streams, change_frames

from .conftest import Rows


async def test_feed_tells_old_entries_in_batches_then_ends(rows: Rows, database: Database, signals: Signals) -> None:
    rows.run("r_1", entries=BATCH + 7)
    rows.entries("r_1", 1, BATCH + 7)
    batches = [batch async for batch in follow("r_1", database=database, signals=signals, after=3)]
    assert [len(batch.entries) for batch in batches] == [BATCH, 4]
    assert batches[0].entries[0].seq == 4 and batches[-1].last and not batches[0].last


async def test_feed_goes_on_with_what_is_written_later(rows: Rows, database: Database, signals: Signals) -> None:
    rows.run("r_1", "running", entries=1)
    rows.entries("r_1", 1, 1)
    async with aclosing(follow("r_1", database=database, signals=signals, after=0)) as batches:
        assert [entry.seq for entry in (await anext(batches)).entries] == [1]
        rows.entries("r_1", 2, 3)
        assert [entry.seq for entry in (await anext(batches)).entries] == [2, 3]
        run = SQLModel.metadata.tables["run"]
        with database.write() as db:
            db.execute(update(run).values(status="completed"))
        last = await anext(batches)
        assert last.last and last.entries == () and last.run.status == "completed"


def test_feed_sends_the_pages_own_rows(studio: TestClient, rows: Rows) -> None:
    rows.run("r_1", entries=3, result=json.dumps("woven"))
    rows.entries("r_1", 1, 3)
    stream = studio.get("/runs/r_1/feed?after=0", headers={"last-event-id": "1"}).text
    page = studio.get("/runs/r_1").text
    row = page[page.index('<li id="e3"') : page.index("</li>", page.index('<li id="e3"'))]
    told = "\n".join(line.removeprefix("data: ") for line in stream.splitlines() if line.startswith("data: "))
    assert row.split("<time")[0] in told and 'id="e1"' not in told
    assert "id: 3" in stream and "event: treadle:counts" in stream and "event: treadle:end" in stream
    assert 'hx-target="#run-outcome"' in told and "woven" in told


def test_feed_speaks_json_to_programs(program: TestClient, rows: Rows) -> None:
    rows.run("r_1", entries=2)
    rows.entries("r_1", 1, 2)
    stream = program.get("/runs/r_1/feed?format=json&after=1").text
    data = json.loads(next(line for line in stream.splitlines() if line.startswith("data: ")).removeprefix("data: "))
    assert [event["seq"] for event in data["events"]] == [2] and data["run"]["status"] == "completed"


def test_feed_refuses_one_stream_too_many(studio: TestClient, rows: Rows) -> None:
    rows.run("r_1")
    studio.app._app.state.studio.streams._in_all = 0  # type: ignore[attr-defined]
    answer = studio.get("/runs/r_1/feed")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "5"


async def test_changes_are_told_even_when_nudges_are_lost() -> None:
    pulses = iter(["a", "a", "b"])

    async def never(seconds: float) -> bool:
        return False

    async with aclosing(change_frames(never, lambda: next(pulses), seen="a", streams=Streams())) as frames:
        assert (await anext(frames)).id == "b"
