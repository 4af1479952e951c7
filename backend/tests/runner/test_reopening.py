"""What a person does with a run that stopped happens once, whatever becomes of the workers meanwhile."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from treadle.errors import NotApplicable, RunNotFound
from treadle.store.care.fsck import check
from treadle.store.care.readonly import ReadOnly
from treadle.store.leases import drop_leases
from treadle.store.prompts import prompts_of
from treadle.store.versions import Versions

FLOWS = Path(__file__).parent / "reopening_flows.py"


@pytest.fixture
def folder(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    return marks


@pytest.fixture
def life(bench):
    """`async with life("w1")`: a worker lives until the end of the block; what it leaves is free at once."""

    @asynccontextmanager
    async def live(worker, *, gate=False):
        bench.flows = [FLOWS]
        async with bench.working(worker) as host:
            flows = sys.modules[type(host._catalog.workflows["Pays"].workflow).__module__]
            flows.Pays.gate = flows.Slow.gate = asyncio.Event()
            if gate:
                flows.Pays.gate.set()
            yield flows
        drop_leases(bench.database, worker)

    return live


@pytest.fixture(autouse=True)
def sound(bench):
    """At the end of every test the database holds together."""
    yield
    assert_sound(bench)


def assert_sound(bench):
    report = check(ReadOnly(bench.database.file), Versions())
    assert (report.findings, report.notes) == ([], [])


def marks(folder):
    return {path.name: len(path.read_text()) for path in folder.iterdir()}


def kinds(bench, run_id):
    return [entry["kind"] for entry in bench.entries(run_id)]


def prompts(bench, run_id):
    with bench.database.read() as connection:
        return prompts_of(connection, run_id)


def nested(bench, run_id):
    with bench.database.read() as connection:
        query = text("SELECT id FROM run WHERE parent_id = :id ORDER BY created_at")
        ids = list(connection.execute(query, {"id": run_id}).scalars())
    return [bench.run(child) for child in ids]


async def torn(bench, life, folder, workflow="Warp"):
    """A run that failed, because its thread is torn."""
    (folder / "torn").touch()
    async with life("w1"):
        run_id = bench.requests.start(workflow, {"folder": str(folder)}).run_id
        run = await bench.ended(run_id)
    assert (run["status"], run["error"]["type"]) == ("failed", "TornError")
    return run_id


async def unknown(bench, life, folder, workflow="Pays"):
    """A run whose worker ended while it paid, and that asks therefore."""
    async with life("w1"):
        run_id = bench.requests.start(workflow, {"folder": str(folder)}).run_id
        await bench.until(run_id, lambda _: "paid" in marks(folder))
    async with life("w2"):
        run = await bench.ended(run_id)
    assert run["status"] == "interrupted"
    return run_id


async def test_failed_step_is_tried_again_with_all_its_retries_and_nothing_else(bench, life, folder):
    run_id = await torn(bench, life, folder)
    assert marks(folder) == {"torn": 0, "dyed": 1, "winding": 3}
    (asked,) = prompts(bench, run_id)
    assert asked.status == "withdrawn"
    bench.requests.reopen(run_id, "retry")
    assert bench.run(run_id)["status"] == "running"
    assert_sound(bench)
    async with life("w2"):
        run = await bench.ended(run_id)
    assert (run["status"], run["error"]["type"], marks(folder)["winding"]) == ("failed", "TornError", 6)
    (folder / "torn").unlink()
    bench.requests.reopen(run_id, "retry")
    async with life("w3"):
        await bench.until(run_id, lambda row: row["status"] == "waiting" and "wound" in marks(folder))
        (again,) = prompts(bench, run_id)
        assert (again.id, again.status, list(again.expects)) == (asked.id, "open", ["Colour"])
        bench.requests.respond(run_id, again.id, {"response": "red", "name": "red"})
        run = await bench.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", ["red", 1, 1])
    assert marks(folder) == {"dyed": 1, "winding": 7, "wound": 1}
    assert kinds(bench, run_id).count("reopened") == 2


async def test_answer_that_came_when_the_run_had_just_failed_is_heard_when_it_goes_on(bench, life, folder):
    """Accepted is accepted: here before the run failed, and no worker has looked since."""
    run_id = await torn(bench, life, folder)
    (asked,) = prompts(bench, run_id)
    with bench.database.write() as connection:
        connection.execute(text("UPDATE prompt SET status = 'open'"))
    bench.requests.respond(run_id, asked.id, {"response": "", "name": "blue"})
    (folder / "torn").unlink()
    bench.requests.reopen(run_id, "retry")
    async with life("w2"):
        run = await bench.ended(run_id)
    assert (run["status"], run["result"][:2]) == ("completed", ["blue", 1])


async def test_asking_twice_is_asking_once(bench, life, folder):
    run_id = await torn(bench, life, folder)
    epoch = bench.run(run_id)["epoch"]
    bench.requests.reopen(run_id, "retry", epoch=epoch)
    bench.requests.reopen(run_id, "retry", epoch=epoch)
    bench.requests.reopen(run_id, "retry")
    async with life("w2"):
        await bench.ended(run_id)
    bench.requests.reopen(run_id, "retry", epoch=epoch)
    assert bench.run(run_id)["status"] == "failed", "that was about the first failure, and is done"
    with pytest.raises(NotApplicable, match="Look at it again"):
        bench.requests.reopen(run_id, "retry", epoch=epoch + 50)
    assert kinds(bench, run_id).count("reopened") == 1


async def test_worker_that_ends_before_it_told_the_journal_loses_nothing(bench, life, folder):
    run_id = await torn(bench, life, folder)
    (folder / "torn").unlink()
    bench.requests.reopen(run_id, "retry")
    with bench.database.write() as connection:  # claimed, and gone
        connection.execute(text("UPDATE run SET lease_owner = 'w_gone', epoch = epoch + 1, lease_until = 0"))
    assert_sound(bench)
    async with life("w2"):
        await bench.until(run_id, lambda row: row["status"] == "waiting")
        assert kinds(bench, run_id).count("reopened") == 1


async def test_cancellation_of_a_run_that_goes_on_again_is_a_new_one(bench, life, folder):
    run_id = await torn(bench, life, folder)
    with bench.database.write() as connection:  # as it was the moment before it failed
        connection.execute(text("UPDATE run SET status = 'running'"))
    bench.requests.cancel(run_id)
    with bench.database.write() as connection:
        connection.execute(text("UPDATE run SET status = 'failed'"))
    (folder / "torn").unlink()
    bench.requests.reopen(run_id, "retry")
    async with life("w2"):
        await bench.until(run_id, lambda row: row["status"] == "waiting")
        bench.requests.cancel(run_id)
        assert (await bench.ended(run_id))["status"] == "cancelled"


async def test_run_that_timed_out_has_its_time_again(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Slow", {"folder": str(folder)}).run_id
        assert (await bench.ended(run_id))["status"] == "timed_out"
    bench.requests.reopen(run_id, "retry")
    async with life("w2"):
        assert (await bench.ended(run_id))["status"] == "timed_out"
    bench.requests.reopen(run_id, "retry")
    async with life("w3") as flows:
        flows.Slow.gate.set()
        assert (await bench.ended(run_id))["result"] == "there"
    assert marks(folder) == {"crawled": 3}


async def test_retried_step_starts_its_nested_run_again(bench, life, folder):
    run_id = await torn(bench, life, folder, "Loom")
    (child,) = nested(bench, run_id)
    with pytest.raises(NotApplicable, match=f"part of run {run_id}; retry that"):
        bench.requests.reopen(child["id"], "retry")
    (folder / "torn").unlink()
    bench.requests.reopen(run_id, "retry")
    async with life("w2"):
        run = await bench.ended(run_id)
    assert (run["result"], [row["status"] for row in nested(bench, run_id)]) == ("woven", ["failed", "completed"])
    assert marks(folder) == {"thrown": 2}


async def test_step_done_at_most_once_counts_as_done_with_what_a_person_says(bench, life, folder):
    run_id = await unknown(bench, life, folder)
    run = bench.run(run_id)
    assert (run["error"]["type"], run["error"]["delivery"]) == ("StepUnknown", "2:pay")
    with pytest.raises(NotApplicable, match="answer that"):
        bench.requests.reopen(run_id, "resume")
    said = {"type": "Paid", "fields": {"folder": str(folder), "receipt": 7}}
    bench.requests.reopen(run_id, "done", event=said)
    async with life("w3"):
        run = await bench.ended(run_id)
    assert run["result"] == [7, 1], "and what it wrote stays"
    assert marks(folder) == {"ordered": 1, "paid": 1, "thanked": 1}


async def test_or_is_done_again(bench, life, folder):
    run_id = await unknown(bench, life, folder)
    bench.requests.reopen(run_id, "again")
    async with life("w3", gate=True):
        run = await bench.ended(run_id)
    assert run["result"] == [1, 1]
    assert marks(folder) == {"ordered": 1, "paid": 2, "thanked": 1}


async def test_event_that_its_class_refuses_leaves_the_question_open(bench, life, folder):
    run_id = await unknown(bench, life, folder)
    before = bench.run(run_id)
    bench.requests.reopen(run_id, "done", event={"type": "Paid", "fields": {"receipt": "none"}})
    async with life("w3"):
        run = await bench.ended(run_id)
        assert (run["status"], run["error"]) == ("interrupted", before["error"])
        assert_sound(bench)
        bench.requests.reopen(run_id, "done", event={"type": "StopEvent", "fields": {"result": "ok"}})
        assert (await bench.ended(run_id))["result"] == "ok"


async def test_question_of_a_nested_run_is_answered_there_and_the_run_around_it_goes_on(bench, life, folder):
    run_id = await unknown(bench, life, folder, "PaysInside")
    (child,) = nested(bench, run_id)
    assert (child["status"], child["error"]["type"]) == ("interrupted", "StepUnknown")
    said = {"type": "Paid", "fields": {"folder": str(folder), "receipt": 9}}
    bench.requests.reopen(child["id"], "done", event=said)
    assert_sound(bench)
    async with life("w3"):
        assert (await bench.ended(run_id))["result"] == [9, 1]
    assert marks(folder)["paid"] == 1


async def test_nested_run_that_is_given_up_fails_the_step_around_it(bench, life, folder):
    run_id = await unknown(bench, life, folder, "PaysInside")
    (child,) = nested(bench, run_id)
    bench.requests.give_up(child["id"])
    assert_sound(bench)
    async with life("w3"):
        run = await bench.ended(run_id)
    assert (run["status"], run["error"]["step"]) == ("failed", "shop")
    assert "Given up by a person" in run["error"]["message"]
    assert marks(folder)["paid"] == 1
    bench.requests.reopen(run_id, "retry")
    async with life("w4", gate=True):
        assert (await bench.ended(run_id))["result"] == [1, 1]


async def test_run_given_up_has_failed_with_everything_inside_it(bench, life, folder):
    run_id = await unknown(bench, life, folder, "PaysInside")
    bench.requests.give_up(run_id)
    bench.requests.give_up(run_id)
    (child,) = nested(bench, run_id)
    run = bench.run(run_id)
    assert (run["status"], child["status"]) == ("failed", "cancelled")
    assert run["error"]["message"].endswith("Given up by a person.")
    assert kinds(bench, run_id).count("given_up") == 1
    assert run["ended_at"] is not None


async def test_what_makes_no_sense_is_refused_with_what_does(bench, life, folder):
    async with life("w1"):
        done = bench.requests.start("Weft", {"folder": str(folder)}).run_id
        stalled = bench.requests.start("Stalls", {"folder": str(folder)}).run_id
        unborn = bench.requests.start("Weft", {}).run_id
        for run_id in (done, stalled, unborn):
            await bench.ended(run_id)
    for run_id, decision, why in (
        (done, "retry", "is completed; only a failed or timed out run"),
        (done, "resume", "is completed; only an interrupted run"),
        (done, "again", "does not ask"),
        (stalled, "retry", "no step of it failed"),
        (stalled, "resume", "retry it instead"),
        (unborn, "retry", "it never began"),
    ):
        with pytest.raises(NotApplicable, match=why):
            bench.requests.reopen(run_id, decision)
    with pytest.raises(NotApplicable, match="over already"):
        bench.requests.give_up(done)
    with pytest.raises(RunNotFound):
        bench.requests.reopen("r_none", "retry")
    with pytest.raises(RunNotFound):
        bench.requests.give_up("r_none")
