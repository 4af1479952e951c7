"""Code that changes under a run: what was done stays done by the code of its time, the rest is done by today's."""

from __future__ import annotations

from contextlib import closing

import pytest

from treadle.store.care.fsck import check
from treadle.store.care.readonly import ReadOnly
from treadle.store.leases import drop_leases
from treadle.store.versions import Versions

FIRST = '''
from saving_gate import gate
from treadle import Context, Event, StartEvent, StopEvent, Workflow, step


class Cut(Event):
    go: str


class Sewn(Event):
    go: str


class Coat(Workflow):
    @step
    async def cut(self, ctx: Context, ev: StartEvent) -> Cut:
        await ctx.set("done", ["cut"])
        return Cut(go=ev.go)

    @step
    async def sew(self, ctx: Context, ev: Cut) -> Sewn:
        await gate(ev.go)
        await ctx.set("done", [*await ctx.get("done"), "sewn"])
        return Sewn(go=ev.go + "!")

    @step
    async def press(self, ctx: Context, ev: Sewn) -> StopEvent:
        await gate(ev.go)
        return StopEvent(result=[*await ctx.get("done"), "pressed"])
'''
RENAMED = FIRST.replace("def sew(", "def stitch(")
MORE = FIRST + '''
    @step
    async def chalk(self, ctx: Context, ev: Cut) -> None:
        await ctx.set("done", [*await ctx.get("done"), "chalked"])
'''


@pytest.fixture
def coat(bench, tmp_path):
    file = tmp_path / "coat.py"
    bench.flows = [file]

    async def halted(text, worker, run_id=None, step="sew"):
        """A worker with this code drives the run until it stands in `step`, and ends there."""
        file.write_text(text)
        async with bench.working(worker):
            run_id = run_id or bench.requests.start("Coat", {"go": str(tmp_path / "go")}).run_id
            await bench.until(run_id, lambda row: f'"{step}":{{"started":1,"running":1' in row["counts"])
        drop_leases(bench.database, worker)
        return run_id

    async def ended(text, worker, run_id):
        file.write_text(text)
        async with bench.working(worker):
            row = await bench.until(run_id, lambda row: row["status"] in ("completed", "failed", "interrupted"))
        drop_leases(bench.database, worker)
        return row

    return halted, ended


def findings(bench):
    with closing(ReadOnly(bench.database.file)) as database:
        report = check(database, Versions())
    return [*report.findings, *report.notes]


async def test_run_in_a_step_that_is_gone_is_parked_and_goes_on_when_it_is_back(bench, coat, tmp_path):
    halted, ended = coat
    run_id = await halted(FIRST, "w1")
    (tmp_path / "go").touch()
    (tmp_path / "go!").touch()
    row = await ended(RENAMED, "w2", run_id)
    assert row["status"] == "interrupted"
    assert row["error"]["message"] == "Step 'sew' is no longer part of workflow Coat; put it back and resume the run."
    assert findings(bench) == []
    bench.requests.reopen(run_id, "resume")
    row = await ended(FIRST, "w3", run_id)
    assert (row["status"], row["result"]) == ("completed", ["cut", "sewn", "pressed"])
    assert findings(bench) == []


async def test_step_that_has_come_since_is_not_given_what_was_delivered_before(bench, coat, tmp_path):
    halted, ended = coat
    run_id = await halted(FIRST, "w1")
    (tmp_path / "go").touch()
    await halted(MORE, "w2", run_id, "press")
    (tmp_path / "go!").touch()
    row = await ended(RENAMED, "w3", run_id)
    assert (row["status"], row["result"]) == ("completed", ["cut", "sewn", "pressed"])
    assert findings(bench) == []
    versions = [entry["payload"] for entry in bench.entries(run_id) if entry["kind"] == "resumed"]
    assert all('"version":"' in payload for payload in versions)
    assert len(versions) == 2


async def test_run_that_goes_on_with_the_same_code_says_nothing_of_it(bench, coat, tmp_path):
    halted, ended = coat
    run_id = await halted(FIRST, "w1")
    (tmp_path / "go").touch()
    (tmp_path / "go!").touch()
    assert (await ended(FIRST, "w2", run_id))["status"] == "completed"
    (resumed,) = (entry["payload"] for entry in bench.entries(run_id) if entry["kind"] == "resumed")
    assert "version" not in resumed
