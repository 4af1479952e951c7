"""Whatever a step does to its process, the studio answers, the other runs go on, and the run ends with the truth."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import pytest

from processes.serving import until


@contextmanager
def watched(serving):
    """`/health` asked all the while: it answers within a quarter of a second.

    A shared machine itself stalls now and then, so one answer in twenty may be late; none may take as long as a step
    that blocks.
    """
    over = threading.Event()
    answers = []

    def watch():
        while not answers or not over.wait(0.02):
            answer = serving.ask("GET", "/health")
            answers.append((answer.seconds if answer.status == 200 else float("inf"), answer.text))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    late = [seconds for seconds, _ in answers if seconds >= 0.25]
    assert len(late) <= len(answers) / 20, late
    assert max(answers)[0] < 1.0, max(answers)


def both_workers(serving):
    def look():
        pids = serving.worker_pids()
        return sorted(pids) if len(pids) == 2 else None

    return until("both workers are there", look)


def busy_worker(serving):
    workers = serving.ask("GET", "/health").json["workers"]
    return next((worker for worker in workers if worker["busy_step"]), None)


def test_blocking_step_is_named_and_stops_nobody_else(serving):
    with watched(serving):
        blocker = serving.begin("Blocks", seconds=3.0)
        busy = until("somebody is busy", lambda: busy_worker(serving))
        assert (busy["busy_run"], busy["busy_step"]) == (blocker, "hog")
        home = serving.ask("GET", "/").text
        assert busy["name"] in home
        assert "hog" in home
        for run_id in [serving.begin("Naps", naps=3) for _ in range(4)]:
            assert serving.ended(run_id)["result"] == "rested"
        assert serving.run(blocker)["status"] == "running", "the others were to end while it blocked"
        assert serving.ended(blocker)["result"] == "slept"
        until("nobody is busy", lambda: busy_worker(serving) is None)


@pytest.mark.parametrize(
    ("workflow", "step", "error", "message"),
    [("Exits", "leave", "SystemExit", "3"), ("Raises", "trip", "LookupError", "no such thread")],
)
def test_step_that_exits_or_raises_fails_its_run_alone(serving, workflow, step, error, message):
    pids = both_workers(serving)
    bystander = serving.begin("Naps", naps=20)
    with watched(serving):
        run = serving.ended(serving.begin(workflow))
    assert run["status"] == "failed"
    assert (run["error"]["type"], run["error"]["message"], run["error"]["step"]) == (error, message, step)
    assert serving.ended(bystander)["result"] == "rested"
    assert both_workers(serving) == pids


@pytest.mark.parametrize(
    ("workflow", "fields", "ending"),
    [("Vanishes", {"code": 7}, "exit 7"), ("Vanishes", {"code": 0}, "exit 0"), ("Segfaults", {}, "signal 11")],
)
def test_step_that_kills_its_worker_is_parked_and_the_others_finish(serving, workflow, fields, ending):
    both_workers(serving)
    before = time.time()
    with watched(serving):
        bystanders = [serving.begin("Naps", naps=100) for _ in range(6)]
        culprit = serving.begin(workflow, **fields)
        run = serving.ended(culprit)
    assert run["status"] == "interrupted"
    assert run["error"]["type"] == "StepCrashed"
    assert "3 times" in run["error"]["message"]
    for run_id in bystanders:
        assert serving.ended(run_id)["result"] == "rested"
    exits = [row["exit"] for row in serving.rows("SELECT exit FROM worker WHERE ended_at > ?", before)]
    assert exits == [ending] * 3
    both_workers(serving)
    assert serving.ended(serving.begin("Naps", naps=1))["result"] == "rested"


def test_long_step_beside_a_crashing_one_is_not_parked_with_it(serving):
    """The first crash hits both, and only one of them is guilty."""
    innocent = serving.begin("Naps", naps=1, seconds=3.0)
    culprits = [serving.begin("Vanishes", code=7) for _ in range(2)]
    for culprit in culprits:
        assert serving.ended(culprit, seconds=60)["status"] == "interrupted"
    assert serving.ended(innocent)["result"] == "rested"


def test_file_that_is_no_python_is_a_card_with_file_and_line(serving):
    cards = serving.ask("GET", "/workflows.json").json["workflows"]
    (card,) = [card for card in cards if card["file"].endswith("broken.py")]
    assert card["error"]["file"].endswith("broken.py")
    assert card["error"]["line"] == 3
    assert "SyntaxError" in card["error"]["traceback"]
    assert serving.ended(serving.begin("Naps", naps=1))["result"] == "rested"
