"""Nested runs in the studio: runs of their own, attached to the run around them, started once whatever happens."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from treadle.store.leases import drop_leases
from treadle.store.prompts import open_prompts
from treadle.store.workflows import find_version

NESTED = Path(__file__).parent / "nested_flows.py"


@pytest.fixture
def folder(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    return marks


@pytest.fixture
def life(bench):
    """`async with life("w1") as flows`: a worker lives until the end of the block; what it leaves is free at once."""

    @asynccontextmanager
    async def live(worker):
        bench.flows = [NESTED]
        async with bench.working(worker) as host:
            flows = sys.modules[type(host._catalog.workflows["Outer"].workflow).__module__]
            for workflow in (flows.Inner, flows.Behind, flows.Catching, flows.Few):
                workflow.gate = asyncio.Event()
            flows.Inner.at_gate = asyncio.Event()
            yield flows
        drop_leases(bench.database, worker)

    return live


def marks(folder):
    return {path.name: len(path.read_text()) for path in folder.iterdir()}


def nested(bench, run_id):
    query = text("SELECT * FROM run WHERE parent_id = :id ORDER BY created_at, parent_call")
    with bench.database.read() as connection:
        return [dict(row) for row in connection.execute(query, {"id": run_id}).mappings()]


def kinds(bench, run_id):
    return [entry["kind"] for entry in bench.entries(run_id)]


async def inside(bench, run_id, reached, *, count=1):
    """The nested runs of a run, once there are `count` for which `reached` holds."""
    await bench.until(run_id, lambda _: sum(map(reached, nested(bench, run_id))) >= count)
    return nested(bench, run_id)


def alter(bench, statement, **values):
    with bench.database.write() as connection:
        connection.execute(text(statement), values)


def crash(bench, worker):
    """Say that the worker did not end in peace."""
    row = "INSERT INTO worker (id, name, pid, started_at, heartbeat_at, exit) VALUES (:id, '', 0, 0, 0, 'exit 7')"
    alter(bench, row, id=worker)


async def test_nested_run_is_a_run_of_its_own_attached_to_its_parent(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Outer", {"folder": str(folder), "names": ["warp", "heddle"]}).run_id
        run = await bench.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", ["Found", [4, 6], 1])
    first, second = nested(bench, run_id)
    for call, row in enumerate((first, second)):
        assert (row["parent_seq"], row["parent_step"], row["parent_call"]) == (1, "ask_around", call)
        assert (row["workflow"], row["fingerprint"]) == ("Inner", run["fingerprint"])
        assert (row["status"], row["epoch"], row["lease_owner"], row["held"]) == ("completed", 1, None, False)
    assert json.loads(second["result"]) == {"result": None, "name": "heddle", "length": 6}
    assert kinds(bench, first["id"]) == ["run_started", "context_changed", "step_finished", "step_finished"]
    told = [json.loads(entry["payload"]) for entry in bench.entries(run_id) if entry["kind"].startswith("child")]
    assert told == [
        {"call": 0, "workflow": "Inner", "run_id": first["id"]}, {"call": 0, "status": "completed"},
        {"call": 1, "workflow": "Inner", "run_id": second["id"]}, {"call": 1, "status": "completed"},
    ]  # fmt: skip


async def test_taken_up_parent_finds_the_runs_it_has_started(bench, life, folder):
    """The first has ended, the second is in the middle of a step, the third is yet to come."""
    fields = {"folder": str(folder), "names": ["one", "two", "three"], "pause": ["two"]}
    async with life("w1"):
        run_id = bench.requests.start("Outer", fields).run_id
        await bench.until(run_id, lambda _: "find two" in marks(folder))
    before = nested(bench, run_id)
    assert [row["status"] for row in before] == ["completed", "running"]
    assert kinds(bench, before[1]["id"])[-1] != "run_cancelled", "a worker that stops cancels nothing"
    async with life("w2"):
        run = await bench.ended(run_id)
    assert run["result"] == ["Found", [3, 3, 5], 1]
    first, second, third = nested(bench, run_id)
    assert (first["id"], second["id"]) == (before[0]["id"], before[1]["id"])
    assert [row["status"] for row in (first, second, third)] == ["completed"] * 3
    assert [row["epoch"] for row in (first, second, third)] == [1, 2, 1]
    assert bench.entries(first["id"])[-1]["kind"] == "step_finished", "nothing was added to the one that had ended"
    assert kinds(bench, second["id"]).count("resumed") == 1
    done = {"look one": 1, "find one": 1, "look two": 1, "find two": 2, "look three": 1, "find three": 1, "asked": 1}
    assert marks(folder) == done


async def test_runs_started_from_tasks_are_found_again_in_whatever_order(bench, life, folder):
    fields = {"folder": str(folder), "names": ["loom", "reed"], "pause": ["loom", "reed"]}
    async with life("w1"):
        run_id = bench.requests.start("Chatty", fields).run_id
        await bench.until(run_id, lambda _: {"find loom", "find reed"} <= marks(folder).keys())
    before = nested(bench, run_id)
    async with life("w2"):
        run = await bench.ended(run_id)
    assert marks(folder)["gather"] == 2
    assert run["result"] == [["loom", "loom"], ["reed", "reed"]]
    assert {row["id"] for row in nested(bench, run_id)} == {row["id"] for row in before}
    assert marks(folder)["look loom"] == marks(folder)["look reed"] == 1


async def test_chain_of_nested_runs_is_taken_up_as_one(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Deep", {"folder": str(folder), "depth": 3}).run_id
        await bench.until(run_id, lambda _: "bottom" in marks(folder))
        chain = [run_id]
        while below := nested(bench, chain[-1]):
            chain.append(below[0]["id"])
    assert len(chain) == 4
    async with life("w2") as flows:
        flows.Inner.gate.set()
        run = await bench.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", 3)
    for above, below in zip(chain, [*chain[1:], None], strict=True):
        assert [row["id"] for row in nested(bench, above)] == ([below] if below else [])
        assert (bench.run(above)["status"], bench.run(above)["epoch"]) == ("completed", 2)


async def test_prompt_of_a_nested_run_is_in_the_inbox_and_is_answered_there(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("AskOutside", {"folder": str(folder)}).run_id
        (child,) = await inside(bench, run_id, lambda row: row["status"] == "waiting")
        assert bench.run(run_id)["status"] == "running"
    with bench.database.read() as connection:
        (prompt,) = open_prompts(connection)
    assert (prompt.run_id, prompt.prefix) == (child["id"], "How many?")
    bench.requests.respond(prompt.run_id, prompt.id, {"response": "41"})
    async with life("w2"):
        assert (await bench.ended(run_id))["result"] == 42
    assert marks(folder) == {"ask": 1}


async def test_time_of_a_run_does_not_count_while_the_one_inside_waits_for_a_person(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("AskOutside", {"folder": str(folder)}).run_id
        await bench.until(run_id, lambda _: "child_changed" in kinds(bench, run_id))
        assert not bench.host.runs[run_id].loop.state.busy
    async with life("w2"):
        await bench.until(run_id, lambda _: kinds(bench, run_id).count("child_changed") == 2)
        assert not bench.host.runs[run_id].loop.state.busy
        with bench.database.read() as connection:
            (prompt,) = open_prompts(connection)
        bench.requests.respond(prompt.run_id, prompt.id, {"response": "41"})
        assert (await bench.ended(run_id))["result"] == 42
    told = [entry for entry in bench.entries(run_id) if entry["kind"].startswith("child")]
    statuses = [json.loads(entry["payload"]).get("status") for entry in told]
    assert statuses == [None, "waiting", "waiting", "running", "completed"]


async def test_nested_run_of_a_live_worker_is_answered_and_cancelled_like_any_other(bench, life, folder):
    async with life("w1"):
        first = bench.requests.start("AskOutside", {"folder": str(folder)}).run_id
        (child,) = await inside(bench, first, lambda row: row["status"] == "waiting")
        with bench.database.read() as connection:
            (prompt,) = open_prompts(connection)
        bench.requests.respond(child["id"], prompt.id, {"response": "1"})
        assert (await bench.ended(first))["result"] == 2
        second = bench.requests.start("AskOutside", {"folder": str(folder)}).run_id
        (child,) = await inside(bench, second, lambda row: row["status"] == "waiting")
        bench.requests.cancel(child["id"])
        run = await bench.ended(second)
    assert (run["status"], run["error"]["type"], run["error"]["step"]) == (
        "failed", "WorkflowCancelledByUser", "delegate",
    )  # fmt: skip


async def test_end_of_a_run_cancels_those_inside_it(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("AskOutside", {"folder": str(folder)}).run_id
        (child,) = await inside(bench, run_id, lambda row: row["status"] == "waiting")
        bench.requests.cancel(run_id)
        await bench.ended(run_id)
        await bench.ended(child["id"])
    assert kinds(bench, child["id"])[-1] == "run_cancelled"
    with bench.database.read() as connection:
        assert open_prompts(connection) == ()


async def test_crash_between_the_end_of_a_run_and_that_of_those_inside_leaves_nobody_running(bench, life, folder):
    async with life("w1"):
        asking = bench.requests.start("AskOutside", {"folder": str(folder)}).run_id
        deep = bench.requests.start("Deep", {"folder": str(folder), "depth": 2}).run_id
        (child,) = await inside(bench, asking, lambda row: row["status"] == "waiting")
        await bench.until(deep, lambda _: "bottom" in marks(folder))
    for run_id in (asking, deep):
        alter(bench, "UPDATE run SET status = 'cancelled', lease_owner = NULL WHERE id = :id", id=run_id)
    (below,) = nested(bench, deep)
    (bottom,) = nested(bench, below["id"])
    async with life("w2"):
        for row in (child, below, bottom):
            ended = await bench.ended(row["id"])
            assert (ended["status"], ended["lease_owner"]) == ("cancelled", None)
            assert ended["ended_at"] is not None
            assert [entry["seq"] for entry in bench.entries(row["id"])] == list(range(1, ended["entries"] + 1))
            assert kinds(bench, row["id"])[-1] == "run_cancelled"
            assert all(step["running"] == 0 for step in json.loads(ended["counts"])["steps"].values())
    with bench.database.read() as connection:
        assert open_prompts(connection) == ()


async def test_runs_inside_an_interrupted_one_are_interrupted(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Deep", {"folder": str(folder), "depth": 2}).run_id
        await bench.until(run_id, lambda _: "bottom" in marks(folder))
    alter(bench, "UPDATE run SET status = 'interrupted', lease_owner = NULL WHERE id = :id", id=run_id)
    (below,) = nested(bench, run_id)
    (bottom,) = nested(bench, below["id"])
    async with life("w2"):
        ended = await bench.ended(bottom["id"])
    assert ended["status"] == "interrupted"
    assert below["id"] in ended["error"]["message"]
    assert kinds(bench, bottom["id"])[-1] != "run_cancelled"


async def test_failed_nested_run_is_started_anew_by_the_next_attempt(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Stubborn", {"folder": str(folder)}).run_id
        run = await bench.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", "steady")
    assert [(row["parent_call"], row["status"]) for row in nested(bench, run_id)] == [(0, "failed"), (0, "completed")]


async def test_step_that_is_tried_again_while_a_run_goes_on_inside_gets_that_run(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Impatient", {"folder": str(folder), "anew": False}).run_id
        run = await bench.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", "slow")
    assert [(row["parent_call"], row["status"]) for row in nested(bench, run_id)] == [(0, "completed")]
    assert marks(folder) == {"hurry": 2, "look slow": 1, "find slow": 1}


async def test_step_that_is_tried_again_with_another_instance_never_has_two_runs_going_on(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Impatient", {"folder": str(folder), "anew": True}).run_id
        run = await bench.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", "slow")
    rows = nested(bench, run_id)
    assert [row["status"] for row in rows].count("completed") == 1
    assert {row["status"] for row in rows} <= {"completed", "cancelled"}
    assert all(row["parent_call"] == 0 for row in rows)


async def test_failure_inside_that_a_step_lives_with_is_not_tried_again_after_a_crash(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Catching", {"folder": str(folder)}).run_id
        await bench.until(run_id, lambda _: "caught" in marks(folder))
    async with life("w2"):
        run = await bench.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", "managed without: not yet")
    assert marks(folder) == {"shake": 1, "caught": 2}
    assert len(nested(bench, run_id)) == 1
    assert kinds(bench, run_id).count("child_started") == kinds(bench, run_id).count("child_ended") == 1


async def test_run_that_goes_on_behind_its_step_does_so_in_the_next_worker(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Behind", {"folder": str(folder)}).run_id
        await bench.until(run_id, lambda _: {"find behind", "wait"} <= marks(folder).keys())
    async with life("w2") as flows:
        await inside(bench, run_id, lambda row: row["status"] == "completed")
        await bench.until(run_id, lambda _: "child_ended" in kinds(bench, run_id))
        flows.Behind.gate.set()
        assert (await bench.ended(run_id))["result"] == "over"
    assert kinds(bench, run_id).count("child_started") == kinds(bench, run_id).count("child_ended") == 1
    assert marks(folder)["look behind"] == 1


async def test_old_owner_bears_no_run(bench, life, folder):
    """A worker whose run was taken over cannot start a nested one, though it does not know yet."""
    fields = {"folder": str(folder), "names": ["one", "two"], "pause": ["one"]}
    async with life("w1") as flows:
        run_id = bench.requests.start("Outer", fields).run_id
        await bench.until(run_id, lambda _: "find one" in marks(folder))
        alter(bench, "UPDATE run SET epoch = epoch + 1, lease_owner = 'w_new', lease_until = 9e12 WHERE id = :id",
              id=run_id)  # fmt: skip
        flows.Inner.gate.set()
        host = bench.host
        await bench.until(run_id, lambda _: not host.runs)
        assert [row["parent_call"] for row in nested(bench, run_id)] == [0]
        assert "look two" not in marks(folder)
        assert bench.run(run_id)["status"] == "running"


async def test_version_of_a_workflow_nobody_publishes_comes_with_its_run(bench, life):
    async with life("w1"):
        run_id = bench.requests.start("Finds", {}).run_id
        assert (await bench.ended(run_id))["result"] == ["hidden", "made"]
    rows = nested(bench, run_id)
    assert [row["workflow"] for row in rows] == ["Hidden", "Made"]
    with bench.database.read() as connection:
        for row, step in zip(rows, ("hide", "make"), strict=True):
            version = find_version(connection, row["workflow"], row["fingerprint"])
            assert version is not None
            assert version.fingerprint == row["fingerprint"]
            assert [node["name"] for node in version.graph["nodes"] if node["kind"] == "step"] == [step]


async def test_workflow_of_a_slot_is_published_before_it_ever_runs(bench, life):
    async with life("w1"):
        bench.host.nudge()
        async with asyncio.timeout(10):
            while True:
                with bench.database.read() as connection:
                    if find_version(connection, "Hidden", "") is not None:
                        break
                await asyncio.sleep(0)
    with bench.database.read() as connection:
        assert find_version(connection, "Made", "") is None


async def test_run_that_was_given_what_cannot_be_stored_is_not_run_again_when_it_has_ended(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Passes", {"folder": str(folder), "names": ["one"]}).run_id
        await bench.until(run_id, lambda _: "given" in marks(folder))
    async with life("w2"):
        run = await bench.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", ["one"])
    assert marks(folder) == {"take one": 1, "given": 2}


async def test_run_that_has_what_cannot_be_stored_in_hand_is_interrupted_with_its_parent(bench, life, folder):
    async with life("w1"):
        run_id = bench.requests.start("Passes", {"folder": str(folder), "names": ["paused"]}).run_id
        await inside(bench, run_id, lambda row: row["entries"] == 2)
    async with life("w2"):
        run = await bench.ended(run_id)
        (child,) = nested(bench, run_id)
        child = await bench.ended(child["id"])
    assert (run["status"], child["status"]) == ("interrupted", "interrupted")
    assert child["id"] in run["error"]["message"]
    assert "Thing" in child["error"]["message"]
    assert marks(folder) == {"take paused": 1}


async def test_no_more_than_num_concurrent_runs_go_on_over_all_workers(bench, life, folder):
    async with life("w1") as one, life("w2") as two:
        runs = [bench.requests.start("Few", {"folder": str(folder)}).run_id for _ in range(5)]
        await bench.until(runs[0], lambda _: marks(folder).get("few") == 2)
        other = bench.requests.start("Outer", {"folder": str(folder), "names": []}).run_id
        await bench.ended(other)  # those that wait for their turn stand in nobody's way
        assert marks(folder)["few"] == sum(bool(bench.run(run_id)["entries"]) for run_id in runs) == 2
        for flows in (one, two):
            flows.Few.gate.set()
        for run_id in runs:
            assert (await bench.ended(run_id))["result"] == "done"
    assert marks(folder)["few"] == 5


async def test_runs_that_have_begun_are_taken_up_before_others_begin(bench, life, folder):
    async with life("w1"):
        runs = [bench.requests.start("Few", {"folder": str(folder)}).run_id for _ in range(4)]
        await bench.until(runs[0], lambda _: marks(folder).get("few") == 2)
        begun = {run_id for run_id in runs if bench.run(run_id)["entries"]}
    async with life("w2") as flows:
        await bench.until(runs[0], lambda _: marks(folder)["few"] == 4)
        assert {run_id for run_id in runs if bench.run(run_id)["entries"]} == begun
        flows.Few.gate.set()
        for run_id in runs:
            await bench.ended(run_id)


async def test_nested_runs_of_one_workflow_wait_for_their_turn(bench, life, folder):
    async with life("w1") as flows:
        run_id = bench.requests.start("Crowded", {"folder": str(folder)}).run_id
        rows = await inside(bench, run_id, lambda row: row["entries"] >= 1, count=2)
        await bench.until(run_id, lambda _: marks(folder).get("few") == 2)
        assert len(rows) == 2
        flows.Few.gate.set()
        assert (await bench.ended(run_id))["result"] == ["done"] * 5
    assert len(nested(bench, run_id)) == 5


async def test_run_that_a_step_steps_through_is_not_stepped_through_again(bench, life, folder):
    """The event in the hand of the step goes on by itself when its worker has ended."""
    async with life("w1"):
        run_id = bench.requests.start("Stepping", {"folder": str(folder)}).run_id
        await bench.until(run_id, lambda _: "handed Looked" in marks(folder))
        (child,) = nested(bench, run_id)
        assert (child["status"], child["held"]) == ("held", True)
    async with life("w2") as flows:
        flows.Inner.gate.set()
        run = await bench.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", "slowly")
    assert [row["id"] for row in nested(bench, run_id)] == [child["id"]]
    assert marks(folder)["look slowly"] == marks(folder)["find slowly"] == 1


async def test_step_that_is_not_async_is_told_so(bench, life, folder):
    async with life("w1"):
        run = await bench.ended(bench.requests.start("FromAThread", {"folder": str(folder)}).run_id)
    assert (run["status"], run["error"]["type"]) == ("failed", "WorkflowRuntimeError")
    assert "async function" in run["error"]["message"]


async def test_run_whose_step_crashes_its_workers_is_parked_with_the_run_around_it(bench, life, folder):
    async with life("w0"):
        run_id = bench.requests.start("Deep", {"folder": str(folder), "depth": 1}).run_id
        await bench.until(run_id, lambda _: "bottom" in marks(folder))
    for times in (2, 3):
        crash(bench, f"w{times - 2}")
        async with life(f"w{times - 1}"):
            await bench.until(run_id, lambda _, times=times: marks(folder)["bottom"] == times)
    crash(bench, "w2")
    async with life("w4"):
        run = await bench.ended(run_id)
        (child,) = nested(bench, run_id)
        child = await bench.ended(child["id"])
    assert (run["status"], run["error"]["type"], child["status"]) == ("interrupted", "StepCrashed", "interrupted")
    assert marks(folder) == {"bottom": 3}


async def test_worker_that_was_silent_for_too_long_takes_up_its_own_runs(bench, life, folder):
    """As after a machine was asleep: nobody else has taken them, and what it still had in hand counts no more."""
    async with life("w1") as flows:
        run_id = bench.requests.start("Deep", {"folder": str(folder), "depth": 1}).run_id
        await bench.until(run_id, lambda _: "bottom" in marks(folder))
        drop_leases(bench.database, "w1")
        bench.host.nudge()
        await bench.until(run_id, lambda _: marks(folder)["bottom"] == 2)
        flows.Inner.gate.set()
        assert (await bench.ended(run_id))["result"] == 1
        await bench.until(run_id, lambda _: not bench.host.runs)  # told when it is on disk, which we may see first
    assert [(row["status"], row["epoch"]) for row in nested(bench, run_id)] == [("completed", 2)]
