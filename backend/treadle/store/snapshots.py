"""Snapshots: the context a run ended or waits with, to continue from."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from treadle.engine.serializers import from_json
from treadle.errors import ValueNotStorable
from treadle.store.database import Database
from treadle.store.tables import Run, Snapshot

_snapshots, _runs = Snapshot.__table__, Run.__table__  # type: ignore[attr-defined]


def read_context(database: Database, run_id: str) -> dict[str, Any]:
    """The saved context of a run. Raises ValueNotStorable when it was never saved or names a class that is gone."""
    with database.read() as connection:
        text = connection.execute(select(_snapshots.c.context).where(_snapshots.c.run_id == run_id)).scalar()
        remarks = connection.execute(select(_runs.c.remarks).where(_runs.c.id == run_id)).scalar()
    if text is None:
        lost = json.loads(remarks or "{}").get("not_resumable")
        why = f": {lost['message']}" if lost else "."
        raise ValueNotStorable(f"Run {run_id} left no context to continue from{why}")
    context: dict[str, Any] = from_json(text)
    return context
