"""Runs that stopped, in real processes killed with -9: what a person does with them happens, and nothing twice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from processes.serving import Serving, until

FLOWS = Path(__file__).parent / "stopping_flows.py"
PATIENCE = 180.0
"""Seconds: workers are started anew many times here, on machines that are busy."""
FAULTS = {
    "os._exit(3)  # the fault": 'return StopEvent(result="woven")',
    'raise ValueError("too short")  # the fault': 'return StopEvent(result="cut")',
}


class Shop:
    """A studio with a file of its own, which can be broken and mended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "stopping.py"
        shutil.copy(FLOWS, self.file)
        self.serving = Serving(folder, [self.file], workers=1)

    def marks(self) -> dict[str, int]:
        known = ("ordered", "paid", "thanked", "wound", "measured", "cut", "knotted")
        return {name: len((self.folder / name).read_text()) for name in known if (self.folder / name).exists()}

    def edit(self, **changes: str) -> None:
        text = FLOWS.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        self.file.write_text(text)

    def begin(self, workflow: str) -> str:
        """Start a run, once the workflow is published; its id."""

        def post() -> str | None:
            answer = self.serving.ask("POST", f"/workflows/{workflow}/runs", {})
            return answer.json["id"] if answer.status == 201 else None

        return until(f"{workflow} can be run", post, seconds=PATIENCE)

    def ended(self, run_id: str) -> dict[str, Any]:
        return self.serving.ended(run_id, seconds=PATIENCE)

    def again(self) -> None:
        """The whole studio killed and started anew."""
        self.serving.kill()
        self.serving.start()

    def post(self, run_id: str, noun: str, **body: object) -> int:
        return self.serving.ask("POST", f"/runs/{run_id}/{noun}", body).status

    def fsck(self) -> None:
        command = [sys.executable, "-m", "treadle", "fsck", "--json", "--database", str(self.serving.database)]
        told = subprocess.run(command, check=False, capture_output=True, text=True, cwd=self.folder, timeout=60)
        report = json.loads(told.stdout)
        assert (report["findings"], told.returncode) == ([], 0), told.stdout


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path)
    made.serving.start()
    try:
        yield made
    finally:
        made.serving.kill()


def unknown(shop: Shop) -> str:
    """A run that asks: everything was killed while it paid."""
    run_id = shop.begin("Pays")
    until("it pays", lambda: "paid" in shop.marks(), seconds=PATIENCE)
    shop.again()
    run = shop.ended(run_id)
    assert (run["status"], run["error"]["type"]) == ("interrupted", "StepUnknown")
    shop.again()  # and the question is still there
    (asked,) = shop.serving.ask("GET", "/inbox.json").json["questions"]
    assert (asked["run"], asked["step"]) == (run_id, "pay")
    return run_id


def test_step_that_was_done_counts_as_done(shop):
    run_id = unknown(shop)
    question = shop.serving.ask("GET", f"/runs/{run_id}/question.json").json["question"]
    assert list(question["outcomes"]) == ["Paid"]
    said = {"verdict": "done", "type": "Paid", "epoch": question["epoch"]}
    assert shop.post(run_id, "verdict", **said, fields={"receipt": "none"}) == 422
    assert shop.post(run_id, "verdict", **said, fields={"receipt": 41}) == 202
    shop.serving.kill()  # accepted is accepted
    shop.fsck()
    shop.serving.start()
    assert shop.ended(run_id)["result"] == 41
    assert shop.post(run_id, "verdict", **said, fields={"receipt": 41}) == 202, "said once more, it is still said once"
    assert shop.post(run_id, "verdict", verdict="again") == 409
    assert shop.marks() == {"ordered": 1, "paid": 1, "thanked": 1}
    assert shop.serving.ask("GET", "/inbox.json").json["questions"] == []
    shop.fsck()


def test_step_that_was_not_done_is_done_again(shop):
    run_id = unknown(shop)
    (shop.folder / "go").touch()
    assert shop.post(run_id, "verdict", verdict="again") == 202
    assert shop.ended(run_id)["result"] == 1
    assert shop.marks() == {"ordered": 1, "paid": 2, "thanked": 1}
    shop.fsck()


