"""What a run was doing when its worker was killed comes back: what was queued, gathered and joined, in its order."""

from __future__ import annotations

from pathlib import Path

from processes.serving import until

FLOWS = Path(__file__).parent / "comeback_flows.py"
WORKERS = 2


def test_pending_events_come_back_in_their_order(mortal):
    run_id = mortal.begin("Queues", name="queue")
    mortal.at_gate("queue", times=2)
    assert mortal.marks("queue") == ["0", "1"]
    mortal.kill_worker_of(run_id)
    mortal.at_gate("queue", times=4)
    mortal.open_gate("queue")
    assert mortal.ended(run_id)["result"] == [0, 1, 2, 3, 4, 5]
    assert mortal.marks("queue") == ["0", "1", "0", "1", "2", "3", "4", "5"]


def shows(mortal, run_id, joins):
    """Return when it does: the row of a run that goes on may be a moment behind its journal."""
    until(f"{run_id} shows {joins}", lambda: mortal.run(run_id)["counts"]["joins"] == joins)


def test_half_gathered_batch_comes_back_as_full_as_it_was(mortal):
    run_id = mortal.begin("Gathers", name="batch")
    mortal.at_gate("batch third")
    mortal.comes_to(run_id, "step_finished", times=5)
    before = {"have": 2, "need": 3, "waiting_for": ["Woven"]}
    shows(mortal, run_id, {"fold": before})
    mortal.kill_worker_of(run_id)
    mortal.at_gate("batch third", times=2)
    shows(mortal, run_id, {"fold": before})
    mortal.open_gate("batch third")

    mortal.at_gate("batch batch")
    mortal.comes_to(run_id, "collected", times=3)
    mortal.kill_worker_of(run_id)
    mortal.at_gate("batch batch", times=2)
    mortal.open_gate("batch batch")
    assert mortal.ended(run_id)["result"] == [0, 1, 2]
    assert mortal.marks("batch") == ["0", "1", "2", "2"], "who had the whole batch has it again, the others are done"


def test_half_full_join_comes_back_as_full_as_it_was(mortal):
    run_id = mortal.begin("Joins", name="join")
    mortal.at_gate("join weft")
    mortal.comes_to(run_id, "step_finished")
    before = {"have": 1, "need": 2, "waiting_for": ["Weft"]}
    shows(mortal, run_id, {"weave": before})
    mortal.kill_worker_of(run_id)
    mortal.at_gate("join weft", times=2)
    shows(mortal, run_id, {"weave": before})
    mortal.open_gate("join weft")

    mortal.at_gate("join join")
    mortal.kill_worker_of(run_id)
    mortal.at_gate("join join", times=2)
    mortal.open_gate("join join")
    assert mortal.ended(run_id)["result"] == 2
    assert mortal.marks("join") == ["warp", "weft 2", "weft 2"]


def test_what_an_interrupted_attempt_counted_counts_once(mortal):
    run_id = mortal.begin("Counts", name="count")
    mortal.at_gate("count")
    mortal.comes_to(run_id, "context_changed", times=3)
    mortal.kill_worker_of(run_id)
    mortal.at_gate("count", times=2)
    mortal.open_gate("count")
    assert mortal.ended(run_id)["result"] == [11, "taken back"]


def test_what_an_interrupted_attempt_sent_showed_and_paid_for_is_not_done_again(mortal):
    run_id = mortal.begin("Repeats", name="again")
    mortal.at_gate("again gate")
    taken = [row["seq"] for row in mortal.comes_to(run_id, "event_sent", times=3)]
    mortal.kill_worker_of(run_id)
    mortal.at_gate("again gate", times=2)
    mortal.open_gate("again gate")
    run = mortal.ended(run_id)
    (receipt,) = mortal.marks("again paid")
    assert run["result"] == [*(["again", n] for n in range(4)), [receipt, 4]]
    assert [row["seq"] for row in mortal.entries(run_id, "event_sent")][:3] == taken
    first, second = mortal.marks("again keys")
    assert first == second, "one idempotency key for both attempts"
    shown = [row["payload"] for row in mortal.entries(run_id, "event_streamed")]
    assert shown == ['{"says":"attempt 1"}', '{"says":"attempt 2"}'], "what was shown stays, and is shown again"


def test_resource_is_made_again_and_never_stored(mortal):
    run_id = mortal.begin("Equipped", name="loom")
    mortal.at_gate("loom")
    mortal.kill_worker_of(run_id)
    mortal.at_gate("loom", times=2)
    mortal.open_gate("loom")
    run = mortal.ended(run_id)
    assert (run["result"], run["not_resumable"]) == (True, None)
    first, second = mortal.marks("looms")
    assert first != second, "one for each process"


def test_context_carried_from_run_to_run_outlives_their_workers(mortal):
    """Every process dies between the runs, and a worker in the middle of the second."""
    mortal.open_gate("first")
    first = mortal.begin("Continues", name="first")
    assert mortal.ended(first)["result"] == ["first"]
    mortal.kill()
    mortal.start()
    second = mortal.post(f"/workflows/Continues/runs?continued_from={first}", {"name": "second"}).json["id"]
    mortal.at_gate("second")
    mortal.comes_to(second, "context_changed")
    mortal.kill_worker_of(second)
    mortal.at_gate("second", times=2)
    mortal.open_gate("second")
    run = mortal.ended(second)
    assert (run["result"], run["continued_from"]) == (["first", "second"], first)
