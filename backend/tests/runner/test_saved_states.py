"""Recovery folds what came after the saved state, and what it comes to is what the whole journal comes to."""

from __future__ import annotations

import json
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from treadle.engine.replay import fold_records
from treadle.registry.catalog import Catalog, event_types
from treadle.registry.loader import load_paths
from treadle.store.care.fsck import check
from treadle.store.care.readonly import ReadOnly
from treadle.store.journal import read_records
from treadle.store.leases import drop_leases
from treadle.store.saving import Saving
from treadle.store.splices import splice_of, whole
from treadle.store.states import Code, recover
from treadle.store.versions import Versions

FLOWS = Path(__file__).parent / "saving_flows.py"


@pytest.fixture
def saving(bench, monkeypatch):
    bench.flows = [FLOWS]
    monkeypatch.setattr(Saving, "EVERY", 50)
    return bench


def saved(bench, run_id):
    with bench.database.read() as connection:
        return connection.execute(text("SELECT seq FROM state WHERE run_id = :id"), {"id": run_id}).scalar()


def folded_both_ways(bench, run_id, name):
    loaded = Catalog.of(load_paths([FLOWS])).workflows[name]
    routes, types = loaded.workflow.table.routes, event_types(loaded.workflow)
    with bench.database.read() as connection:
        recovered = recover(connection, run_id, Code(loaded.fingerprint, routes, types))
    return recovered, fold_records(whole(read_records(bench.database, run_id)), routes, types)


async def halted(bench, name, **fields):
    """A run whose worker ended in its middle."""
    async with bench.working("w1"):
        run_id = bench.requests.start(name, fields).run_id
        least = 2 * fields.get("halt", 0)
        await bench.until(run_id, lambda row: row["entries"] >= least and saved(bench, run_id))
    drop_leases(bench.database, "w1")
    return run_id


@pytest.mark.parametrize("words", [1, 400])
async def test_long_run_goes_on_from_its_saved_state(saving, tmp_path, words):
    fields = {"turns": 150, "halt": 130, "words": words, "go": str(tmp_path / "go")}
    run_id = await halted(saving, "Grows", **fields)
    recovered, folded = folded_both_ways(saving, run_id, "Grows")
    assert recovered.saved_at == saved(saving, run_id) > 0
    assert recovered.state.seq - recovered.saved_at < 150
    assert (recovered.state.size, recovered.state.context) == (folded.size, folded.context)
    assert recovered.state.steps == folded.steps
    (tmp_path / "go").touch()
    async with saving.working("w2"):
        row = await saving.until(run_id, lambda row: row["status"] == "completed")
    assert row["result"][0] == 150
    assert saved(saving, run_id) is None, "a run that is over is not recovered"


async def test_fan_out_goes_on_from_its_saved_state(saving, tmp_path):
    run_id = await halted(saving, "Fans", width=200, halt=120, go=str(tmp_path / "go"))
    recovered, folded = folded_both_ways(saving, run_id, "Fans")
    assert recovered.saved_at
    for part in ("steps", "buffers", "running", "queued", "taken", "emitted", "events", "writers"):
        assert getattr(recovered.state, part) == getattr(folded, part), part
    (tmp_path / "go").touch()
    async with saving.working("w2"):
        row = await saving.until(run_id, lambda row: row["status"] == "completed")
    assert row["result"] == list(range(200))


@pytest.mark.parametrize("bytes_", [zlib.compress(b'{"form":0}'), zlib.compress(b"{"), b"no zlib"])
async def test_saved_state_that_cannot_be_read_is_done_without(saving, tmp_path, bytes_):
    fields = {"turns": 80, "halt": 70, "words": 1, "go": str(tmp_path / "go")}
    run_id = await halted(saving, "Grows", **fields)
    with saving.database.write() as connection:
        connection.execute(text("UPDATE state SET bytes = :bytes"), {"bytes": bytes_})
    recovered, folded = folded_both_ways(saving, run_id, "Grows")
    assert (recovered.saved_at, recovered.state.context) == (0, folded.context)
    assert {finding.run for finding in findings(saving)} == {run_id}
    (tmp_path / "go").touch()
    async with saving.working("w2"):
        await saving.until(run_id, lambda row: row["status"] == "completed")


async def test_context_that_grows_does_not_make_the_journal_grow_with_its_square(saving, tmp_path):
    async with saving.working("w1"):
        run_id = saving.requests.start("Grows", {"turns": 400, "halt": -1, "words": 200, "go": ""}).run_id
        await saving.until(run_id, lambda row: row["status"] == "completed")
    sizes = [record.size for record in read_records(saving.database, run_id) if record.kind == "context_changed"]
    spliced = [
        record for record in read_records(saving.database, run_id)
        if record.kind == "context_changed" and splice_of(record.payload)
    ]  # fmt: skip
    assert len(spliced) > 380
    assert sum(sizes) < 5 * 400 * 1_000, "400 turns of a KB each; whole values would come to 80 MB"


async def test_saved_state_that_is_not_what_its_journal_comes_to_is_found(saving, tmp_path):
    run_id = await halted(saving, "Grows", turns=80, halt=70, words=400, go=str(tmp_path / "go"))
    assert findings(saving) == []
    with saving.database.write() as connection:
        packed = connection.execute(text("SELECT bytes FROM state")).scalar_one()
        changed = json.loads(zlib.decompress(packed))
        changed["context"]["log"].pop()
        packed = zlib.compress(json.dumps(changed).encode())
        connection.execute(text("UPDATE state SET bytes = :bytes"), {"bytes": packed})
    (found,) = findings(saving)
    assert (found.check, found.run, found.entry) == ("saved state", run_id, saved(saving, run_id))


async def test_journal_that_cannot_be_read_parks_its_run_and_no_other(saving, tmp_path):
    fields = {"turns": 5, "halt": 3, "words": 1, "go": str(tmp_path / "go")}
    async with saving.working("w1"):
        damaged, sound = (saving.requests.start("Grows", fields).run_id for _ in range(2))
        for run_id in (damaged, sound):
            await saving.until(run_id, lambda row: '"turn":{"started":4,"running":1' in row["counts"])
    drop_leases(saving.database, "w1")
    with saving.database.write() as connection:
        statement = text("UPDATE entry SET payload = '{' WHERE run_id = :id AND kind = 'context_changed'")
        connection.execute(statement, {"id": damaged})
    (tmp_path / "go").touch()
    async with saving.working("w2"):
        row = await saving.until(damaged, lambda row: row["status"] == "interrupted")
        assert row["error"]["message"].startswith("Its journal cannot be read (JSONDecodeError: ")
        assert row["error"]["message"].endswith("`treadle fsck` says more.")
        await saving.until(sound, lambda row: row["status"] == "completed")


def findings(bench):
    with closing(ReadOnly(bench.database.file)) as database:
        report = check(database, Versions())
    assert report.notes == []
    return report.findings
