"""A host claims runs, drives them, hands them requests, and goes on from the journals of others."""

from __future__ import annotations

import json
import time

import pytest

from treadle.errors import (
    IdempotencyConflict,
    PromptAnswered,
    RunEnded,
    WorkflowNotFound,
    WorkflowsLoading,
    WorkflowValidationError,
)
from treadle.store.leases import LEASE, drop_leases


async def test_host_runs_a_chain_to_its_result(bench):
    async with bench.working():
        accepted = bench.requests.start("Chain", {"length": 10})
        run = await bench.ended(accepted.run_id)
    assert run["status"] == "completed"
    assert run["result"] == [10, 10]
    entries = bench.entries(accepted.run_id)
    assert [entry["seq"] for entry in entries] == list(range(1, run["entries"] + 1))
    assert json.loads(run["counts"])["steps"]["add"]["done"] == 10


@pytest.mark.parametrize("beats_first", [True, False])
async def test_worker_that_was_silent_longer_than_its_lease_takes_its_run_up_anew(bench, beats_first):
    """Others may have had it: also if its heart beats again before its run goes on."""
    async with bench.working() as host:
        run_id = bench.requests.start("Chain", {"length": 3}, held=True).run_id
        await bench.until(run_id, lambda row: row["entries"] == 1)
        host.renewed(time.monotonic() - LEASE)
        if beats_first:
            host.renewed(time.monotonic())
        bench.requests.release(run_id)
        await bench.until(run_id, lambda row: len(bench.entries(run_id)) >= 2)
        host.renewed(time.monotonic())
        host.nudge()
        run = await bench.ended(run_id)
    assert [entry["kind"] for entry in bench.entries(run_id)][:3] == ["run_started", "released", "resumed"]
    assert run["result"] == [3, 3]


async def test_host_joins_a_fan_out(bench):
    async with bench.working():
        run = await bench.ended(bench.requests.start("Fan", {"width": 50}).run_id)
    assert run["result"] == sum(n * n for n in range(50))


async def test_host_records_sys_exit_as_the_outcome(bench):
    async with bench.working():
        run = await bench.ended(bench.requests.start("Exits", {}).run_id)
    assert run["status"] == "failed"
    assert (run["error"]["type"], run["error"]["message"], run["error"]["step"]) == ("SystemExit", "3", "leave")


async def test_host_undoes_the_context_of_a_failed_attempt(bench, tmp_path):
    async with bench.working():
        run = await bench.ended(bench.requests.start("Flaky", {"marker": str(tmp_path / "marker")}).run_id)
    assert run["result"] == 1


async def test_host_fails_a_run_whose_fields_do_not_fit(bench):
    async with bench.working():
        run = await bench.ended(bench.requests.start("Chain", {"length": "many"}).run_id)
    assert run["status"] == "failed"
    assert run["error"]["type"] == "ValidationError"


async def test_prompt_outlives_its_worker_and_is_answered_once(bench):
    async with bench.working("w_first"):
        run_id = bench.requests.start("Ask", {}).run_id
        await bench.until(run_id, lambda row: row["status"] == "waiting")
    drop_leases(bench.database, "w_first")
    (prompt,) = [entry["seq"] for entry in bench.entries(run_id) if entry["event_type"] == "InputRequiredEvent"]
    bench.requests.respond(run_id, prompt, {"response": "41"})
    with pytest.raises(PromptAnswered):
        bench.requests.respond(run_id, prompt, {"response": "1"})
    async with bench.working("w_second"):
        run = await bench.ended(run_id)
    assert run["result"] == 42
    kinds = [entry["kind"] for entry in bench.entries(run_id)]
    assert kinds == ["run_started", "step_finished", "resumed", "response_received", "step_finished"]


async def test_held_run_goes_step_by_step_and_then_on(bench):
    async with bench.working():
        run_id = bench.requests.start("Chain", {"length": 5}, held=True).run_id
        run = await bench.until(run_id, lambda row: row["entries"] == 1)
        assert run["status"] == "held"
        assert [queued["step"] for queued in json.loads(run["queue"])] == ["begin"]
        bench.requests.step(run_id)
        run = await bench.until(run_id, lambda row: row["status"] == "held" and row["entries"] > 1)
        assert [queued["event_type"] for queued in json.loads(run["queue"])] == ["Link"]
        bench.requests.release(run_id)
        run = await bench.ended(run_id)
    assert run["result"] == [5, 5]


async def test_cancelled_run_ends_and_refuses_more(bench):
    async with bench.working():
        run_id = bench.requests.start("Ask", {}).run_id
        await bench.until(run_id, lambda row: row["status"] == "waiting")
        bench.requests.cancel(run_id)
        run = await bench.ended(run_id)
        assert run["status"] == "cancelled"
        with pytest.raises(RunEnded):
            bench.requests.cancel(run_id)


