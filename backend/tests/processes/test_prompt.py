"""A prompt outlives every process: same prompt, same place, one answer."""

from __future__ import annotations

import os
import signal


def test_prompt_survives_kill_9_of_everything_and_is_answered_once(serving):
    run_id = serving.begin("Asks")
    before = serving.prompt(run_id)
    page = serving.ask("GET", before["url"])
    assert (page.status, "Which number?" in page.text) == (200, True)
    serving.kill()
    serving.start()
    assert serving.prompt(run_id) == before
    again = serving.ask("GET", before["url"])
    assert (again.status, "Which number?" in again.text) == (200, True)
    first = serving.ask("POST", before["url"] + "/response", {"response": "41"})
    assert first.status == 201, first.text
    second = serving.ask("POST", before["url"] + "/response", {"response": "1"})
    assert second.status == 409, second.text
    run = serving.ended(run_id)
    assert (run["status"], run["result"]) == ("completed", 42)
    assert serving.ask("POST", before["url"] + "/response", {"response": "1"}).status == 409


def test_prompt_answered_while_nothing_runs_is_heard_by_the_next_worker(serving):
    """The web process alone takes the answer; the worker that hears it is born later."""
    run_id = serving.begin("Asks")
    url = serving.prompt(run_id)["url"]
    for pid in serving.worker_pids():
        os.kill(pid, signal.SIGKILL)
    assert serving.ask("POST", url + "/response", {"response": "1"}).status == 201
    assert serving.ended(run_id)["result"] == 2
