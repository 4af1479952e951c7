"""Snapshots: the context a run ended or waits with, to continue from."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from treadle.engine.serializers import from_json
from treadle.errors import ValueNotStorable
from treadle.store.database import Database
from treadle.store.tables import Snapshot

_snapshots = Snapshot.__table__  # type: ignore[attr-defined]


def read_context(database: Database, run_id: str) -> dict[str, Any]:
    """The saved context of a run. Raises ValueNotStorable when it was never saved or names a class that is gone."""
    with database.read() as connection:
        text = connection.execute(select(_snapshots.c.context).where(_snapshots.c.run_id == run_id)).scalar()
    if text is None:
        raise ValueNotStorable(f"Run {run_id} left no context to continue from.")
    context: dict[str, Any] = from_json(text)
    return context
