"""Runs inside runs outlive every process: each is started once, and what was finished is not done again."""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from processes.serving import Serving, until

FLOWS = Path(__file__).parent / "nested_flows.py"
KILLS = 6


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    made = Serving(tmp_path_factory.mktemp("nested"), [FLOWS]).start()
    try:
        yield made
    finally:
        made.kill()


def family(serving, run_id):
    """A run and all the runs inside it, the outer ones first."""
    found = serving.rows("SELECT * FROM run WHERE id = ?", run_id)
    for run in found:
        found += serving.rows("SELECT * FROM run WHERE parent_id = ? ORDER BY created_at", run["id"])
    return found


@pytest.mark.slow
def test_cord_is_whole_however_often_its_workers_are_killed(serving, tmp_path):
    chance = random.Random(7)
    log = tmp_path / "log"
    cord = serving.begin("Cord", log=str(log), name="c")
    kills = 0
    while kills < KILLS and serving.run(cord)["status"] == "running":
        pids = until("a worker lives", serving.worker_pids)
        until("something was begun", log.exists)
        lines = log.read_text().count("\n")
        with suppress(AssertionError):  # a worker that does nothing right now may be killed as well
            until("something more was begun", lambda lines=lines: log.read_text().count("\n") > lines, seconds=2)
        for pid in pids if chance.random() < 0.4 else [chance.choice(pids)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            kills += 1
    assert kills >= KILLS, "it was over before it was killed often enough"
    run = serving.ended(cord, seconds=90)
    threads = [[f"c.{ply}", [[f"c.{ply}.{n}", 3] for n in range(4)]] for ply in range(2)]
    assert (run["status"], run["result"]) == ("completed", threads), run["error"]

    runs = family(serving, cord)
    assert Counter(row["workflow"] for row in runs) == {"Cord": 1, "Ply": 2, "Thread": 8}
    assert {row["status"] for row in runs} == {"completed"}
    places = Counter((row["parent_id"], row["parent_seq"], row["parent_step"], row["parent_call"]) for row in runs)
    assert set(places.values()) == {1}, "one run for a call"
    begun: dict[tuple[str, str], list[float]] = {}
    for line in log.read_text().splitlines():
        _, name, step, at = json.loads(line)
        begun.setdefault((name, step), []).append(at)
    finished = Counter()
    for row in runs:
        entries = serving.rows("SELECT * FROM entry WHERE run_id = ? ORDER BY seq", row["id"])
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
        for entry in entries:
            if entry["kind"] == "step_finished" and entry["step"] != "close":
                event = json.loads(entries[entry["cause"] - 1]["payload"])
                body = (event["name"], f"turn {event['n']}" if entry["step"] == "turn" else entry["step"])
                finished[body] += 1
                # Its time lies before its commit: who began later did again what was finished.
                assert max(begun[body]) <= entry["at"], f"{body} was done again"
    assert len(finished) == 1 + 2 + 2 + 8 * 4
    assert set(finished.values()) == {1}
    assert sum(map(len, begun.values())) > len(begun), "no kill hit a step"


def test_prompt_inside_another_run_survives_kill_9_of_everything(serving):
    run_id = serving.begin("Dyes")
    child = until("it has a run inside", lambda: serving.run(run_id)["children"])[0]
    before = serving.prompt(child["id"])
    assert child["parent"]["id"] == run_id
    serving.kill()
    serving.start()
    assert serving.prompt(child["id"]) == before
    assert [prompt["run"] for prompt in serving.ask("GET", "/inbox.json").json["prompts"]] == [child["id"]]
    assert serving.ask("POST", before["url"] + "/response", {"response": "indigo"}).status == 201
    assert serving.ended(run_id)["result"] == "dyed indigo"
    assert [row["status"] for row in family(serving, run_id)] == ["completed", "completed"]


def test_cancelled_run_takes_those_inside_with_it(serving, tmp_path):
    cord = serving.begin("Cord", log=str(tmp_path / "log"), name="c")
    until("there are runs inside runs", lambda: any(row["workflow"] == "Thread" for row in family(serving, cord)))
    assert serving.ask("POST", f"/runs/{cord}/cancellation").status == 202
    assert serving.ended(cord)["status"] == "cancelled"

    def over():
        return all(row["status"] in ("cancelled", "completed") for row in family(serving, cord))

    until("all of them have ended", over)
    assert sum(row["status"] == "cancelled" for row in family(serving, cord)) >= 3
