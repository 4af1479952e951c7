"""Choices: which entries of a run one looks at, by the step, the event or the way between them that was pointed at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import SQLModel

from treadle.store import tables

_ENTRY = SQLModel.metadata.tables[str(tables.Entry.__tablename__)].c


@dataclass(frozen=True, slots=True)
class Choice:
    """Entries of `step`, with one of `events`, that `taker` took; what is not given does not matter.

    `kinds` are kinds of entries.
    """

    step: str | None = None
    events: tuple[str, ...] = ()
    taker: str | None = None
    kinds: tuple[str, ...] = ()

    def clause(self, run_id: str) -> ColumnElement[Any]:
        """The choice as a condition on rows of the journal."""
        parts: list[ColumnElement[Any]] = [_ENTRY.run_id == run_id]
        if self.step is not None:
            parts.append(_ENTRY.step == self.step)
        if self.events:
            parts.append(_ENTRY.event_type.in_(self.events))
        if self.kinds:
            parts.append(_ENTRY.kind.in_(self.kinds))
        if self.taker is not None:
            causes = select(_ENTRY.cause).where(_ENTRY.run_id == run_id, _ENTRY.step == self.taker)
            parts.append(_ENTRY.seq.in_(causes))
        return and_(*parts)
