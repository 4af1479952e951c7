"""What pages read about prompts: those that wait for a person, and one with its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select
from sqlmodel import SQLModel

from treadle.store import tables
from treadle.store.questions import count_questions

_PROMPT = SQLModel.metadata.tables[str(tables.Prompt.__tablename__)].c
_RUN = SQLModel.metadata.tables[str(tables.Run.__tablename__)].c


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt and the run that raised it; status is open, answered or withdrawn."""

    run_id: str
    id: int
    event_type: str
    prefix: str
    payload: dict[str, Any]
    status: str
    created_at: float
    answered_at: float | None
    response_type: str | None
    response: dict[str, Any] | None
    expects: dict[str, dict[str, Any]] | None
    """{event class: JSON schema} of what answers it, where a step waits for that."""
    workflow: str
    fingerprint: str
    parent_id: str | None
    """The run whose step started the one that asks."""

    @property
    def text(self) -> str:
        """What the person is asked; the event's name when it carries no words."""
        return self.prefix.strip() or self.event_type


_COLUMNS = (*_PROMPT, _RUN.workflow, _RUN.fingerprint, _RUN.parent_id)


def open_prompts(db: Connection, *, limit: int = 100) -> tuple[PromptRow, ...]:
    """Prompts that wait for a person, oldest first."""
    query = (
        select(*_COLUMNS)
        .join_from(_PROMPT.id.table, _RUN.id.table, _PROMPT.run_id == _RUN.id)
        .where(_PROMPT.status == "open")
        .order_by(_PROMPT.created_at, _PROMPT.run_id)
        .limit(limit)
    )
    return tuple(_prompt(row) for row in db.execute(query).mappings())


def count_open(db: Connection) -> int:
    """How many prompts and questions wait: the number in the title."""
    query = select(func.count()).select_from(_PROMPT.id.table).where(_PROMPT.status == "open")
    return int(db.execute(query).scalar_one()) + count_questions(db)


def prompts_of(db: Connection, run_id: str) -> tuple[PromptRow, ...]:
    """Every prompt of a run, in order."""
    query = (
        select(*_COLUMNS)
        .join_from(_PROMPT.id.table, _RUN.id.table, _PROMPT.run_id == _RUN.id)
        .where(_PROMPT.run_id == run_id)
        .order_by(_PROMPT.id)
    )
    return tuple(_prompt(row) for row in db.execute(query).mappings())


def find_prompt(db: Connection, run_id: str, prompt_id: int) -> PromptRow | None:
    """One prompt of a run, or None."""
    return next((prompt for prompt in prompts_of(db, run_id) if prompt.id == prompt_id), None)


def _prompt(row: RowMapping) -> PromptRow:
    known = dict(row)
    known["payload"] = json.loads(known["payload"] or "{}")
    for name in ("response", "expects"):
        known[name] = json.loads(known[name]) if known[name] else None
    return PromptRow(**known)
