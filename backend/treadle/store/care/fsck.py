"""The check of a whole database: every run folded again from its journal, and held against what is stored of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError

from treadle.engine.fates import Fate, fates
from treadle.engine.records import Record
from treadle.errors import RunNotFound, ValueNotStorable
from treadle.store.care import proofs
from treadle.store.care.cases import Case, Finding, Folded, NotFolded, fold_again
from treadle.store.care.readonly import ReadOnly
from treadle.store.failing import reason
from treadle.store.journal import read_records
from treadle.store.routing import Routing
from treadle.store.states import read_state
from treadle.store.tables import Blob, Entry, Inbox, Prompt, Run, Snapshot
from treadle.store.versions import Versions

_runs, _entries, _prompts = Run.__table__, Entry.__table__, Prompt.__table__  # type: ignore[attr-defined]
_inbox, _snapshots = Inbox.__table__, Snapshot.__table__  # type: ignore[attr-defined]
_blobs = Blob.__table__  # type: ignore[attr-defined]

PAGE = 500
"""Runs named by one query."""


@dataclass(slots=True)
class Report:
    """What the check came to: what is wrong (`findings`), and what it could not tell (`notes`)."""

    database: str
    runs: int = 0
    entries: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON data."""
        return {"clean": self.clean, **asdict(self)}


def check(database: ReadOnly, versions: Versions, *, run_id: str | None = None) -> Report:
    """Check everything in `database`, or only the run `run_id`. Raises RunNotFound for one that is not there.

    Every run is looked at as of one moment; between two of them a server may write.
    """
    began = time.perf_counter()
    report = Report(str(database.file))
    if run_id is None:
        report.findings += _pages(database)
        _references(database, report)
    try:
        for name in _run_ids(database) if run_id is None else [run_id]:
            found = _check_run(database, versions, name, report)
            if run_id is not None and not found:
                raise RunNotFound(run_id)
    except DatabaseError as error:
        report.findings.append(Finding("readable", f"the runs cannot be read any further: {reason(error)}"))
    report.seconds = round(time.perf_counter() - began, 3)
    return report


def _pages(database: ReadOnly) -> Iterator[Finding]:
    """What SQLite's own check finds wrong with its pages and indexes."""
    try:
        with database.read() as connection:
            for (told,) in connection.exec_driver_sql("PRAGMA integrity_check"):
                if told != "ok":
                    yield from (Finding("integrity", line) for line in str(told).splitlines())
    except DatabaseError as error:
        yield Finding("integrity", reason(error))


def _references(database: ReadOnly, report: Report) -> None:
    """Rows that belong to a run which is not there."""
    try:
        with database.read() as connection:
            lost = Counter(row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check"))
    except DatabaseError as error:
        report.findings.append(Finding("integrity", reason(error)))
        return
    for table, count in lost.items():
        if table in (_entries.name, _blobs.name):
            message = f"{count} rows of {table} are of runs that are gone; the next `treadle prune` takes them away"
            report.notes.append(Finding("references", message))
        else:
            report.findings.append(Finding("references", f"{count} rows of {table} are of runs that are not there"))


def _run_ids(database: ReadOnly) -> Iterator[str]:
    last = ""
    while True:
        with database.read() as connection:
            query = select(_runs.c.id).where(_runs.c.id > last).order_by(_runs.c.id).limit(PAGE)
            page = list(connection.execute(query).scalars())
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]


def _check_run(database: ReadOnly, versions: Versions, run_id: str, report: Report) -> bool:
    """Check one run; whether it is there."""
    try:
        with database.read() as connection:
            case = _case(database, connection, run_id)
            if case is None:
                return False
            routings = versions.of(connection, case.run["workflow"], case.run["fingerprint"])
    except (DatabaseError, LookupError, ValueNotStorable) as error:  # pages, or a large value kept beside the journal
        report.findings.append(Finding("readable", f"it cannot be read: {reason(error)}", run_id))
        return True
    report.runs += 1
    report.entries += len(case.records)
    try:
        _prove(case, routings, report)
    except (LookupError, TypeError, ValueError, ValueNotStorable) as error:  # what a row has is not what it should
        message = f"what is stored of it makes no sense: {type(error).__name__}: {error}"
        report.findings.append(case.finding("readable", message))
    return True


