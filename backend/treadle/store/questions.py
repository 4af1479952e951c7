"""What pages read about questions: runs that ask whether a step was done which may be done at most once.

The run itself is the question: it stands as long as the run is interrupted for that reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlmodel import SQLModel

from treadle.engine.rules.resuming import UNKNOWN
from treadle.store import tables

_RUN = SQLModel.metadata.tables[str(tables.Run.__tablename__)].c
_ASKS = (_RUN.status == "interrupted", _RUN.error.contains(f'"type":"{UNKNOWN}"'))


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A run that asks, and the step it asks about; `delivery` is "seq:step"."""

    run_id: str
    workflow: str
    step: str
    delivery: str
    created_at: float
    parent_id: str | None


def open_questions(db: Connection, *, limit: int = 100) -> tuple[QuestionRow, ...]:
    """Questions that wait for a person, those of the oldest runs first."""
    query = (
        select(_RUN.id, _RUN.workflow, _RUN.error, _RUN.created_at, _RUN.parent_id)
        .where(*_ASKS)
        .order_by(_RUN.created_at, _RUN.id)
        .limit(limit)
    )
    found = []
    for row in db.execute(query):
        error = json.loads(row.error)
        told = (error.get("step") or "", error.get("delivery") or "")
        found.append(QuestionRow(row.id, row.workflow, *told, row.created_at, row.parent_id))
    return tuple(found)


def count_questions(db: Connection) -> int:
    """How many questions wait."""
    return int(db.execute(select(func.count()).select_from(_RUN.id.table).where(*_ASKS)).scalar_one())
