"""What was to happen at a moment happens then, or at once if that is past; time without work does not count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from processes.serving import until

FLOWS = Path(__file__).parent / "timed_flows.py"
WORKERS = 1
HOUR = 3600.0
SOON = 3.0


@pytest.mark.parametrize("gone_by", [2 * HOUR, HOUR - SOON], ids=["overdue", "not due yet"])
def test_retry_and_rest_keep_the_moment_they_are_due(mortal, gone_by):
    """Both were to take an hour; the next worker has them finished within a minute, and not before that moment."""
    name = f"{gone_by:.0f}"
    retries = mortal.begin("Retries", name=f"retry {name}")
    rests = mortal.begin("Rests", name=f"rest {name}")
    mortal.comes_to(retries, "step_failed")
    mortal.comes_to(rests, "wait_started")
    with mortal.nobody_working():
        for run_id in (retries, rests):
            mortal.let_pass(gone_by, run_id)
    assert mortal.ended(retries)["result"] == 2
    assert mortal.ended(rests)["result"] == "rested"
    (failed,) = mortal.entries(retries, "step_failed")
    (retried,) = mortal.entries(retries, "step_retried")
    assert retried["at"] >= json.loads(failed["payload"])["retry_at"]
    (began,) = mortal.entries(rests, "wait_started")
    (over,) = mortal.entries(rests, "wait_timed_out")
    assert over["at"] >= json.loads(began["detail"])["due"]
    assert mortal.marks(f"retry {name}") == ["1", "2"]
    assert mortal.marks(f"rest {name}") == ["1", "2"], "a step that waits runs again from its top"


def test_wait_that_was_answered_goes_on_with_its_answer(mortal):
    run_id = mortal.begin("Hears", name="hear")
    mortal.at_gate("hear")
    mortal.comes_to(run_id, "step_finished")
    with mortal.nobody_working():
        mortal.let_pass(2 * HOUR, run_id)
    mortal.at_gate("hear", times=2)
    mortal.open_gate("hear")
    assert mortal.ended(run_id)["result"] == 1
    assert (mortal.marks("hear"), mortal.marks("hear said")) == (["asks", "asks"], ["said"])
    assert [len(mortal.entries(run_id, kind)) for kind in ("wait_started", "wait_timed_out")] == [1, 0]


def test_sleep_of_asyncio_is_forgotten_and_its_step_runs_again(mortal):
    run_id = mortal.begin("Naps", name="nap")
    until("it lies down", lambda: mortal.marks("nap"))
    mortal.kill_worker_of(run_id)
    assert mortal.ended(run_id)["result"] == "awake"
    assert mortal.marks("nap") == ["1", "2"]


def test_timeout_counts_the_work_before_the_kill(mortal):
    """An hour less three seconds of it, by the journal: what is left is three seconds and not an hour."""
    run_id = mortal.begin("Labours", name="labour")
    mortal.at_gate("labour")
    with mortal.nobody_working():
        mortal.let_pass(HOUR - SOON, run_id, upto=1)
    run = mortal.ended(run_id)
    assert run["status"] == "timed_out"
    assert run["error"]["message"] == "Operation timed out after 3600 seconds. Currently active steps: go_on"
    (began,), (worked,) = mortal.entries(run_id, "run_started"), mortal.entries(run_id, "step_finished")
    (resumed,), (ended,) = mortal.entries(run_id, "resumed"), mortal.entries(run_id, "run_timed_out")
    assert worked["at"] - began["at"] + ended["at"] - resumed["at"] >= HOUR


def test_timeout_counts_no_downtime_no_holding_and_no_waiting_for_people(mortal):
    """Ten hours of each, and a minute of work."""
    run_id = mortal.post("/workflows/Strolls/runs?held=true", {"name": "stroll"}).json["id"]
    (held,) = mortal.comes_to(run_id, "run_started")
    assert mortal.post(f"/runs/{run_id}/release").status == 202
    assert mortal.post(mortal.prompt(run_id)["url"] + "/response", {"response": "stroll"}).status == 201
    mortal.at_gate("stroll")
    (asked,) = mortal.entries(run_id, "step_finished")
    with mortal.nobody_working():
        mortal.let_pass(10 * HOUR, run_id)
        mortal.let_pass(10 * HOUR, run_id, upto=asked["seq"])
        mortal.let_pass(10 * HOUR, run_id, upto=held["seq"])
    mortal.at_gate("stroll", times=2)
    mortal.open_gate("stroll")
    run = mortal.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", "done")