def _case(database: ReadOnly, connection: Connection, run_id: str) -> Case | None:
    def rows(query: Any) -> list[Mapping[str, Any]]:
        return [dict(row) for row in connection.execute(query).mappings()]

    runs = rows(select(_runs).where(_runs.c.id == run_id))
    if not runs:
        return None
    run = runs[0]
    parents, calls = [], []
    if run["parent_id"] is not None:
        parents = rows(select(_runs).where(_runs.c.id == run["parent_id"]))
        started = (_entries.c.run_id == run["parent_id"], _entries.c.kind == "child_started")
        mine = _entries.c.payload.contains(run_id, autoescape=True)
        calls = rows(select(_entries).where(*started, mine))
    snapshots = rows(select(_snapshots).where(_snapshots.c.run_id == run_id))
    return Case(
        run,
        read_records(database, run_id),
        prompts=rows(select(_prompts).where(_prompts.c.run_id == run_id)),
        requests=rows(select(_inbox).where(_inbox.c.run_id == run_id).order_by(_inbox.c.id)),
        snapshot=snapshots[0] if snapshots else None,
        saved=read_state(connection, run_id),
        children=rows(select(_runs).where(_runs.c.parent_id == run_id)),
        parent=parents[0] if parents else None,
        calls=[Record(row["seq"], row["at"], row["kind"], row["step"], cause=row["cause"]) for row in calls],
    )


def _prove(case: Case, routings: list[Routing], report: Report) -> None:
    found = [
        *proofs.journal_is_whole(case),
        *proofs.steps_finish_once(case),
        *proofs.requests_are_handled_once(case),
    ]
    folded = None
    if case.records and not found:
        verdict = _verdict(case, routings)
        folded = verdict.folded
        found += verdict.wrong
        report.notes += verdict.doubtful
    found += proofs.live_run_has_a_reason(case, folded)
    found += proofs.family_holds_together(case, folded)
    report.findings += found


@dataclass(slots=True)
class _Verdict:
    """What a journal, folded with one version of the code, says of what is stored beside it."""

    folded: Folded | None = None
    wrong: list[Finding] = field(default_factory=list)
    doubtful: list[Finding] = field(default_factory=list)


def _verdict(case: Case, routings: list[Routing]) -> _Verdict:
    """The verdict by the first version with which all agrees; if there is none, by the run's own.

    A run goes on with the code that is loaded then: what its own version calls wrong, a later one may explain.
    """
    first: _Verdict | None = None
    for routing in routings:
        verdict = _verdict_by(case, routing)
        if not verdict.wrong and not verdict.doubtful:
            return verdict
        first = first or verdict
    unknown = case.finding("not compared", f"no version of {case.run['workflow']} is recorded, and no file was named")
    return first or _Verdict(doubtful=[unknown])


def _verdict_by(case: Case, routing: Routing) -> _Verdict:
    try:
        folded = fold_again(case, routing)
    except NotFolded as error:
        if error.value:
            why = f"from entry {error.entry} on: {error.why}"
            return _Verdict(doubtful=[case.finding("not compared", why, error.entry)])
        wrong = [case.finding("fold", f"entry {error.entry} cannot follow: {error.why}", error.entry)]
        verdict = _Verdict(None, wrong)
    else:
        wrong = [
            *proofs.row_says_the_same(case, folded),
            *proofs.context_is_kept(case, folded),
            *proofs.saved_state_is_folded(case, folded),
            *proofs.prompts_belong_to_waits(case, folded),
            *_fates(case, folded),
        ]
        verdict = _Verdict(folded, wrong)
    if wrong and routing.doubts:
        why = f"{wrong[0].message}; but {routing.source} does not tell {', nor '.join(routing.doubts)}"
        return _Verdict(doubtful=[case.finding("not compared", why)])
    return verdict


def _fates(case: Case, folded: Folded) -> Iterator[Finding]:
    """Every event that came up went somewhere, once."""
    try:
        for told in fates(folded.ticks, folded.routing.routes, folded.routing.versions.get):
            if told.fate is Fate.ASTRAY:
                whose = f"{told.event} for step {told.step}" if told.step is not None else told.event
                yield case.finding("fates", f"its {whose} {told.fate}: {told.reason or 'in none'}", told.seq)
    except (LookupError, AssertionError) as error:
        yield case.finding("fates", f"what became of its events cannot be told: {type(error).__name__}: {error}")
