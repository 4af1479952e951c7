"""Whatever a step puts into the context or an event comes back from the journal exactly, or is told to be lost."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import storable
from hypothesis import given
from hypothesis import strategies as st
from keeping import Keeping
from storable import Note, same
from strange import KEYS, VALUES
from strategies import examples

from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step
from treadle.engine import ticks
from treadle.engine.readers import from_record
from treadle.engine.records import to_record
from treadle.engine.serializers import decode, encode, from_json, to_json
from treadle.engine.snapshot import from_snapshot, to_snapshot
from treadle.errors import ValueNotStorable
from treadle.store.snapshots import read_context

KEY = (3, "step")


@examples(120)
@given(VALUES)
def test_value_comes_back_as_it_was(value):
    assert same(value, value)
    written = to_json(value)
    assert written.isascii()
    back = from_json(written)
    assert same(back, value), (written, back)
    assert to_json(value, lost=(lost := [])) == written and lost == []


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
"""Names of fields: pydantic takes any text but one that no encoding can carry."""


@examples(60)
@given(VALUES)
def test_encoded_value_is_plain_data_of_its_own(value):
    data = encode(value)
    before = json.dumps(data)
    assert same(decode(json.loads(before)), value)
    assert same(decode(data), value)
    assert json.dumps(data) == before


@examples(60)
@given(st.dictionaries(NAMES, VALUES, max_size=4), VALUES, KEYS)
def test_event_comes_back_as_it_was(fields, value, key):
    event = Note(text=value, **fields)
    event.set("keyed", {key: value})
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


@examples(15)
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
    keeping = Keeping(f"sqlite:///{file}")
    kept = keeping.start(workflow, context={"before": value}, value=value)
    outcome = await kept.outcome()
    assert outcome.status == "completed", outcome
    await keeping.writer.close()
    folded = kept.folded()
    keeping.database.close()
    assert folded.size == kept.state.size
    routes, types = workflow.table.routes, workflow.event_types()
    return kept.state, folded, from_snapshot(json.loads(json.dumps(to_snapshot(kept.state))), routes, types)


class Client:
    """Nothing that could be stored."""


class Uses(Workflow):
    """Has a client where its start event says, then asks."""

    @step
    async def take(self, ctx: Context, ev: StartEvent) -> Carried | InputRequiredEvent | StopEvent:
        match ev.where:
            case "context":
                await ctx.set("tools", {"http": [Client()]})
            case "replaced":
                await ctx.set("tools", Client())
                await ctx.set("tools", "none")
            case "event":
                return Carried(value=(1, Client()))
            case "passing":
                ctx.send_event(Carried(value=Client()))
            case "stream":
                ctx.write_event_to_stream(Carried(value=Client()))
            case "prompt":
                return InputRequiredEvent(prefix="?", client=Client())
            case "result":
                return StopEvent(result=Client())
            case "local":
                class Local(Event):
                    pass

                ctx.write_event_to_stream(Local())
                ctx.send_event(Local())
        return InputRequiredEvent(prefix="?")

    @step
    async def use(self, ctx: Context, ev: Carried) -> InputRequiredEvent | None:
        if isinstance(ev.value, tuple):
            ctx.collect_events(ev, [Carried] * 2)
            return InputRequiredEvent(prefix="?")
        return None

    @step
    async def hear(self, ctx: Context, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=ev.response)


@pytest.fixture
async def keeping(tmp_path: Path) -> AsyncIterator[Keeping]:
    made = Keeping(f"sqlite:///{tmp_path / 'treadle.db'}")
    yield made
    await made.close()


REMEDY = "make it a resource of the step, Annotated[Client, Resource(factory)], or keep what it is built from."
HELD = {
    "context": ("Context, set by step take: tools.http[0]", "tools", None, "tools.http[0]"),
    "event": ("Event Carried from step take: value[1]", None, "Carried", "value[1]"),
    "prompt": ("Event InputRequiredEvent from step take: client", None, "InputRequiredEvent", "client"),
}


@pytest.mark.parametrize("where", HELD)
async def test_value_that_cannot_be_stored_works_and_is_told_as_what_a_restart_would_lose(keeping, where):
    kept = keeping.start(Uses(), where=where)
    await kept.until("waiting")
    told, key, event, path = HELD[where]
    found = kept.remarks()["not_resumable"]
    assert found["message"] == f"{told} is a test_values.Client, which has no exact form on disk; {REMEDY}"
    assert (found["key"], found["event"], found["path"]) == (key, event, path)
    assert (found["step"], found["type"]) == ("take", "test_values.Client")
    with pytest.raises(ValueNotStorable, match="^" + re.escape(found["message"]) + "$"):
        kept.folded()
    kept.loop.respond(HumanResponseEvent(response="on"), prompt=next(iter(kept.state.prompts)))
    assert (await kept.outcome()).event.result == "on"
    assert (kept.remarks().get("not_resumable") is not None) == (where == "context")


@pytest.mark.parametrize("where", ["replaced", "passing", "stream"])
async def test_run_that_needs_it_no_longer_goes_on_after_a_restart(keeping, where):
    kept = keeping.start(Uses(), where=where)
    await kept.until("waiting")
    assert kept.remarks().get("not_resumable") is None
    again = keeping.resume(kept)
    again.loop.respond(HumanResponseEvent(response="on"), prompt=next(iter(again.state.prompts)))
    assert (await again.outcome()).event.result == "on"


async def test_event_class_that_could_not_be_found_again_is_told(keeping):
    kept = keeping.start(Uses(), where="local")
    await kept.until("waiting")
    message = kept.remarks()["not_resumable"]["message"]
    assert message.startswith("Event Local from step take: its class test_values.Uses.take.<locals>.Local is not found")
    assert message.endswith("define it at the top level of a file, not inside a function.")
    with pytest.raises(ValueNotStorable, match=r"^Event Local from step take: its class"):
        kept.folded()


async def test_result_that_cannot_be_stored_is_shown(keeping):
    kept = keeping.start(Uses(), where="result")
    assert (await kept.outcome()).status == "completed"
    assert kept.payloads("step_finished")[0]["result"]["$"] == "lost"
    assert "Client object at" in kept.payloads("step_finished")[0]["result"]["shown"]


async def test_nothing_is_decided_by_a_value_that_is_not_there(keeping):
    """Which event a step waited for is not known when the value it was told by was not stored."""
    client = Client()

    class Waits(Workflow):
        @step
        async def wait(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.wait_for_event(Carried, requirements={"value": client})
            await ctx.wait_for_event(Carried, InputRequiredEvent(prefix="?"))
            return StopEvent()

    kept = keeping.start(Waits())
    await kept.until("waiting")
    kept.loop.outbox.send(Carried(value=client), target=None, delivery=None, index=0)
    await kept.loop.written()
    assert len(kept.state.prompts) == 1
    with pytest.raises(ValueNotStorable, match="Client, which has no exact form"):
        kept.folded()


class Turns(Workflow):
    """Asks, takes a client into its context, asks again."""

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> InputRequiredEvent:
        await ctx.set("turn", 1)
        return InputRequiredEvent(prefix="?")

    @step
    async def hear(self, ctx: Context, ev: HumanResponseEvent) -> InputRequiredEvent:
        await ctx.set("client", Client())
        return InputRequiredEvent(prefix="??")


async def test_context_is_continued_as_it_is_or_not_at_all(keeping):
    """Not as it was before something came in that cannot be stored."""
    kept = keeping.start(Turns())
    await kept.until("waiting")
    assert read_context(keeping.database, kept.run_id) == {"turn": 1}
    kept.loop.respond(HumanResponseEvent(response="on"), prompt=next(iter(kept.state.prompts)))
    await kept.until("waiting", entries=4)
    with pytest.raises(ValueNotStorable, match=r"^Run r1 left no context .*: Context, set by step hear: client"):
        read_context(keeping.database, kept.run_id)


def test_classes_of_one_name_are_told_apart():
    """An event goes by its name only if that is the class which the name will lead to."""
    theirs = type("Carried", (Event,), {"__module__": "elsewhere"})
    event = storable.Note(text=1)
    for types, detail in (({"Note": storable.Note}, None), ({}, "storable:Note"), ({"Note": theirs}, "storable:Note")):
        record = to_record(1, ticks.StepFinished(1.0, KEY, event), types)
        assert (json.loads(record.detail)["class"] if record.detail and "class" in record.detail else None) == detail
        assert type(from_record(record, types).event) is storable.Note
