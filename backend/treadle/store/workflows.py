"""What pages read about workflows: what the workers last published, and the versions runs were recorded with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, select
from sqlmodel import SQLModel

from treadle.errors import TreadleError, WorkflowNotFound, WorkflowsLoading
from treadle.store import tables

_WORKFLOW = SQLModel.metadata.tables[str(tables.Workflow.__tablename__)].c
_VERSION = SQLModel.metadata.tables[str(tables.Version.__tablename__)].c


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a workflow's code, decoded."""

    workflow: str
    fingerprint: str
    graph: dict[str, Any]
    start_schema: dict[str, Any]
    responses: dict[str, dict[str, Any]]
    source: str
    published_at: float


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """A workflow as last published, with its current version when there is one.

    `error` ({message, file, line, traceback}) says why its file could not be loaded; the version is then the last good.
    `offered` is False for one that nobody publishes: it has run inside others, or its file is gone.
    """

    name: str
    file: str
    title: str
    doc: str
    fingerprint: str
    published_at: float
    error: dict[str, Any] | None
    version: VersionRow | None
    offered: bool = True

    @property
    def summary(self) -> str:
        """The first paragraph of its docstring, on one line."""
        return " ".join(self.doc.strip().split("\n\n")[0].split())

    @property
    def runnable(self) -> bool:
        return self.offered and self.error is None and self.version is not None


def all_workflows(db: Connection) -> tuple[WorkflowRow, ...]:
    """Every published workflow, those that failed to load first, then by name."""
    rows = db.execute(select(*_WORKFLOW).order_by(_WORKFLOW.error.is_(None), _WORKFLOW.name)).mappings().all()
    return tuple(_workflow(db, row) for row in rows)


def workflow_names(db: Connection) -> tuple[str, ...]:
    """The names alone, for a filter."""
    return tuple(db.execute(select(_WORKFLOW.name).order_by(_WORKFLOW.name)).scalars().all())


def find_workflow(db: Connection, name: str) -> WorkflowRow | None:
    """The workflow of this name, also one that is remembered by its versions alone; or None."""
    row = db.execute(select(*_WORKFLOW).where(_WORKFLOW.name == name)).mappings().first()
    if row is not None:
        return _workflow(db, row)
    version = find_version(db, name, "")
    if version is None:
        return None
    return WorkflowRow(
        name, "", name, "", version.fingerprint, version.published_at, None, version, offered=False
    )


def absent(db: Connection, name: str) -> TreadleError:
    """What to tell who asks for a workflow that is not there; before a worker has shown any, that it is early."""
    shown = db.execute(select(_WORKFLOW.name).limit(1)).first()
    return WorkflowNotFound(name) if shown is not None else WorkflowsLoading()


def find_version(db: Connection, workflow: str, fingerprint: str) -> VersionRow | None:
    """The version a run was recorded with; the newest one when that is not remembered."""
    mine = select(*_VERSION).where(_VERSION.workflow == workflow)
    row = db.execute(mine.where(_VERSION.fingerprint == fingerprint)).mappings().first()
    if row is None:
        row = db.execute(mine.order_by(_VERSION.published_at.desc()).limit(1)).mappings().first()
    return None if row is None else _version(row)


def versions_of(db: Connection, workflow: str) -> tuple[tuple[str, float], ...]:
    """(fingerprint, published at) of every remembered version, newest first."""
    query = (
        select(_VERSION.fingerprint, _VERSION.published_at)
        .where(_VERSION.workflow == workflow)
        .order_by(_VERSION.published_at.desc())
    )
    return tuple((fingerprint, at) for fingerprint, at in db.execute(query).all())


def _workflow(db: Connection, row: RowMapping) -> WorkflowRow:
    known = {name: value for name, value in row.items() if name in WorkflowRow.__slots__}
    known["error"] = json.loads(known["error"]) if known["error"] else None
    return WorkflowRow(**known, version=find_version(db, known["name"], known["fingerprint"]))


def _version(row: RowMapping) -> VersionRow:
    known = dict(row)
    for name in ("graph", "start_schema", "responses"):
        known[name] = json.loads(known[name] or "{}")
    return VersionRow(**known)
