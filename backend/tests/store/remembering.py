"""A database in which a real worker has left runs of every kind."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treadle.registry.catalog import Catalog
from treadle.registry.loader import load_paths
from treadle.runner.host import Host
from treadle.runner.publishing import publications
from treadle.runner.requests import Requests
from treadle.store.catalog import publish
from treadle.store.database import Database
from treadle.store.writer import Writer

FLOWS = Path(__file__).parent / "kept_flows.py"
OVER = ("completed", "failed", "cancelled", "timed_out", "interrupted")


@dataclass(frozen=True)
class Remembered:
    """A database file of one's own; `ids` are its runs by what they are."""

    file: Path
    ids: dict[str, str]

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self.connected() as connection:
            return connection.execute(query, values).fetchall()

    def change(self, *statements: str) -> None:
        """Do to the file what no Treadle does; `:name` stands for the id of a run."""
        with self.connected() as connection:
            for statement in statements:
                connection.execute(statement, self.ids)

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection


async def fill(database: Database) -> dict[str, str]:
    """Leave runs of every kind in an empty database; their ids by what they are."""
    catalog = Catalog.of(load_paths([FLOWS]))
    assert not catalog.failures
    publish(database, publications(catalog, now=time.time()))
    requests = Requests(database, nudge=lambda *_: host.nudge())
    committed = asyncio.Event()
    writer = Writer(database, committed=lambda runs: committed.set())
    host = Host(database, writer, catalog, worker="w_kept")
    serving = asyncio.ensure_future(host.serve())

    async def until(query: str, *values: str, rows: int = 1) -> list[Any]:
        async with asyncio.timeout(30):
            while True:
                committed.clear()
                with database.read() as connection:
                    if len(found := list(connection.exec_driver_sql(query, values))) == rows:
                        return found
                await committed.wait()

    async def reached(*statuses: str, run: str) -> None:
        marks = ", ".join("?" * len(statuses))
        await until(f"SELECT id FROM run WHERE id = ? AND status IN ({marks})", ids[run], *statuses)

    ids = {}
    for name in ("Chain", "Fan", "Joined", "Caught", "Fails", "Unkept", "Large"):
        ids[name.lower()] = requests.start(name, {}, idempotency_key=f"key-{name}").run_id
    for name, workflow in (("asking", "Asks"), ("answered", "Asks"), ("cancelled", "Asks"), ("waiting", "Waits")):
        ids[name] = requests.start(workflow, {}).run_id
    ids["outside"] = requests.start("Outside", {}).run_id
    ids["held"] = requests.start("Chain", {}, held=True).run_id
    for name in ("asking", "answered", "cancelled", "waiting"):
        await reached("waiting", run=name)
    ((prompt,),) = await until("SELECT id FROM prompt WHERE run_id = ?", ids["answered"])
    requests.respond(ids["answered"], prompt, {"response": "41"})
    requests.cancel(ids["cancelled"])
    for name in ("chain", "fan", "joined", "caught", "fails", "unkept", "large", "answered", "cancelled"):
        await reached(*OVER, run=name)
    await reached("held", run="held")
    nested = "SELECT id, workflow FROM run WHERE parent_id = ? AND status IN ('waiting', 'completed')"
    for row in await until(nested, ids["outside"], rows=2):
        ids["inside" if row.workflow == "Asks" else "before"] = row.id
    host.stop()
    await serving
    await writer.close()
    return ids
