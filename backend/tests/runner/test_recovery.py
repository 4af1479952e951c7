"""What a run was in the middle of when its worker ended is there for the next one, and nothing is done twice."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from treadle.store.leases import drop_leases
from treadle.store.prompts import prompts_of

FLOWS = Path(__file__).parent / "recovery_flows.py"


@pytest.fixture
def folder(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    return marks


@pytest.fixture
def life(bench):
    """`async with life("w1")`: a worker lives until the end of the block; what it leaves is free at once."""

    @asynccontextmanager
    async def live(worker):
        bench.flows = [FLOWS]
        async with bench.working(worker) as host:
            sys.modules[type(host._catalog.workflows["Joins"].workflow).__module__].Joins.gate = asyncio.Event()
            yield
        drop_leases(bench.database, worker)

    return live


def marks(folder):
    return {path.name: len(path.read_text()) for path in folder.iterdir()}


def prompts(bench, run_id):
    with bench.database.read() as connection:
        return prompts_of(connection, run_id)


async def test_waiting_step_runs_again_from_its_top_and_does_nothing_twice(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Waits", {"folder": str(folder)}).run_id
        await bench.until(run_id, lambda row: row["status"] == "waiting")
    (before,) = prompts(bench, run_id)
    (schema,) = before.expects.values()
    assert (list(before.expects), list(schema["properties"])) == (["Name"], ["response", "name"])
    assert schema["required"] == ["name"], "what the step requires anyway is not asked for"
    async with life("w2"):
        await bench.until(run_id, lambda row: row["entries"] > before.id and row["lease_owner"] == "w2")
        assert prompts(bench, run_id) == (before,)
        bench.requests.respond(run_id, before.id, {"name": "madder"}, response_type="Name")
        run = await bench.ended(run_id)
    assert run["result"] == ["[1, 2]", "madder 1 1"], "sent once, paid once, and the count of the first attempt undone"
    assert marks(folder) == {"top": 2, "paid": 1}
    (after,) = prompts(bench, run_id)
    assert (after.id, after.status, after.response) == (before.id, "answered", {"name": "madder"})
    kinds = [entry["kind"] for entry in bench.entries(run_id)]
    assert (kinds.count("wait_started"), kinds.count("collected"), kinds.count("result_kept")) == (1, 4, 1)


async def test_response_that_is_not_what_the_step_waits_for_leaves_the_prompt_open(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Waits", {"folder": str(folder)}).run_id
        await bench.until(run_id, lambda row: row["status"] == "waiting")
        (prompt,) = prompts(bench, run_id)
        bench.requests.respond(run_id, prompt.id, {"response": "x"}, response_type="HumanResponseEvent")
        await bench.until(run_id, lambda _: prompts(bench, run_id)[0].status == "open")
        bench.requests.respond(run_id, prompt.id, {"name": "woad"})
        assert (await bench.ended(run_id))["result"][1] == "woad 1 1"


async def test_wait_that_was_due_while_nobody_was_there_times_out_at_once(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Waits", {"folder": str(folder), "patience": 60.0}).run_id
        await bench.until(run_id, lambda row: row["status"] == "waiting")
    past = json.dumps({"expected": "Name", "due": time.time() - 5, "requirements": {"thread": "red"}})
    with bench.database.write() as connection:  # as if a minute had gone by
        connection.execute(text("UPDATE entry SET detail = :past WHERE kind = 'wait_started'"), {"past": past})
    async with life("w2"):
        run = await bench.ended(run_id)
    assert run["result"] == ["[1, 2]", "nobody"]
    (prompt,) = prompts(bench, run_id)
    assert prompt.status == "withdrawn"


async def test_half_full_join_is_as_full_in_the_next_worker(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Joins", {"folder": str(folder)}).run_id
        row = await bench.until(run_id, lambda row: "weave" in json.loads(row["counts"]).get("joins", {}))
        assert json.loads(row["counts"])["joins"]["weave"] == {"have": 1, "need": 2, "waiting_for": ["Weft"]}
        await bench.until(run_id, lambda _: "weft" in marks(folder))
    async with life("w2"):
        assert (await bench.ended(run_id))["result"] == [1, 2]
    assert marks(folder) == {"warp": 1, "weft": 2}


async def test_run_begins_with_the_defaults_of_its_typed_state(bench, life):
    async with life("w1"):
        first = bench.requests.start("Typed", {}).run_id
        assert (await bench.ended(first))["result"] == 8
        second = bench.requests.start("Typed", {}, continued_from=first).run_id
        assert (await bench.ended(second))["result"] == 9
