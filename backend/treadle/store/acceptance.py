"""Acceptance: the transactions behind a 201 or 202. What they commit, a worker will do."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from treadle.errors import (
    IdempotencyConflict,
    PromptAnswered,
    PromptNotFound,
    RunEnded,
    RunNotFound,
    WorkflowValidationError,
)
from treadle.store import inbox
from treadle.store.database import Database
from treadle.store.failing import accepting
from treadle.store.leases import LIVE
from treadle.store.prepared import Preparing
from treadle.store.tables import Inbox, Prompt, Run, Workflow
from treadle.store.workflows import absent

_runs, _prompts = Run.__table__, Prompt.__table__  # type: ignore[attr-defined]
_workflows, _inbox = Workflow.__table__, Inbox.__table__  # type: ignore[attr-defined]

# Made once: to put a statement together costs several times what it takes to execute it.
_STARTED_BY = select(_runs.c.id, _runs.c.request_digest).where(_runs.c.idempotency_key == bindparam("key"))
_FOUND = select(_runs.c.id, _runs.c.status).where(_runs.c.id == bindparam("run"))

# What most requests need, past SQLAlchemy: a burst of starts waits for each other.
_CARD = Preparing(
    select(_workflows.c.fingerprint, _workflows.c.error).where(_workflows.c.name == bindparam("workflow"))
)
_ADD_RUN = Preparing(insert(_runs), (
    "id", "workflow", "fingerprint", "status", "held", "created_at", "entries", "counts", "queue", "idempotency_key",
    "request_digest", "continued_from", "lease_until", "epoch",
))  # fmt: skip
_ADD_REQUEST = Preparing(insert(_inbox), ("run_id", "kind", "body", "created_at"))


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that will be done; `created` is False when the idempotency key had started it before."""

    run_id: str
    created: bool


def accept_start(
    database: Database, run_id: str, body: dict[str, Any], *, digest: str, idempotency_key: str | None, now: float
) -> Accepted:
    """Add the run `run_id` and the request to start it with `body` (workflow, fields, held, continued_from)."""
    with accepting(database) as connection:
        if idempotency_key is not None:
            earlier = connection.execute(_STARTED_BY, {"key": idempotency_key}).first()
            if earlier is not None and earlier.request_digest != digest:
                raise IdempotencyConflict(idempotency_key, earlier.id)
            if earlier is not None:
                return Accepted(earlier.id, created=False)
        workflow = body["workflow"]
        with closing(connection.connection.cursor()) as cursor:
            cards = _CARD.on(database.dialect).all(cursor, {"workflow": workflow})
            if not cards:
                raise absent(connection, workflow)
            ((fingerprint, error),) = cards
            if error is not None:
                raise WorkflowValidationError(f"{workflow} cannot be run: {json.loads(error)['message']}")
            if body["continued_from"] is not None:
                _find(connection, body["continued_from"])
            row = {
                "id": run_id, "workflow": workflow, "fingerprint": fingerprint,
                "status": "held" if body["held"] else "running", "held": body["held"], "created_at": now,
                "entries": 0, "counts": "{}", "queue": "[]", "idempotency_key": idempotency_key,
                "request_digest": digest, "continued_from": body["continued_from"], "lease_until": 0.0, "epoch": 0,
            }  # fmt: skip
            _ADD_RUN.on(database.dialect).one(cursor, row)
            request = {"run_id": run_id, "kind": "start", "body": json.dumps(body), "created_at": now}
            _ADD_REQUEST.on(database.dialect).one(cursor, request)
    return Accepted(run_id, created=True)


def accept_response(
    database: Database,
    run_id: str,
    prompt_id: int,
    fields: dict[str, Any],
    *,
    response_type: str | None,
    now: float,
) -> None:
    """Close the prompt with this response and add the request that carries it to the run."""
    this = (_prompts.c.run_id == run_id, _prompts.c.id == prompt_id)
    with accepting(database) as connection:
        prompt = connection.execute(select(_prompts.c.status, _prompts.c.answered_at).where(*this)).first()
        if prompt is None:
            raise PromptNotFound(run_id, prompt_id)
        if prompt.status != "open":
            raise PromptAnswered(prompt_id, prompt.answered_at if prompt.status == "answered" else None)
        connection.execute(
            update(_prompts)
            .where(*this)
            .values(status="answered", answered_at=now, response=json.dumps(fields), response_type=response_type)
        )
        body = {"prompt": prompt_id, "fields": fields, "response_type": response_type}
        inbox.put(connection, run_id, "response", body, now=now, dedupe=str(prompt_id))


def reopen(database: Database, run_id: str, prompt_id: int, inbox_id: int, *, now: float) -> None:
    """Let a prompt be answered again: its event class refused the response, which only a worker can find out."""
    with database.write() as connection:
        connection.execute(
            update(_prompts)
            .where(_prompts.c.run_id == run_id, _prompts.c.id == prompt_id, _prompts.c.status == "answered")
            .values(status="open", answered_at=None, response=None, response_type=None)
        )
        inbox.drop(connection, inbox_id, now=now)


def accept(database: Database, run_id: str, kind: str, body: dict[str, Any], *, once: str | None, now: float) -> None:
    """Add a request for a run that has not ended; with `once`, asking again changes nothing."""
    with accepting(database) as connection:
        run = _find(connection, run_id)
        if run.status not in LIVE:
            raise RunEnded(run_id, run.status)
        try:
            with connection.begin_nested():
                inbox.put(connection, run_id, kind, body, now=now, dedupe=once)
        except IntegrityError:
            pass  # asked before


def _find(connection: Connection, run_id: str) -> Row[Any]:
    run = connection.execute(_FOUND, {"run": run_id}).first()
    if run is None:
        raise RunNotFound(run_id)
    return run
