"""Whatever a workflow file does while it is imported: it gets a card that says so, and the others run."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes.serving import until

from campaigns.modules import CARDS, HALF, NOWHERE, RUN, write
from campaigns.rig import RIG
from campaigns.studio import Studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("modules")
    made = Studio(folder, [write(folder / "files")], environment={RIG: json.dumps({"patience": 0.4})})
    yield made.start()
    made.close()


def cards(studio: Studio) -> dict[str, dict[str, Any]]:
    found = studio.ask("GET", "/workflows.json").json["workflows"]
    return {Path(card["file"]).name: card for card in found if card["error"]}


def test_file_that_cannot_be_loaded_has_a_card_with_file_line_and_error(studio: Studio) -> None:
    until("both workers are there", lambda: len(studio.worker_pids()) == 2)
    failed = cards(studio)
    assert failed.keys() == CARDS.keys()
    for name, error in CARDS.items():
        told = failed[name]["error"]
        assert error in told["message"], told
        assert Path(told["file"]).name == name
        assert told["line"] is not None or name in NOWHERE, told
        assert studio.ask("POST", f"/workflows/{name}/runs", {}).status in (404, 422)


@pytest.mark.parametrize("workflow", RUN)
def test_workflow_beside_files_that_misbehave_runs(studio: Studio, workflow: str) -> None:
    assert studio.ended(studio.begin(workflow))["result"] == RUN[workflow]


def test_file_that_breaks_while_its_run_goes_on_is_a_card_and_the_run_waits_for_it(studio: Studio) -> None:
    """The worker is killed, its successors cannot load the file any more, and later they can."""
    file = studio.folder / "files" / "changing.py"
    good = file.read_text()
    until("both workers are there", lambda: len(studio.worker_pids()) == 2)
    run_id = studio.begin("Changing")
    until("it is under way", lambda: studio.run(run_id)["entries"] > 3)
    file.write_text(good + HALF)
    kill_workers(studio)
    until("it has a card", lambda: "changing.py" in cards(studio))
    assert "SyntaxError" in cards(studio)["changing.py"]["error"]["message"]
    assert studio.ended(studio.begin("Good"))["result"] == "rested"
    assert studio.run(run_id)["status"] == "running"
    file.write_text(good)
    kill_workers(studio)
    assert studio.ended(run_id)["result"] == "as it was"
    assert "changing.py" not in cards(studio)


def test_worker_whose_file_left_a_thread_behind_still_stops(studio: Studio) -> None:
    assert studio.stop() == 0
    assert studio.nursery is not None
    until("nobody is left behind", lambda: not studio.nursery.children(), seconds=10)


def kill_workers(studio: Studio) -> None:
    before = until("both workers are there", lambda: pids if len(pids := studio.worker_pids()) == 2 else None)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until("two others are there", lambda: len(set(studio.worker_pids()) - set(before)) == 2)
