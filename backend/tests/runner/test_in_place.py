"""What a step changes in place in the context is in the journal before anything follows from it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from treadle.registry.catalog import Catalog, event_types
from treadle.registry.loader import load_paths
from treadle.store.care.fsck import check
from treadle.store.care.readonly import ReadOnly
from treadle.store.journal import read_records
from treadle.store.leases import drop_leases
from treadle.store.saving import Saving
from treadle.store.states import Code, recover
from treadle.store.versions import Versions

FLOWS = Path(__file__).parent / "in_place_flows.py"


@pytest.fixture
def changing(bench, monkeypatch):
    bench.flows = [FLOWS]
    monkeypatch.setattr(Saving, "EVERY", 20)
    return bench


def findings(bench):
    with closing(ReadOnly(bench.database.file)) as database:
        report = check(database, Versions())
    assert report.notes == []
    return report.findings


def recovered(bench, run_id, name):
    loaded = Catalog.of(load_paths([FLOWS])).workflows[name]
    code = Code(loaded.fingerprint, loaded.workflow.table.routes, event_types(loaded.workflow))
    with bench.database.read() as connection:
        return recover(connection, run_id, code)


@pytest.mark.parametrize("words", [1, 300])
async def test_what_was_appended_comes_back(changing, tmp_path, words):
    fields = {"turns": 60, "halt": 50, "words": words, "go": str(tmp_path / "go")}
    async with changing.working("w1"):
        run_id = changing.requests.start("Appends", fields).run_id
        await changing.until(run_id, lambda row: '"turn":{"started":51,"running":1,"done":50' in row["counts"])
    drop_leases(changing.database, "w1")
    assert findings(changing) == []
    state = recovered(changing, run_id, "Appends")
    assert state.saved_at > 0
    assert len(state.state.context["book"].lines) == 50, "the line of the turn that was cut short is not there"
    (tmp_path / "go").touch()
    async with changing.working("w2"):
        row = await changing.until(run_id, lambda row: row["status"] == "completed")
    assert row["result"] == 60
    assert findings(changing) == []
    sizes = [record.size for record in read_records(changing.database, run_id) if record.kind == "context_changed"]
    assert sum(sizes) < 500_000, "as whole values they would come to 2.7 MB"


async def test_attempt_that_fails_leaves_everything_as_it_was(changing):
    async with changing.working("w1"):
        run_id = changing.requests.start("Stumbles", {}).run_id
        row = await changing.until(run_id, lambda row: row["status"] not in ("running", "held"))
    assert row["result"] == [["a", "b"], ["a", "b"], ["a", "b", "c"], ["a", "b"]], row["error"]
    assert findings(changing) == []


async def test_taker_of_an_event_finds_in_the_journal_what_was_done_before_it_was_sent(changing):
    async with changing.working("w1"):
        run_id = changing.requests.start("Sends", {}).run_id
        row = await changing.until(run_id, lambda row: row["status"] == "completed")
    assert row["result"] == ["first", "second", "third"]
    told = [
        (record.kind, json.loads(record.payload or "{}").get("value"))
        for record in read_records(changing.database, run_id)
        if record.kind in ("context_changed", "event_sent")
    ]
    assert told == [
        ("context_changed", []),
        ("context_changed", ["first"]),
        ("event_sent", None),
        ("context_changed", ["first", "second"]),
        ("event_sent", None),
        ("context_changed", ["first", "second", "third"]),
    ]
    assert findings(changing) == []
