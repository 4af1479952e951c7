"""A text too large for its row lies beside it, whole, once for each run, as long as the run, and not a day longer."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from treadle import Event
from treadle.engine import ticks
from treadle.engine.commands import OpenPrompt
from treadle.engine.journal import Kept
from treadle.engine.limits import LIMITS, MIB
from treadle.engine.readers import from_record
from treadle.engine.record import Record
from treadle.engine.records import to_record
from treadle.errors import ValueNotStorable
from treadle.resources import MIGRATIONS
from treadle.store import blobs
from treadle.store.care.fsck import check
from treadle.store.care.readonly import ReadOnly
from treadle.store.care.retention import Rule, prune
from treadle.store.database import Database
from treadle.store.journal import read_records
from treadle.store.migrations import migrate
from treadle.store.prompts import prompts_of
from treadle.store.runs import entries_after, entries_before, find_run, start_fields
from treadle.store.share import Share
from treadle.store.tables import Run
from treadle.store.versions import Versions
from treadle.store.writer import Writer

NOISE = random.Random(7).randbytes(200_000).hex()
"""What zlib cannot make much smaller."""


class Page(Event):
    text: str = ""
    rows: Any = None


TYPES = {"Page": Page}
LARGE = Page(text="é" * (2 * MIB // 6), rows={1: NOISE})


@pytest.fixture
def database(tmp_path: Path):
    made = Database(f"sqlite:///{tmp_path / 'treadle.db'}", full=False)
    migrate(made, MIGRATIONS)
    with made.write() as connection:
        for run_id in ("r1", "r2"):
            row = {"id": run_id, "workflow": "w", "status": "completed", "created_at": 0.0, "ended_at": 1.0}
            connection.execute(insert(Run.__table__).values(row))
    yield made
    made.close()


def sent(seq: int, event: Event) -> Record:
    return to_record(seq, ticks.EventSent(1.0, event), TYPES)


def keep(database: Database, run_id: str, *records: Record, prompt: bool = False) -> Share:
    """Write `records` as a worker does."""
    share = Share(run_id, 0)
    for record in records:
        share.add(record, [OpenPrompt(record.seq, Page(text="?"))] if prompt else [])

    async def write() -> None:
        share.kept = Kept()
        writer = Writer(database, committed=lambda runs: None)
        writer.submit(lambda: share)
        await share.kept
        await writer.close()

    asyncio.run(write())
    return share


def count(database: Database, what: str = "*") -> int:
    with database.read() as connection:
        return connection.execute(text(f"SELECT count({what}) FROM blob")).scalar() or 0


def stored(database: Database, run_id: str = "r1") -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(text("SELECT * FROM entry WHERE run_id = :id ORDER BY seq"), {"id": run_id}))


def test_large_payload_comes_back_whole(database):
    record = sent(1, LARGE)
    assert len(record.payload) > 2 * MIB
    keep(database, "r1", record, sent(2, Page(text="small")))
    (large, small) = stored(database)
    assert len(large.payload) < 200
    assert small.payload == '{"text":"small","rows":null}'
    assert read_records(database, "r1")[0] == record
    back = from_record(read_records(database, "r1")[0], TYPES)
    assert back.event == LARGE


def test_large_detail_comes_back_whole(database):
    record = to_record(1, ticks.RunStarted(1.0, Page(), {"index": [NOISE] * 5}), TYPES)
    keep(database, "r1", record)
    assert len(stored(database)[0].detail) < 200
    assert read_records(database, "r1") == [record]


def test_text_is_kept_once_for_each_run_and_compressed(database):
    keep(database, "r1", *(sent(seq, LARGE) for seq in (1, 2, 3)))
    keep(database, "r1", sent(4, LARGE))
    keep(database, "r2", sent(1, LARGE))
    assert count(database) == 2
    with database.read() as connection:
        size, kept = connection.execute(text("SELECT size, length(bytes) FROM blob WHERE run_id = 'r1'")).one()
    assert size == len(sent(1, LARGE).payload)
    assert kept < size / 4
    assert [len(read_records(database, run_id)) for run_id in ("r1", "r2")] == [4, 1]


def test_only_what_is_larger_than_a_row_may_be_is_set_apart(database):
    exact = Record(1, 1.0, "event_sent", None, "Page", '"' + "x" * (LIMITS.inline - 2) + '"')
    above = Record(2, 1.0, "event_sent", None, "Page", '"' + "x" * (LIMITS.inline - 1) + '"')
    keep(database, "r1", exact, above)
    assert len(stored(database)[0].payload) == LIMITS.inline
    assert count(database) == 1
    assert read_records(database, "r1") == [exact, above]


def test_commit_that_is_tried_again_writes_the_same(database):
    share = Share("r1", 0)
    share.add(sent(1, LARGE), [])
    share.take_out_blobs()
    once = (list(share.entries), list(share.blobs))
    share.take_out_blobs()
    assert (share.entries, share.blobs) == once
    assert len(share.blobs) == 1


def test_no_value_is_taken_for_a_stub(database):
    """A dictionary that looks like one is written as a dictionary that has a `$`."""
    trick = Page(rows={"$": "blob", "hash": "0" * 64, "size": 3})
    extra = Page.model_construct(**{"$": "blob", "hash": "0" * 64, "size": 3})
    records = [sent(1, trick), sent(2, extra), to_record(3, ticks.ContextChanged(1.0, None, "$", {"$": "blob"}), TYPES)]
    keep(database, "r1", *records)
    assert count(database) == 0
    back = [from_record(record, TYPES) for record in read_records(database, "r1")]
    assert back[0].event == trick
    assert back[1].event == extra
    assert (back[2].key, back[2].value) == ("$", {"$": "blob"})


def test_blob_goes_with_its_run(database):
    keep(database, "r1", sent(1, LARGE))
    keep(database, "r2", sent(1, LARGE))
    with database.write() as connection:
        connection.execute(text("DELETE FROM run WHERE id = 'r1'"))
    assert count(database) == 1
    assert read_records(database, "r2")[0].payload == sent(1, LARGE).payload
    with closing(Database(database.url, cascades=False)) as bare:
        prune(bare, Rule(older_than=1.0), now=100_000.0, rest=lambda seconds: None)
    assert count(database) == 0


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("DELETE FROM blob", r"Blob [0-9a-f]{12} of run r1 is not there; restore it from a backup"),
        ("UPDATE blob SET bytes = x'00'", r"Blob [0-9a-f]{12} of run r1 is damaged"),
        ("UPDATE blob SET bytes = (SELECT bytes FROM blob WHERE run_id = 'r2')", "is damaged"),
    ],
)
def test_blob_that_is_not_what_it_was_is_told_and_found(database, damage, told, tmp_path):
    keep(database, "r1", sent(1, LARGE))
    keep(database, "r2", sent(1, Page(text=NOISE * 4)))
    with database.write() as connection:
        connection.execute(text(damage))
    with pytest.raises(ValueNotStorable, match=told):
        read_records(database, "r1")
    with closing(ReadOnly(tmp_path / "treadle.db")) as looked_at:
        report = check(looked_at, Versions(), run_id="r1")
    assert any("Blob" in finding.message for finding in report.findings)


def test_page_has_the_beginning_and_where_to_get_the_rest(database):
    middle = Page(text="m" * 100_000)
    keep(database, "r1", sent(1, LARGE), sent(2, middle), sent(3, Page(text="small")))
    whole = [record.payload for record in read_records(database, "r1")]
    with database.read() as connection:
        for found in (
            entries_after(connection, "r1", after=0, limit=9), entries_before(connection, "r1", before=None, limit=9)
        ):  # fmt: skip
            large, half, small = found
            assert (large.size, large.head) == (len(whole[0]), whole[0][: blobs.HEAD])
            assert large.payload == {"$": "blob", "hash": large.payload["hash"], "size": large.size}
            assert (half.size, half.head) == (len(whole[1]), whole[1][: blobs.HEAD])
            assert json.loads(whole[1]) == half.payload
            assert (small.size, small.head, small.payload) == (len(whole[2]), None, {"text": "small", "rows": None})
        assert [blobs.payload_text(connection, "r1", seq) for seq in (1, 2, 3)] == whole
        assert blobs.payload_text(connection, "r1", 9) is None
        assert blobs.payload_text(connection, "r2", 1) is None


def test_prompt_and_form_do_without_a_payload_that_is_set_apart(database):
    start = to_record(1, ticks.RunStarted(1.0, LARGE, {}), TYPES)
    keep(database, "r1", start, prompt=True)
    assert count(database) == 1
    with database.read() as connection:
        assert start_fields(connection, "r1") == {}
        (prompt,) = prompts_of(connection, "r1")
        assert prompt.payload["$"] == "blob"


def test_long_result_has_a_beginning_to_be_shown(database):
    with database.write() as connection:
        connection.execute(text("UPDATE run SET result = :text WHERE id = 'r1'"), {"text": json.dumps("x" * 70_000)})
    with database.read() as connection:
        run, other = find_run(connection, "r1"), find_run(connection, "r2")
    assert run is not None
    assert other is not None
    assert (len(run.head or ""), run.result) == (blobs.HEAD, "x" * 70_000)
    assert (other.head, other.warnings, other.not_resumable) == (None, (), None)
