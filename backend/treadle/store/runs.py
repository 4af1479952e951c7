"""What pages read about runs: one run, a page of runs, a page of entries; never a whole journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, or_, select
from sqlmodel import SQLModel

from treadle.store import tables

_RUN = SQLModel.metadata.tables[str(tables.Run.__tablename__)].c
_ENTRY = SQLModel.metadata.tables[str(tables.Entry.__tablename__)].c

FINAL = frozenset({"completed", "failed", "cancelled", "timed_out"})
STATUSES = ("running", "held", "waiting", "interrupted", "completed", "failed", "cancelled", "timed_out")


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as one row of a list; times are seconds since the epoch."""

    id: str
    workflow: str
    fingerprint: str
    status: str
    held: bool
    created_at: float
    started_at: float | None
    ended_at: float | None
    entries: int
    continued_from: str | None

    @property
    def final(self) -> bool:
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class RunDetail(RunSummary):
    """A run with everything its own page shows."""

    result: Any
    error: dict[str, Any] | None
    counts: dict[str, Any]
    queue: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One journal entry as a person reads it; `size` is the length of its payload's JSON in characters."""

    run_id: str
    seq: int
    at: float
    kind: str
    step: str | None
    event_type: str | None
    payload: Any
    cause: int | None
    size: int


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first; `next` is the cursor of the page after it."""

    runs: tuple[RunSummary, ...]
    next: str | None


_SUMMARY = [_RUN[name] for name in RunSummary.__slots__]


def find_run(db: Connection, run_id: str) -> RunDetail | None:
    """The run with this id, or None."""
    row = db.execute(
        select(*_SUMMARY, _RUN.result, _RUN.error, _RUN.counts, _RUN.queue).where(_RUN.id == run_id)
    ).mappings().first()  # fmt: skip
    if row is None:
        return None
    return RunDetail(
        **_summary_fields(row),
        result=_loads(row["result"]),
        error=_loads(row["error"]),
        counts=_loads(row["counts"]) or {},
        queue=_loads(row["queue"]) or [],
    )


def page_of_runs(
    db: Connection,
    *,
    statuses: Sequence[str] = (),
    workflow: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> RunPage:
    """Up to `limit` runs, newest first, after the cursor `before` (a RunPage.next)."""
    query = select(*_SUMMARY).order_by(_RUN.created_at.desc(), _RUN.id.desc()).limit(limit + 1)
    if statuses:
        query = query.where(_RUN.status.in_(statuses))
    if workflow:
        query = query.where(_RUN.workflow == workflow)
    if before and (cursor := _cursor(before)):
        at, run_id = cursor
        query = query.where(or_(_RUN.created_at < at, and_(_RUN.created_at == at, _RUN.id < run_id)))
    found = [RunSummary(**_summary_fields(row)) for row in db.execute(query).mappings()]
    more = len(found) > limit
    found = found[:limit]
    return RunPage(tuple(found), f"{found[-1].created_at!r}~{found[-1].id}" if more else None)


def failed_since(db: Connection, at: float, *, limit: int = 10) -> tuple[RunDetail, ...]:
    """Runs that ended badly after `at`, newest first, with their errors."""
    query = (
        select(_RUN.id)
        .where(_RUN.status.in_(("failed", "timed_out")), _RUN.created_at >= at)
        .order_by(_RUN.created_at.desc())
        .limit(limit)
    )
    found = (find_run(db, run_id) for run_id in db.execute(query).scalars().all())
    return tuple(run for run in found if run is not None)


def recent_statuses(db: Connection, workflow: str, *, limit: int = 20) -> tuple[RunSummary, ...]:
    """The last runs of a workflow, oldest first: the strip on its card."""
    return page_of_runs(db, workflow=workflow, limit=limit).runs[::-1]


def count_by_status(db: Connection) -> dict[str, int]:
    """How many runs there are in each status."""
    rows = db.execute(select(_RUN.status, func.count()).group_by(_RUN.status)).all()
    return {str(row[0]): int(row[1]) for row in rows}


def pulse(db: Connection) -> str:
    """A fingerprint of what lists of runs, prompts and workers show: it differs when one of them does."""
    worker = SQLModel.metadata.tables[str(tables.Worker.__tablename__)].c
    workflow = SQLModel.metadata.tables[str(tables.Workflow.__tablename__)].c
    facts = [
        count_by_status(db),
        db.execute(select(func.max(_RUN.created_at))).scalar(),
        db.execute(select(func.max(workflow.published_at), func.count())).one(),
        db.execute(select(worker.name, worker.busy_since).where(worker.ended_at.is_(None))).all(),
    ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def entries_after(db: Connection, run_id: str, *, after: int, limit: int) -> tuple[EntryRow, ...]:
    """Up to `limit` entries whose seq is greater than `after`, in order."""
    query = (
        select(*_ENTRY).where(_ENTRY.run_id == run_id, _ENTRY.seq > after).order_by(_ENTRY.seq).limit(limit)
    )  # fmt: skip
    return tuple(_entry(row) for row in db.execute(query).mappings())


def entries_before(db: Connection, run_id: str, *, before: int | None, limit: int) -> tuple[EntryRow, ...]:
    """The last `limit` entries whose seq is less than `before` (all when None), in order."""
    query = select(*_ENTRY).where(_ENTRY.run_id == run_id).order_by(_ENTRY.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(_ENTRY.seq < before)
    return tuple(_entry(row) for row in db.execute(query).mappings())[::-1]


def start_fields(db: Connection, run_id: str) -> dict[str, Any]:
    """What the run was started with: the payload of its first entry."""
    query = select(_ENTRY.payload).where(_ENTRY.run_id == run_id, _ENTRY.kind == "run_started").limit(1)
    found = _loads(db.execute(query).scalar())
    return found if isinstance(found, dict) else {}


def _summary_fields(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in RunSummary.__slots__}


def _entry(row: RowMapping) -> EntryRow:
    known = dict(row)
    return EntryRow(
        run_id=known["run_id"],
        seq=known["seq"],
        at=known["at"],
        kind=known["kind"],
        step=known["step"],
        event_type=known["event_type"],
        payload=_loads(known["payload"]),
        cause=known["cause"],
        size=len(known["payload"] or ""),
    )


def _loads(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        # Shown as it stands: one damaged value must not take the page with it.
        return text


def _cursor(text: str) -> tuple[float, str] | None:
    at, _, run_id = text.partition("~")
    try:
        return float(at), run_id
    except ValueError:
        return None
