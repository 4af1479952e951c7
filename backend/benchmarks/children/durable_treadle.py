"""Treadle's durable parts in one process, wired as a worker wires them: seconds per run of a chain, one at a time."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from sqlalchemy import text

from treadle.registry.catalog import Catalog
from treadle.registry.loader import load_paths
from treadle.resources import MIGRATIONS
from treadle.runner.host import Host, LiveRun
from treadle.runner.publishing import publications
from treadle.runner.requests import Requests
from treadle.store.catalog import publish
from treadle.store.database import Database
from treadle.store.migrations import migrate
from treadle.store.presence import arrive
from treadle.store.writer import Writer


class Runs(dict[str, LiveRun]):
    """The host's runs, which say when one of them is over: its last entry is on disk by then."""

    over: asyncio.Event

    def pop(self, *key: Any) -> Any:
        self.over.set()
        return super().pop(*key)


async def measure(job: dict[str, Any]) -> dict[str, list[float]]:
    """Seconds from the request to the last commit, and from the first entry to the last, for each run."""
    folder = Path(job["folder"])
    file = folder / "measured.py"
    file.write_text(job["text"])
    database = Database(f"sqlite:///{folder / 'treadle.db'}", full=job["full"])
    migrate(database, MIGRATIONS)
    catalog = Catalog.of(load_paths([file]))
    publish(database, publications(catalog, now=time.time()))
    arrive(database, "w_bench", name="bench", pid=os.getpid(), now=time.time())
    writer = Writer(database, committed=lambda _: None)
    host = Host(database, writer, catalog, worker="w_bench")
    runs = Runs()
    runs.over = asyncio.Event()
    host.runs = runs
    requests = Requests(database, nudge=lambda _: host.nudge())
    whole = []
    async with asyncio.TaskGroup() as group:
        group.create_task(host.serve())
        ids = []
        for _ in range(job["runs"]):
            runs.over.clear()
            started = time.perf_counter()
            ids.append(requests.start(job["workflow"], {"size": 0}).run_id)
            await runs.over.wait()
            whole.append(time.perf_counter() - started)
        host.stop()
    await writer.close()
    journal = []
    with database.read() as connection:
        for run_id in ids:
            status, result = connection.execute(
                text("SELECT status, result FROM run WHERE id = :id"), {"id": run_id}
            ).one()
            if status != "completed" or str(job["result"]) not in str(result):
                raise SystemExit(f"run {run_id} is {status} with {result}")
            first, last = connection.execute(
                text("SELECT min(at), max(at) FROM entry WHERE run_id = :id"), {"id": run_id}
            ).one()
            journal.append(last - first)
    database.close()
    warm = job["warm"]
    return {"whole": whole[warm:], "journal": journal[warm:]}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(json.load(sys.stdin)))))