def test_run_that_asks_can_be_failed(shop):
    run_id = unknown(shop)
    assert shop.post(run_id, "resumption") == 409
    assert shop.post(run_id, "verdict", verdict="fail") == 202
    run = shop.serving.run(run_id)
    assert (run["status"], run["error"]["type"], run["error"]["step"]) == ("failed", "StepUnknown", "pay")
    assert run["error"]["message"].endswith("Given up by a person.")
    assert shop.marks() == {"ordered": 1, "paid": 1}
    shop.fsck()


def test_run_whose_step_crashed_goes_on_once_that_is_mended(shop):
    run_id = shop.begin("Fragile")
    run = shop.ended(run_id)
    assert (run["status"], run["error"]["type"]) == ("interrupted", "StepCrashed")
    assert "Mend the step, then resume the run" in run["error"]["message"]
    shop.edit(**FAULTS)
    shop.again()
    assert shop.post(run_id, "resumption", epoch=run["epoch"]) == 202
    assert shop.ended(run_id)["result"] == "woven"
    assert shop.marks() == {"wound": 1}
    shop.fsck()


def test_failed_run_is_retried_and_what_was_done_is_not_done_again(shop):
    run_id = shop.begin("Short")
    run = shop.ended(run_id)
    assert (run["status"], run["error"]["message"]) == ("failed", "too short")
    assert shop.post(run_id, "resumption") == 409
    shop.edit(**FAULTS)
    shop.serving.kill()
    shop.serving.start()
    assert shop.post(run_id, "retry", epoch=run["epoch"]) == 202
    assert shop.post(run_id, "retry", epoch=run["epoch"]) == 202
    shop.again()
    run = shop.ended(run_id)
    assert (run["status"], run["result"], run["error"]) == ("completed", "cut", None)
    events = shop.serving.ask("GET", f"/runs/{run_id}/events.json").json["events"]
    kinds = [event["kind"] for event in events]
    assert kinds.count("reopened") == 1
    assert [event["step"] for event in events if event["kind"] == "step_finished"] == ["measure", "cut"]
    marks = shop.marks()
    assert marks["measured"] == 1
    assert 2 <= marks["cut"] <= 2 + kinds.count("resumed"), "once more only where the kill came in its middle"
    assert shop.post(run_id, "retry") == 409
    shop.fsck()


def test_run_whose_step_is_gone_waits_for_it_and_resumes_once_it_is_back(shop):
    run_id = shop.begin("Knots")
    until("it was tried", lambda: shop.marks().get("knotted", 0) > 1, seconds=PATIENCE)
    shop.serving.kill()
    shop.edit(**{"async def knot(": "async def knit("})
    shop.serving.start()
    run = shop.ended(run_id)
    gone = "Step 'knot' is no longer part of workflow Knots; put it back and resume the run."
    assert (run["status"], run["error"]["message"]) == ("interrupted", gone)
    assert shop.post(run_id, "resumption", epoch=run["epoch"]) == 202
    until("it is parked again", lambda: shop.serving.run(run_id)["epoch"] > run["epoch"], seconds=PATIENCE)
    assert shop.ended(run_id)["status"] == "interrupted"
    shop.serving.kill()
    shop.edit()
    (shop.folder / "go").touch()
    shop.serving.start()
    assert shop.post(run_id, "resumption") == 202
    assert shop.ended(run_id)["result"] == "knotted"
    assert shop.marks()["ordered"] == 1
    shop.fsck()


def test_run_is_given_up_though_nobody_can_load_its_workflow(shop):
    run_id = shop.begin("Fragile")
    assert shop.ended(run_id)["status"] == "interrupted"
    shop.serving.kill()
    shop.file.write_text("class Nothing: pass\n")
    shop.serving.start()
    assert shop.post(run_id, "abandonment") == 201
    assert shop.post(run_id, "abandonment") == 201
    run = shop.serving.run(run_id)
    assert (run["status"], run["error"]["type"]) == ("failed", "StepCrashed")
    assert run["error"]["message"].endswith("Given up by a person.")
    shop.fsck()
