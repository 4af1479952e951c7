"""A studio on a real SQLite file, with rows as a worker would have written them and requests that only remember."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from sqlmodel import SQLModel
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from treadle.errors import NotApplicable, PromptAnswered, RunEnded
from treadle.runner.requests import Requests
from treadle.runner.signals import Signals
from treadle.store.database import Database
from treadle.store.starting import Accepted
from treadle.web.security import SecurityConfig
from treadle.web.site import make_app

NOW = 1_760_000_000.0
HOST = "http://127.0.0.1:8765"
GRAPH = {
    "workflow": "Asking",
    "nodes": [
        {"id": "event:StartEvent", "kind": "event", "name": "StartEvent", "role": "start"},
        {"id": "step:ask", "kind": "step", "name": "ask", "role": "step", "line": 3},
        {"id": "event:StopEvent", "kind": "event", "name": "StopEvent", "role": "stop"},
    ],
    "edges": [
        {"source": "event:StartEvent", "target": "step:ask"},
        {"source": "step:ask", "target": "event:StopEvent"},
    ],
}
START = {
    "type": "object",
    "properties": {
        "topic": {"type": "string", "description": "What about?"},
        "n": {"type": "integer", "default": 3, "minimum": 1},
        "loud": {"type": "boolean", "default": False},
    },
    "required": ["topic"],
    "additionalProperties": True,
}
RESPONSE = {"type": "object", "properties": {"response": {"type": "string"}}, "required": ["response"]}


@dataclass
class Rows:
    """Writes rows straight into the tables."""

    database: Database

    def add(self, table: str, **values: Any) -> None:
        with self.database.write() as db:
            db.execute(insert(SQLModel.metadata.tables[table]), [values])

    def run(self, run_id: str, status: str = "completed", **values: Any) -> str:
        base: dict[str, Any] = {
            "id": run_id, "workflow": "Asking", "fingerprint": "f1", "status": status, "held": False,
            "created_at": NOW, "started_at": NOW, "ended_at": None, "entries": 0, "counts": "{}", "queue": "[]",
            "lease_until": 0.0, "epoch": 0,
        }  # fmt: skip
        self.add("run", **(base | values))
        return run_id

    def entries(self, run_id: str, first: int, last: int, **values: Any) -> None:
        for seq in range(first, last + 1):
            base: dict[str, Any] = {"kind": "event_streamed", "step": "ask", "event_type": "Progress"}
            payload = json.dumps({"n": seq})
            self.add("entry", **({"run_id": run_id, "seq": seq, "at": NOW + seq, "payload": payload} | base | values))

    def prompt(self, run_id: str, prompt_id: int, status: str = "open", **values: Any) -> None:
        base: dict[str, Any] = {
            "event_type": "InputRequiredEvent", "prefix": "Which number?", "payload": "{}", "created_at": NOW,
        }  # fmt: skip
        self.add("prompt", **({"run_id": run_id, "id": prompt_id, "status": status} | base | values))


@dataclass
class Wishes(Requests):
    """Requests that are remembered, not carried out."""

    made: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    async def start_soon(self, workflow: str, fields: dict[str, Any], **options: Any) -> Accepted:
        key = options.get("idempotency_key")
        if key in self.keys:
            return Accepted(self.keys[key], False)
        self.made.append((workflow, {"fields": fields, **options}))
        run_id = f"r_{len(self.made)}"
        if key:
            self.keys[key] = run_id
        return Accepted(run_id, True)

    def respond(self, run_id: str, prompt_id: int, fields: dict[str, Any], *, response_type: str | None = None) -> None:
        if prompt_id in self.answered:
            raise PromptAnswered(prompt_id, self.answered[prompt_id])
        self.answered[prompt_id] = NOW
        self.made.append(("response", {"fields": fields, "type": response_type}))

    def cancel(self, run_id: str) -> None:
        if run_id in self.ended:
            raise RunEnded(run_id, "completed")
        self.made.append(("cancel", {"run": run_id}))

    def reopen(
        self, run_id: str, decision: str, *, event: dict[str, Any] | None = None, epoch: int | None = None
    ) -> None:
        if run_id in self.ended:
            raise NotApplicable(f"Run {run_id} is completed.")
        self.made.append((decision, {"run": run_id, "event": event, "epoch": epoch}))

    def give_up(self, run_id: str, *, epoch: int | None = None) -> None:
        self.made.append(("give up", {"run": run_id, "epoch": epoch}))

    def step(self, run_id: str, *, delivery: str | None = None) -> None:
        self.made.append(("step", {"run": run_id, "delivery": delivery}))

    def release(self, run_id: str) -> None:
        self.made.append(("release", {"run": run_id}))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'studio.db'}", full=False)
    with database.write() as db:
        SQLModel.metadata.create_all(db)
    yield database
    database.close()


@pytest.fixture
def rows(database: Database) -> Rows:
    """A database that knows one workflow, Asking, in one version."""
    rows = Rows(database)
    rows.add("workflow", name="Asking", file="asking.py", title="Asking", doc="Asks once.", fingerprint="f1",
             published_at=NOW)  # fmt: skip
    schemas = {"start_schema": json.dumps(START), "responses": json.dumps({"HumanResponseEvent": RESPONSE})}
    rows.add("version", workflow="Asking", fingerprint="f1", graph=json.dumps(GRAPH), source="class Asking: ...",
             published_at=NOW, **schemas)  # fmt: skip
    return rows


@pytest.fixture
def wishes() -> Wishes:
    return Wishes()


@pytest.fixture
def signals() -> Signals:
    return Signals()


def security(*, open_access: bool = True, **values: Any) -> SecurityConfig:
    base: dict[str, Any] = {"host": "127.0.0.1", "port": 8765, "token": "tok", "code": "once", "secret": b"s" * 32}
    return SecurityConfig(**(base | values), open_access=open_access)


@pytest.fixture
def app(database: Database, wishes: Wishes, signals: Signals) -> ASGIApp:
    return make_app(database=database, requests=wishes, signals=signals, security=security())


@pytest.fixture
def studio(app: ASGIApp, rows: Rows) -> TestClient:
    """A browser's view of a studio without a login."""
    return TestClient(app, base_url=HOST, headers={"accept": "text/html"}, follow_redirects=False)


@pytest.fixture
def program(app: ASGIApp, rows: Rows) -> TestClient:
    """A program with the token."""
    return TestClient(app, base_url=HOST, headers={"authorization": "Bearer tok"}, follow_redirects=False)


def csrf_of(studio: TestClient, path: str = "/") -> str:
    """The token a page carries for its forms."""
    return studio.get(path).text.split('name="csrf-token" content="', 1)[1].split('"', 1)[0]
