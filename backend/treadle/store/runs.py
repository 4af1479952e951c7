"""What pages read about runs: one run, a page of runs, a page of entries; never a whole journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, exists, func, or_, select
from sqlmodel import SQLModel

from treadle.engine.rules.resuming import UNKNOWN
from treadle.store import blobs, tables
from treadle.store.choices import Choice
from treadle.store.leases import LIVE
from treadle.store.reopening import HOPELESS
from treadle.store.superseded import superseded

_RUN = SQLModel.metadata.tables[str(tables.Run.__tablename__)].c
_ENTRY = SQLModel.metadata.tables[str(tables.Entry.__tablename__)].c

ALL = Choice()
FINAL = frozenset({"completed", "failed", "cancelled", "timed_out"})
CHILDREN = 100
"""Runs inside another that its page lists."""
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
    parent_id: str | None
    """The run whose step started this one: its `parent_call`-th call for the event of entry `parent_seq`."""
    parent_seq: int | None
    parent_step: str | None
    parent_call: int | None
    epoch: int
    """How often a worker took it up, or a person ended it: which of its stops one means."""
    nested: int
    """How many runs its own steps started."""

    @property
    def final(self) -> bool:
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class RunDetail(RunSummary):
    """A run with everything its own page shows; `children` are the last of the runs its steps started, in order."""

    result: Any
    error: dict[str, Any] | None
    counts: dict[str, Any]
    queue: list[dict[str, Any]]
    parent_workflow: str | None
    published: bool
    """Whether its workflow is one a run can be started of."""
    children: tuple[RunSummary, ...]
    head: str | None
    """The beginning of the result's JSON text, if that is too long to be shown whole."""
    warnings: tuple[str, ...]
    """Limits that come near."""
    not_resumable: dict[str, Any] | None
    """The value that would be missing if its worker ended now: {message, key, event, step, path, type, entry}."""

    @property
    def stopped(self) -> bool:
        """Whether it stands still with an error."""
        return self.status in ("interrupted", "failed", "timed_out") and self.error is not None

    @property
    def asks(self) -> bool:
        """Whether it asks a person if a step was done."""
        return self.status == "interrupted" and self.error is not None and self.error.get("type") == UNKNOWN

    @property
    def retriable(self) -> bool:
        """Whether a person may have it tried again where it failed."""
        hopeless = self.error is None or self.error.get("type") in HOPELESS
        return self.status in ("failed", "timed_out") and self.parent_id is None and self.entries > 0 and not hopeless

    @property
    def final(self) -> bool:
        """Whether nothing more will happen here: it has ended, and so have the runs inside it."""
        return self.status in FINAL and not any(child.status in LIVE for child in self.children)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One journal entry as a person reads it.

    `size` is the length of its payload's JSON text in characters and, if that is too long to be shown whole, `head` its
    beginning; the payload of a text kept apart is its stub.
    """

    run_id: str
    seq: int
    at: float
    kind: str
    step: str | None
    event_type: str | None
    payload: Any
    cause: int | None
    size: int
    head: str | None = None
    superseded: bool = False
    """Whether it was shown by an attempt that was not its step's last."""


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first; `next` is the cursor of the page after it."""

    runs: tuple[RunSummary, ...]
    next: str | None


_OTHER = SQLModel.metadata.tables[str(tables.Run.__tablename__)].alias("other").c
_WORKFLOW = SQLModel.metadata.tables[str(tables.Workflow.__tablename__)].c
_NESTED = select(func.count()).where(_OTHER.parent_id == _RUN.id).scalar_subquery().label("nested")
# Where the status says more, this leaves SQLite to its index on that: `parent_id IS NULL` is true of nearly all.
_TOP_LEVEL = func.coalesce(_RUN.parent_id, "") == ""
_SUMMARY = [_RUN[name] if name != "nested" else _NESTED for name in RunSummary.__slots__]
_DETAIL = [
    _RUN.result, _RUN.error, _RUN.counts, _RUN.queue, _RUN.remarks,
    select(_OTHER.workflow).where(_OTHER.id == _RUN.parent_id).scalar_subquery().label("parent_workflow"),
    exists().where(_WORKFLOW.name == _RUN.workflow).label("published"),
]  # fmt: skip


def find_run(db: Connection, run_id: str) -> RunDetail | None:
    """The run with this id, or None."""
    row = db.execute(select(*_SUMMARY, *_DETAIL).where(_RUN.id == run_id)).mappings().first()
    if row is None:
        return None
    remarks = _loads(row["remarks"]) or {}
    return RunDetail(
        **_summary_fields(row),
        result=_loads(row["result"]),
        error=_loads(row["error"]),
        counts=_loads(row["counts"]) or {},
        queue=_loads(row["queue"]) or [],
        parent_workflow=row["parent_workflow"],
        published=bool(row["published"]),
        children=page_of_runs(db, parent=run_id, limit=CHILDREN).runs[::-1] if row["nested"] else (),
        head=_head(row["result"]),
        warnings=tuple(remarks.get("warnings", ())),
        not_resumable=remarks.get("not_resumable"),
    )


def page_of_runs(
    db: Connection,
    *,
    statuses: Sequence[str] = (),
    workflow: str | None = None,
    parent: str | None = None,
    nested: bool = False,
    before: str | None = None,
    limit: int = 50,
) -> RunPage:
    """Up to `limit` runs, newest first, after the cursor `before` (a RunPage.next).

    Runs inside others only with `nested`; with `parent` those that the steps of this run started.
    """
    query = select(*_SUMMARY).order_by(_RUN.created_at.desc(), _RUN.id.desc()).limit(limit + 1)
    if statuses:
        query = query.where(_RUN.status.in_(statuses))
    if workflow:
        query = query.where(_RUN.workflow == workflow)
    if parent:
        query = query.where(_RUN.parent_id == parent)
    elif not nested:
        query = query.where(_TOP_LEVEL if statuses else _RUN.parent_id.is_(None))
    if before and (cursor := _cursor(before)):
        at, run_id = cursor
        query = query.where(or_(_RUN.created_at < at, and_(_RUN.created_at == at, _RUN.id < run_id)))
    found = [RunSummary(**_summary_fields(row)) for row in db.execute(query).mappings()]
    more = len(found) > limit
    found = found[:limit]
    return RunPage(tuple(found), f"{found[-1].created_at!r}~{found[-1].id}" if more else None)


def failed_since(db: Connection, at: float, *, limit: int = 10) -> tuple[RunDetail, ...]:
    """Runs that ended badly after `at`, newest first, with their errors; but for those inside others."""
    query = (
        select(_RUN.id)
        .where(_RUN.status.in_(("failed", "timed_out")), _RUN.created_at >= at, _TOP_LEVEL)
        .order_by(_RUN.created_at.desc())
        .limit(limit)
    )
    found = (find_run(db, run_id) for run_id in db.execute(query).scalars().all())
    return tuple(run for run in found if run is not None)


def recent_statuses(db: Connection, workflow: str, *, limit: int = 20) -> tuple[RunSummary, ...]:
    """The last runs of a workflow, oldest first: the strip on its card."""
    return page_of_runs(db, workflow=workflow, nested=True, limit=limit).runs[::-1]


def count_by_status(db: Connection, *, parent: str | None = None, nested: bool = True) -> dict[str, int]:
    """How many runs there are in each status, of those that `page_of_runs` would list."""
    query = select(_RUN.status, func.count()).group_by(_RUN.status)
    if parent:
        query = query.where(_RUN.parent_id == parent)
    elif not nested:
        query = query.where(_RUN.parent_id.is_(None))
    return {str(row[0]): int(row[1]) for row in db.execute(query).all()}


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


def entries_after(
    db: Connection, run_id: str, *, after: int, limit: int, chosen: Choice = ALL
) -> tuple[EntryRow, ...]:
    """Up to `limit` of the chosen entries whose seq is greater than `after`, in order."""
    query = select(*_ENTRY).where(chosen.clause(run_id), _ENTRY.seq > after).order_by(_ENTRY.seq).limit(limit)
    return _entries(db, run_id, query)


def entries_before(
    db: Connection, run_id: str, *, before: int | None, limit: int, chosen: Choice = ALL
) -> tuple[EntryRow, ...]:
    """The last `limit` of the chosen entries whose seq is less than `before` (all when None), in order."""
    query = select(*_ENTRY).where(chosen.clause(run_id)).order_by(_ENTRY.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(_ENTRY.seq < before)
    return _entries(db, run_id, query)[::-1]


def start_fields(db: Connection, run_id: str) -> dict[str, Any]:
    """What the run was started with: the payload of its first entry."""
    query = select(_ENTRY.payload).where(_ENTRY.run_id == run_id, _ENTRY.kind == "run_started").limit(1)
    found = _loads(db.execute(query).scalar())
    return found if isinstance(found, dict) and "$" not in found else {}


def _summary_fields(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in RunSummary.__slots__}


def _entries(db: Connection, run_id: str, query: Select[Any]) -> tuple[EntryRow, ...]:
    rows = db.execute(query).mappings().all()
    heads = blobs.heads(db, run_id, [row["payload"] for row in rows])
    over = superseded(db, run_id, rows)
    return tuple(_entry(row, heads, over) for row in rows)


def _entry(row: RowMapping, heads: Mapping[str, str], over: Collection[int]) -> EntryRow:
    known = dict(row)
    text = known["payload"]
    stub = blobs.stub_of(text)
    return EntryRow(
        run_id=known["run_id"],
        seq=known["seq"],
        at=known["at"],
        kind=known["kind"],
        step=known["step"],
        event_type=known["event_type"],
        payload=_loads(text),
        cause=known["cause"],
        size=stub.size if stub is not None else len(text or ""),
        head=heads.get(stub.hash, "") if stub is not None else _head(text),
        superseded=known["seq"] in over,
    )


def _head(text: str | None) -> str | None:
    return text[: blobs.HEAD] if text is not None and len(text) > blobs.HEAD else None


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