async def test_context_is_continued_from_an_ended_run(bench):
    async with bench.working():
        first = bench.requests.start("Remembers", {}).run_id
        assert (await bench.ended(first))["result"] == 1
        second = bench.requests.start("Remembers", {}, continued_from=first).run_id
        assert (await bench.ended(second))["result"] == 2


async def test_idempotency_key_starts_one_run(bench):
    async with bench.working():
        first = bench.requests.start("Chain", {"length": 2}, idempotency_key="k")
        again = bench.requests.start("Chain", {"length": 2}, idempotency_key="k")
        assert (again.run_id, again.created) == (first.run_id, False)
        with pytest.raises(IdempotencyConflict):
            bench.requests.start("Chain", {"length": 3}, idempotency_key="k")
        with pytest.raises(WorkflowNotFound):
            bench.requests.start("Nobody", {})
        await bench.ended(first.run_id)


async def test_start_before_any_worker_has_come_is_told_to_ask_again(bench):
    with pytest.raises(WorkflowsLoading, match="ask again"):
        bench.requests.start("Chain", {"length": 2}, idempotency_key="k")
    async with bench.working():
        run_id = bench.requests.start("Chain", {"length": 2}, idempotency_key="k").run_id
        assert (await bench.ended(run_id))["status"] == "completed"


async def test_old_owner_is_fenced_by_the_epoch(bench):
    """A worker that was taken over cannot write any more, though it does not know yet."""
    async with bench.working("w_old") as old:
        run_id = bench.requests.start("Ask", {}).run_id
        await bench.until(run_id, lambda row: row["status"] == "waiting")
        with bench.database.write() as connection:
            connection.exec_driver_sql("UPDATE run SET epoch = epoch + 1, lease_owner = 'w_new', lease_until = 9e12")
        before = bench.entries(run_id)
        old.runs[run_id].loop.cancel()
        await bench.until(run_id, lambda row: run_id not in old.runs)
        assert bench.entries(run_id) == before
        assert bench.run(run_id)["status"] == "waiting"


async def test_workflow_that_does_not_fit_together_accepts_no_run(bench):
    async with bench.working():
        with pytest.raises(
            WorkflowValidationError, match="Unfit cannot be run: WorkflowValidationError: The following"
        ):
            bench.requests.start("Unfit", {})


async def test_workflow_that_is_not_to_be_validated_runs_as_it_does_without_a_studio(bench, tmp_path):
    file = tmp_path / "unchecked.py"
    file.write_text(
        "from treadle import Event, StartEvent, StopEvent, Workflow, step\n\n\n"
        "class Never(Event):\n    pass\n\n\n"
        "class Unchecked(Workflow):\n"
        "    @step\n    async def begin(self, ev: StartEvent) -> StopEvent:\n        return StopEvent(result='ran')\n\n"
        "    @step\n    async def more(self, ev: Never) -> StopEvent:\n        return StopEvent()\n\n\n"
        "workflow = Unchecked(disable_validation=True)\n"
    )
    bench.flows = [file]
    async with bench.working():
        assert (await bench.ended(bench.requests.start("Unchecked", {}).run_id))["result"] == "ran"


async def test_deadline_passes_while_nobody_works_and_is_met_at_once(bench):
    async with bench.working("w_first"):
        run_id = bench.requests.start("Ask", {}, deadline=600).run_id
        run = await bench.until(run_id, lambda row: row["status"] == "waiting")
    drop_leases(bench.database, "w_first")
    async with bench.working("w_second", later=3600):
        ended = await bench.ended(run_id)
    assert (ended["status"], ended["error"]["type"]) == ("timed_out", "WorkflowTimeoutError")
    assert ended["error"]["message"].startswith("The run was not over by its deadline, ")
    first, *_, resumed, last = bench.entries(run_id)
    assert (resumed["kind"], last["kind"]) == ("resumed", "run_timed_out")
    due = json.loads(first["detail"])["deadline"]
    assert due == json.loads(last["detail"])["deadline"] == pytest.approx(run["created_at"] + 600, abs=60)


async def test_deadline_counts_from_the_acceptance_and_ends_a_run_before_its_first_step(bench):
    async with bench.working("w_first"):
        pass
    run_id = bench.requests.start("Ask", {}, deadline=600).run_id
    async with bench.working("w_second", later=3600):
        ended = await bench.ended(run_id)
    assert (ended["status"], ended["entries"]) == ("timed_out", 2)


async def test_deadline_of_the_workflow_is_that_of_its_runs(bench):
    async with bench.working():
        run_id = bench.requests.start("Dawdles", {}).run_id
        ended = await bench.ended(run_id)
    assert ended["status"] == "timed_out"


async def test_start_with_the_same_key_and_deadline_is_the_same_run(bench):
    async with bench.working():
        pass
    first = bench.requests.start("Ask", {}, idempotency_key="k", deadline=60)
    assert bench.requests.start("Ask", {}, idempotency_key="k", deadline=60).run_id == first.run_id
    with pytest.raises(IdempotencyConflict):
        bench.requests.start("Ask", {}, idempotency_key="k", deadline=61)
