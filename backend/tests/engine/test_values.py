"""Whatever a step puts into the context or an event comes back from the journal exactly, or is told to be lost."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from storable import Note, same
from strange import KEYS, VALUES
from strategies import examples

from treadle import Context, Event, StartEvent, StopEvent, Workflow, step
from treadle.engine import ticks
from treadle.engine.loop import RunLoop
from treadle.engine.readers import from_record
from treadle.engine.records import to_record
from treadle.engine.replay import fold_records
from treadle.engine.serializers import decode, encode, from_json, to_json
from treadle.engine.snapshot import from_snapshot, to_snapshot
from treadle.resources import MIGRATIONS
from treadle.store.database import Database
from treadle.store.journal import StoredJournal, read_records
from treadle.store.leases import claim
from treadle.store.migrations import migrate
from treadle.store.writer import Writer

KEY = (3, "step")


@examples(400)
@given(VALUES)
def test_value_comes_back_as_it_was(value):
    assert same(value, value)
    written = to_json(value)
    assert written.isascii()
    back = from_json(written)
    assert same(back, value), (written, back)
    assert to_json(value, lost=(lost := [])) == written and lost == []


@examples(200)
@given(VALUES)
def test_encoded_value_is_plain_data_of_its_own(value):
    data = encode(value)
    before = json.dumps(data)
    assert same(decode(json.loads(before)), value)
    assert same(decode(data), value)
    assert json.dumps(data) == before


@examples(200)
@given(st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=5), VALUES, max_size=4), VALUES, KEYS)
def test_event_comes_back_as_it_was(fields, value, key):
    event = Note.model_construct(**{name: item for name, item in fields.items() if name.isidentifier()})
    event.set("extra", value)
    event.set("keyed", {key: value})
    for name, item in fields.items():
        event.set(name, item)
    for tick in (
        ticks.StepFinished(1.0, KEY, event),
        ticks.EventSent(1.0, event, "step", KEY, 2),
        ticks.RunStarted(1.0, event, {"a": value, **fields}),
        ticks.WaitStarted(1.0, KEY, "Note", {"a": value, **fields}, float("inf"), event),
        ticks.ContextChanged(1.0, KEY, "\ud83d\ude00", [value]),
        ticks.ResultKept(1.0, KEY, "k", event),
    ):
        record = to_record(7, tick, {"Note": Note}, lost := [])
        assert lost == []
        assert (record.payload or "").isascii() and (record.detail or "").isascii()
        back = from_record(record, {"Note": Note})
        assert same(_parts(back), _parts(tick)), record


def _parts(tick: Any) -> list[Any]:
    return [getattr(tick, name) for name in tick.__dataclass_fields__]


class Carried(Event):
    value: Any


class Carrier(Workflow):
    """Puts a value everywhere a run keeps one."""

    value: Any = None

    @step
    async def put(self, ctx: Context, ev: StartEvent) -> Carried:
        await ctx.set("value", self.value)
        await ctx.run_once("kept", lambda: self.value)
        ctx.send_event(Carried(value=[self.value]))
        return Carried(value=self.value)

    @step
    async def gather(self, ctx: Context, ev: Carried) -> StopEvent | None:
        found = ctx.collect_events(ev, [Carried] * 2)
        return StopEvent(result=[event.value for event in found]) if found else None


@examples(40)
@given(VALUES)
def test_run_on_a_real_file_folds_into_what_it_was(value):
    """Through SQLite, read by another connection; saved as data, too."""
    with tempfile.TemporaryDirectory() as folder:
        live, folded, snapshot = asyncio.run(_run(Path(folder) / "treadle.db", value))
    assert same(folded.context, live.context)
    assert same(folded.outcome.event, live.outcome.event)
    assert same(snapshot.context, live.context)
    assert same(snapshot.outcome.event, live.outcome.event)


async def _run(file: Path, value: Any) -> tuple[Any, Any, Any]:
    workflow = Carrier()
    workflow.value = value
    database = Database(f"sqlite:///{file}", full=False)
    migrate(database, MIGRATIONS)
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO run (id, workflow, fingerprint, status, held, created_at, entries, counts, queue,"
                " lease_until, epoch) VALUES ('r', 'Carrier', '', 'running', 0, 0, 0, '{}', '[]', 0, 0)"
            )
        )
    (claimed,) = claim(database, "w", workflows=["Carrier"], now=time.time(), seconds=60, limit=1)
    writer = Writer(database, committed=lambda runs: None)
    types, routes = workflow.event_types(), workflow.table.routes
    journal = StoredJournal(writer, "r", epoch=claimed.epoch, owner="w", types=types)
    ended = asyncio.get_running_loop().create_future()
    loop = RunLoop(
        workflow.table, run_id="r", clock=time.time, ended=lambda outcome, error: ended.set_result(outcome), journal=journal
    )
    journal.state = loop.state
    loop.start(StartEvent(value=value), context={"before": value})
    outcome = await ended
    assert outcome.status == "completed", outcome
    await writer.close()
    database.close()
    again = Database(f"sqlite:///{file}", full=False)
    try:
        folded = fold_records(read_records(again, "r"), routes, types)
    finally:
        again.close()
    assert folded.size == loop.state.size
    return loop.state, folded, from_snapshot(json.loads(json.dumps(to_snapshot(loop.state))), routes, types)
