"""Acceptance: the transactions behind a 202. What they commit, a worker will do. Starts are in store/starting.py."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from treadle.errors import PromptAnswered, PromptNotFound, RunEnded, RunNotFound
from treadle.store import inbox
from treadle.store.database import Database
from treadle.store.failing import accepting
from treadle.store.leases import LIVE
from treadle.store.tables import Prompt, Run

_runs, _prompts = Run.__table__, Prompt.__table__  # type: ignore[attr-defined]

_FOUND = select(_runs.c.id, _runs.c.status).where(_runs.c.id == bindparam("run"))


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
