"""Reopening: the transactions by which a person lets a stopped run go on, or gives it up.

A run that may go on is claimed like any other; the worker that takes it up finds the request and tells the journal. To
give one up takes no worker: it is ended here, under a new epoch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, select, update

from treadle.engine.records import to_record
from treadle.engine.rules.resuming import UNKNOWN
from treadle.engine.ticks import ErrorFacts, RunGivenUp
from treadle.errors import NotApplicable, RunNotFound
from treadle.store import inbox
from treadle.store.database import Database
from treadle.store.failing import accepting
from treadle.store.leases import LIVE, family
from treadle.store.lineage import add_last, at_rest, end_stored
from treadle.store.tables import Entry, Inbox, Run

_runs, _entries, _inbox = Run.__table__, Entry.__table__, Inbox.__table__  # type: ignore[attr-defined]

HOPELESS = {
    "WorkflowStalledError": "no step of it failed: it had nothing left to do",
    "RunTooLarge": "it has outgrown what is kept of one run",
}
"""Errors after which trying again would come to the same, and why."""


def accept_reopening(
    database: Database, run_id: str, decision: str, event: dict[str, Any] | None, *, epoch: int | None, now: float
) -> None:
    """Let a stopped run go on: `decision` is resume, retry, again or done, the last with an `event` {type, fields}.

    `epoch` says which of its stops is meant; asking again for the same changes nothing. Raises RunNotFound, and
    NotApplicable where the run did not stop like that.
    """
    with accepting(database) as connection:
        run = _find(connection, run_id)
        if _asked_before(connection, run, decision, epoch):
            return
        if epoch not in (None, run.epoch):
            raise NotApplicable(f"Run {run_id} has gone on since: it is {_told(run)} now. Look at it again.")
        _judge(run, decision)
        around = list(_ancestors(connection, run))
        for ancestor in around:
            _judge_around(run, ancestor)
        _reopen(connection, run, decision, event, now=now)
        for other in [*around, *_inside(connection, run_id, ("interrupted",))]:
            if other.status == "interrupted" and _type(other) != UNKNOWN:
                _reopen(connection, other, "resume", None, now=now)


def give_up(database: Database, run_id: str, *, epoch: int | None, now: float) -> None:
    """End an interrupted run and those inside it; the one around it goes on with that. Raises like the reopening."""
    with accepting(database) as connection:
        run = _find(connection, run_id)
        last = select(_entries.c.kind).where(_entries.c.run_id == run_id).order_by(_entries.c.seq.desc()).limit(1)
        if run.status == "failed" and connection.execute(last).scalar() == "given_up":
            return
        if run.status != "interrupted":
            hint = "cancel it instead" if run.status in LIVE else "it is over already"
            raise NotApplicable(f"Run {run_id} is {_told(run)}: {hint}.")
        if epoch not in (None, run.epoch):
            raise NotApplicable(f"Run {run_id} has gone on since, and stopped again. Look at it again.")
        inside = _inside(connection, run_id, (*LIVE, "interrupted"))
        _give_up(connection, run, now)
        for nested in inside:
            _forget(connection, nested.id)
            end_stored(connection, nested.id, nested.entries, nested.counts, "failed", run_id, now)
        for ancestor in _ancestors(connection, run):
            if ancestor.status == "interrupted" and _type(ancestor) != UNKNOWN:
                _reopen(connection, ancestor, "resume", None, now=now)


def refuse(database: Database, run_id: str, request: int, *, epoch: int, now: float) -> None:
    """Let a run ask again: its event class refused what a person said, which only a worker can find out."""
    with database.write() as connection:
        inbox.drop(connection, request, now=now)
        connection.execute(
            update(_runs)
            .where(_runs.c.id == run_id, _runs.c.epoch == epoch)
            .values(status="interrupted", lease_owner=None)
        )


def _judge(run: Row[Any], decision: str) -> None:
    """Raise NotApplicable where `decision` makes no sense."""
    asks = run.status == "interrupted" and _type(run) == UNKNOWN
    if decision in ("again", "done") and not asks:
        raise NotApplicable(f"Run {run.id} is {_told(run)}: it does not ask whether a step was done.")
    if decision == "resume" and asks:
        raise NotApplicable(f"Run {run.id} asks whether a step was done; answer that, then it goes on.")
    if decision == "resume" and run.status != "interrupted":
        hint = "; retry it instead" if run.status in ("failed", "timed_out") else ""
        raise NotApplicable(f"Run {run.id} is {_told(run)}; only an interrupted run can be resumed{hint}.")
    if decision == "retry" and run.status not in ("failed", "timed_out"):
        hint = "; resume it instead" if run.status == "interrupted" else ""
        raise NotApplicable(f"Run {run.id} is {_told(run)}; only a failed or timed out run can be retried{hint}.")
    if decision == "retry" and run.parent_id is not None:
        raise NotApplicable(f"Run {run.id} is part of run {run.parent_id}; retry that, and its step starts a new one.")
    if decision == "retry" and (why := HOPELESS.get(_type(run)) if run.entries else "it never began"):
        raise NotApplicable(f"Run {run.id} cannot be retried, {why}; start a new run instead.")


def _judge_around(run: Row[Any], around: Row[Any]) -> None:
    if around.status not in (*LIVE, "interrupted"):
        raise NotApplicable(f"Run {run.id} cannot go on: run {around.id} around it is {_told(around)}.")
    if around.status == "interrupted" and _type(around) == UNKNOWN:
        raise NotApplicable(f"Run {run.id} cannot go on before run {around.id} around it, which asks something first.")


def _reopen(
    connection: Connection, run: Row[Any], decision: str, event: dict[str, Any] | None, *, now: float
) -> None:
    """Let `run` be claimed, with the request that says why; one that is still there stands."""
    if (earlier := inbox.pending_reopening(connection, run.id)) is not None:
        connection.execute(update(_inbox).where(_inbox.c.id == earlier.id).values(dedupe=str(run.epoch)))
    else:
        body = {"decision": decision, **({"event": event} if event is not None else {})}
        inbox.put(connection, run.id, "reopening", body, now=now, dedupe=str(run.epoch))
    # What was asked of the run before its end came too late; only an answer finds its prompt open again.
    late = [_inbox.c.run_id == run.id, _inbox.c.kind.in_(("cancellation", "step", "release"))]
    if run.status == "interrupted":
        late.append(_inbox.c.handled_at.is_not(None))
    connection.execute(update(_inbox).where(*late).values(handled_at=now, dedupe=None))
    connection.execute(
        update(_runs).where(_runs.c.id == run.id).values(status="running", ended_at=None, lease_owner=None)
    )


def _give_up(connection: Connection, run: Row[Any], now: float) -> None:
    error = json.loads(run.error or "{}")
    message = f"{error.get('message', '')} Given up by a person.".lstrip()
    facts = ErrorFacts(error.get("type", "RunInterrupted"), message, error.get("traceback") or "")
    record = to_record(run.entries + 1, RunGivenUp(now, facts, error.get("step")))
    _forget(connection, run.id)
    add_last(connection, run.id, record)
    told = {"type": facts.type, "message": message, "step": error.get("step"), "traceback": facts.traceback}
    connection.execute(
        update(_runs)
        .where(_runs.c.id == run.id)
        .values(
            status="failed", error=json.dumps(told), ended_at=now, entries=record.seq, lease_owner=None,
            epoch=_runs.c.epoch + 1, counts=at_rest(run.counts, over=True),
        )
    )  # fmt: skip


def _forget(connection: Connection, run_id: str) -> None:
    """Drop a reopening that no worker could carry out."""
    reopening = (_inbox.c.run_id == run_id, _inbox.c.kind == "reopening", _inbox.c.handled_at.is_(None))
    connection.execute(delete(_inbox).where(*reopening))


def _asked_before(connection: Connection, run: Row[Any], decision: str, epoch: int | None) -> bool:
    asked = [_inbox.c.run_id == run.id, _inbox.c.kind == "reopening"]
    if epoch is not None:
        asked.append(_inbox.c.dedupe == str(epoch))
    elif run.status in LIVE:
        asked.append(_inbox.c.handled_at.is_(None))
    else:
        return False
    bodies = [json.loads(body) for body in connection.execute(select(_inbox.c.body).where(*asked)).scalars()]
    return any(body["decision"] == decision for body in bodies) and (epoch != run.epoch or run.status in LIVE)


def _ancestors(connection: Connection, run: Row[Any]) -> Iterator[Row[Any]]:
    while run.parent_id is not None:
        run = _find(connection, run.parent_id)
        yield run


def _inside(connection: Connection, run_id: str, statuses: Sequence[str]) -> list[Row[Any]]:
    mine = select(family(run_id).c.id)
    return [*connection.execute(_QUERY.where(_runs.c.id.in_(mine), _runs.c.status.in_(statuses))).all()]


_QUERY: Select[Any] = select(
    _runs.c.id, _runs.c.status, _runs.c.error, _runs.c.epoch, _runs.c.entries, _runs.c.counts, _runs.c.parent_id
)


def _find(connection: Connection, run_id: str) -> Row[Any]:
    run = connection.execute(_QUERY.where(_runs.c.id == run_id)).first()
    if run is None:
        raise RunNotFound(run_id)
    return run


def _type(run: Row[Any]) -> str:
    """The class of its error."""
    return str(json.loads(run.error or "{}").get("type", ""))


def _told(run: Row[Any]) -> str:
    return str(run.status).replace("_", " ")
