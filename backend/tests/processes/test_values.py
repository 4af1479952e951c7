"""Values through `kill -9`: exactly what they were, or an error that names step, event, path and the way out."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processes.serving import Serving, until

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from storable import same
from strange import chosen

from treadle.engine.serializers import from_json, to_json

FLOWS = Path(__file__).parent / "value_flows.py"
SEED = 20261122


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    made = Serving(tmp_path_factory.mktemp("values"), [FLOWS]).start()
    try:
        yield made
    finally:
        made.kill()


def killed_in_the_middle(serving: Serving, gate: Path, workflow: str, **fields: Any) -> str:
    """A run whose worker was killed in a step; the next attempt of that goes on."""
    run_id = serving.begin(workflow, gate=str(gate), **fields)
    reached = gate.with_name(f"{gate.name}.reached")
    pid = int(until(f"{run_id} is in the middle of its step", lambda: reached.exists() and reached.read_text()))
    os.kill(pid, signal.SIGKILL)
    gate.touch()
    return run_id


def test_strange_values_come_through_kill_9(serving, tmp_path):
    """An event of 2 MiB, NaN, a lone surrogate, {1: "a"}, a Decimal, an aware datetime, and more."""
    run_id = killed_in_the_middle(serving, tmp_path / "gate", "Carries")
    run = serving.ended(run_id, seconds=60)
    assert run["status"] == "completed", run["error"]
    assert run["result"] == {"event": [], "context": [], "whole": [], "kept": [], "attempt": 2}


def test_any_value_comes_through_kill_9(serving, tmp_path):
    """Sixty that hypothesis chooses, the same ones for the same seed."""
    values = chosen(SEED, 60)
    texts = [to_json(value) for value in values]
    assert all(same(from_json(text), value) for text, value in zip(texts, values, strict=True))
    run_id = killed_in_the_middle(serving, tmp_path / "gate", "CarriesAny", texts=texts)
    run = serving.ended(run_id, seconds=60)
    assert run["status"] == "completed", run["error"]
    assert run["result"] == {"wrong": [], "attempt": 2}, (SEED, [texts[n] for n in run["result"]["wrong"]])


TOLD = {
    "deep event": "Event Strange from step make: value is nested deeper than 100 levels: value.a[0][0]",
    "deep context": "Context, set by step make: tree is nested deeper than 100 levels: tree.more[0][0]",
    "large event": (
        "Event Strange from step make: it takes more than 64 MiB, most of it value.rows[1].text (more than 64 MiB), and"
        " no more than 64 MiB is kept of one event. Keep large data in a file and pass its path."
    ),
    "large context": "Context, set by step make: with text (17 MiB) it would take 17 MiB, the largest part text (17",
}


@pytest.mark.parametrize("what", TOLD)
def test_what_is_too_deep_or_too_large_is_named_and_stops_nobody(serving, what):
    run_id = serving.begin("Exceeds", what=what)
    other = serving.begin("Exceeds", what="nothing")
    run = serving.ended(run_id)
    assert (run["status"], run["error"]["type"], run["error"]["step"]) == ("failed", "LimitExceeded", "make")
    assert run["error"]["message"].startswith(TOLD[what])
    assert ("flatten it" if "deep" in what else "Keep large data in a file") in run["error"]["message"]
    assert serving.ended(other)["result"] == "kept"
    page = serving.ask("GET", f"/runs/{run_id}", headers={"Accept": "text/html"})
    assert page.status == 200
    assert "LimitExceeded" in page.text


def test_run_that_could_not_be_resumed_says_so_before_and_after(serving, tmp_path):
    gate = tmp_path / "gate"
    run_id = serving.begin("Connects", gate=str(gate))
    reached = tmp_path / "gate.reached"
    pid = int(until("it is in the middle of its step", lambda: reached.exists() and reached.read_text()))
    lost = until("it is told", lambda: serving.run(run_id)["not_resumable"])
    assert (lost["key"], lost["step"], lost["type"], lost["path"]) == (
        "client", "connect", "value_flows.Client", "client"
    )  # fmt: skip
    message = (
        "Context, set by step connect: client is a value_flows.Client, which has no exact form on disk; make it a"
        " resource of the step, Annotated[Client, Resource(factory)], or keep what it is built from."
    )
    assert lost["message"] == message
    page = serving.ask("GET", f"/runs/{run_id}", headers={"Accept": "text/html"}).text
    assert "Not resumable" in page
    assert "Annotated[Client, Resource(factory)]" in page
    os.kill(pid, signal.SIGKILL)
    run = serving.ended(run_id)
    assert run["status"] == "interrupted"
    assert run["error"]["message"] == message
    assert run["not_resumable"] == lost
    assert message in serving.ask("GET", f"/runs/{run_id}", headers={"Accept": "text/html"}).text


def test_run_with_the_same_thing_as_a_resource_goes_on(serving, tmp_path):
    run = serving.ended(killed_in_the_middle(serving, tmp_path / "gate", "ConnectsWell"))
    assert (run["status"], run["result"], run["not_resumable"]) == ("completed", 42, None)


def test_client_that_stays_with_its_worker_works(serving, tmp_path):
    gate = tmp_path / "gate"
    gate.touch()
    run = serving.ended(serving.begin("Connects", gate=str(gate)))
    assert (run["status"], run["result"]) == ("completed", 42)
    again = serving.ask("POST", f"/workflows/Connects/runs?continued_from={run['id']}", {"gate": str(gate)})
    failed = serving.ended(again.json["id"])
    assert failed["error"]["message"].startswith(f"Run {run['id']} left no context to continue from: Context, set by")


def test_large_payload_is_shown_in_part_and_downloaded_whole(serving, tmp_path):
    gate = tmp_path / "gate"
    gate.touch()
    run_id = serving.begin("Carries", gate=str(gate))
    assert serving.ended(run_id, seconds=60)["status"] == "completed"
    events = serving.ask("GET", f"/runs/{run_id}/events.json?limit=1000").json["events"]
    (event,) = [entry for entry in events if entry["kind"] == "step_finished" and entry["event_type"] == "Strange"]
    assert event["payload"]["$"] == "blob"
    assert event["payload"]["url"] == f"/runs/{run_id}/events/{event['seq']}/payload"
    download = serving.ask("GET", event["payload"]["url"])
    assert len(download.text) == event["payload"]["size"] > 2 << 20
    assert len(json.loads(download.text)["value"]["two mebibytes"]) == 2 << 20
    page = serving.ask("GET", f"/runs/{run_id}", headers={"Accept": "text/html"}).text
    assert f'href="{event["payload"]["url"]}" download' in page
    assert len(page) < 1 << 20
    assert serving.ask("GET", f"/runs/{run_id}/events/9999/payload").status == 404
    assert serving.ask("GET", "/runs/r_nobody/events/1/payload").status == 404
