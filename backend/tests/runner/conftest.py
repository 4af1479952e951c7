"""A worker's host in the test's own process, on a real SQLite file."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from treadle.registry.catalog import Catalog
from treadle.registry.loader import load_paths
from treadle.resources import MIGRATIONS
from treadle.runner.clock import Clock
from treadle.runner.host import Host
from treadle.runner.publishing import publications
from treadle.runner.requests import Requests
from treadle.store.catalog import publish
from treadle.store.database import Database
from treadle.store.migrations import migrate
from treadle.store.writer import Writer

FLOWS = Path(__file__).parent / "flows.py"


@dataclass
class Bench:
    """A database, the requests to it, and hosts that come and go."""

    database: Database
    requests: Requests
    flows: list[Path] = field(default_factory=lambda: [FLOWS])
    host: Host | None = None
    committed: asyncio.Event | None = None

    @asynccontextmanager
    async def working(self, worker: str = "w_test", *, later: float = 0.0) -> AsyncIterator[Host]:
        """A worker whose clock is `later` seconds ahead of ours."""
        catalog = Catalog.of(load_paths(self.flows))
        publish(self.database, publications(catalog, now=time.time()))
        committed = self.committed = self.committed or asyncio.Event()
        writer = Writer(self.database, committed=lambda runs: committed.set())
        clock = Clock(wall=lambda: time.time() + later)
        host = self.host = Host(self.database, writer, catalog, worker=worker, clock=clock)
        serving = asyncio.ensure_future(host.serve())
        try:
            yield host
        finally:
            host.stop()
            await serving
            await writer.close()
            self.host = None

    def run(self, run_id: str) -> dict[str, Any]:
        with self.database.read() as connection:
            row = connection.execute(text("SELECT * FROM run WHERE id = :id"), {"id": run_id}).mappings().one()
        return {**row, "result": json.loads(row["result"] or "null"), "error": json.loads(row["error"] or "null")}

    def entries(self, run_id: str) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            rows = connection.execute(
                text("SELECT * FROM entry WHERE run_id = :id ORDER BY seq"), {"id": run_id}
            ).mappings()
            return [dict(row) for row in rows]

    async def until(self, run_id: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The run's row once `reached` holds; looked at after every commit."""
        async with asyncio.timeout(20):
            while not reached(row := self.run(run_id)):
                assert self.committed is not None
                self.committed.clear()
                try:
                    async with asyncio.timeout(0.5):
                        await self.committed.wait()
                except TimeoutError:
                    pass
        return row

    async def ended(self, run_id: str) -> dict[str, Any]:
        return await self.until(run_id, lambda row: row["status"] not in ("running", "held", "waiting"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    database = Database(f"sqlite:///{tmp_path / 'treadle.db'}")
    migrate(database, MIGRATIONS)
    made = Bench(database, None)  # type: ignore[arg-type]
    made.requests = Requests(database, nudge=lambda *_: made.host.nudge() if made.host is not None else None)
    return made
