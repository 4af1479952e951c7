"""What an attempt showed before its step was tried again is marked, by what its journal says afterwards."""

from __future__ import annotations

import pytest
from sqlalchemy import insert
from sqlmodel import SQLModel

from treadle.store.database import Database
from treadle.store.runs import entries_after, entries_before
from treadle.store.superseded import superseded_by

SHOWN = ("event_streamed", 2, "work")
AGAIN = '{"error":{},"retry_at":9.5}'
FINAL = '{"error":{},"retry_at":null}'


@pytest.fixture
def tell(tmp_path):
    """`tell(entry, ...)`: a journal of (kind, cause, step, payload); the seqs that are superseded, read in two ways."""
    database = Database(f"sqlite:///{tmp_path / 'treadle.db'}", full=False)
    with database.write() as connection:
        SQLModel.metadata.create_all(connection)

    def told(*entries):
        tables = SQLModel.metadata.tables
        rows = [
            {"run_id": "r", "seq": seq, "at": 0.0, "kind": kind, "cause": cause, "step": step,
             "payload": payload[0] if payload else "{}", "detail": payload[1] if payload[1:] else None}
            for seq, (kind, cause, step, *payload) in enumerate(entries, start=1)
        ]  # fmt: skip
        with database.write() as connection:
            connection.execute(insert(tables["run"]).values(
                id="r", workflow="W", status="running", created_at=0.0, fingerprint="", held=False, entries=len(rows),
                counts="{}", queue="[]", lease_until=0.0, epoch=1))  # fmt: skip
            connection.execute(insert(tables["entry"]), rows)
        with database.read() as connection:
            forward = [row.seq for row in entries_after(connection, "r", after=0, limit=99) if row.superseded]
            back = [row.seq for row in entries_before(connection, "r", before=None, limit=99) if row.superseded]
            live = superseded_by(connection, "r", {rows[-1]["kind"]}, after=len(rows) - 1)
        assert forward == back
        if live:
            assert list(live) == [seq for seq in forward if seq < len(rows)]
        return forward

    yield told
    database.close()


@pytest.mark.parametrize(
    ("later", "over"),
    [
        ([], []),
        ([("step_failed", 2, "work", AGAIN)], [1]),
        ([("step_failed", 2, "work", FINAL)], []),
        ([("step_failed", 2, "work", FINAL), ("reopened", None, None)], [1]),
        ([("step_failed", 3, "work", AGAIN)], []),
        ([("step_failed", 2, "other", AGAIN)], []),
        ([("resumed", None, None)], [1]),
        ([("step_finished", 2, "work"), ("resumed", None, None)], []),
        ([("step_finished", 3, "work"), ("resumed", None, None)], [1]),
        ([("resumed", None, None), SHOWN, ("step_finished", 2, "work"), ("resumed", None, None)], [1]),
        ([("step_failed", 2, "work", AGAIN), SHOWN, ("step_failed", 2, "work", AGAIN)], [1, 3]),
    ],
)
def test_superseded_is_what_a_later_attempt_shows_again(tell, later, over):
    assert tell(SHOWN, *later) == over


def test_what_nobody_shows_again_is_not(tell):
    """A prompt asks once; what somebody outside a step shows belongs to no attempt."""
    prompt = ("event_streamed", 2, "work", "{}", '{"prompt":true}')
    assert tell(prompt, ("event_streamed", None, None), ("event_sent", 2, "work"), ("resumed", None, None)) == []
