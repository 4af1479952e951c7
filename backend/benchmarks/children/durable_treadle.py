"""Treadle's durable parts in one process, wired as a worker wires them: runs in waves, each timed, as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import text
from storage import weight

from treadle.registry.catalog import Catalog
from treadle.registry.loader import load_paths
from treadle.resources import MIGRATIONS
from treadle.runner.garbage import spare_what_is_loaded
from treadle.runner.heartbeat import Heartbeat
from treadle.runner.host import Host, LiveRun
from treadle.runner.nudges import listen
from treadle.runner.publishing import publications
from treadle.runner.requests import Requests
from treadle.runner.sockets import own_folder
from treadle.store.catalog import publish
from treadle.store.database import Database
from treadle.store.migrations import migrate
from treadle.store.presence import arrive
from treadle.store.writer import Writer


class Watched(Host):
    """A host that says when a run is over (its last entry is on disk by then), and looks for none unless it is open."""

    _as_it_is = Host._over

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.over = asyncio.Semaphore(0)
        self.open = asyncio.Event()
        self.open.set()

    async def sweep(self) -> bool:
        await self.open.wait()
        return await super().sweep()

    def _over(self, live: LiveRun) -> None:
        self._as_it_is(live)
        self.over.release()


def read_job() -> dict[str, Any]:
    """The job on standard input; its workflow becomes a file in its folder."""
    job: dict[str, Any] = json.load(sys.stdin)
    Path(job["folder"], "measured.py").write_text(job["text"])
    return job


async def measure(
    job: dict[str, Any], *, watch: Callable[[], AbstractContextManager[Any]] = nullcontext
) -> dict[str, Any]:
    """Seconds from a wave's first request to its last commit, and from its first entry to its last; bytes it left.

    Where the job says `accepted`, the first time starts when the whole wave has been accepted and none of it begun.
    `watch` is entered on the loop's thread while the waves run.
    """
    file, at_once = Path(job["folder"]) / "treadle.db", job["at_once"]
    database = Database(f"sqlite:///{file}", full=job["full"])
    migrate(database, MIGRATIONS)
    catalog = Catalog.of(load_paths([Path(job["folder"], "measured.py")]))
    spare_what_is_loaded()
    publish(database, publications(catalog, now=time.time()))
    arrive(database, "w_bench", name="bench", pid=os.getpid(), workflows=catalog.workflows, now=time.time())
    database.close()
    before = weight(file)
    writer = Writer(database, committed=lambda _: None)
    host = Watched(database, writer, catalog, worker="w_bench")
    beat = Heartbeat(database, host, worker="w_bench", shown=lambda: None)
    beat.start()
    waves: list[list[str]] = []
    whole = []
    async with _starting(job, database, host, file) as start, asyncio.TaskGroup() as group:
        group.create_task(host.serve())
        with watch():
            for _ in range(job["warm"] + job["waves"]):
                if job["accepted"]:
                    host.open.clear()
                    waves.append(await start())
                    started = time.perf_counter()
                    host.open.set()
                else:
                    started = time.perf_counter()
                    waves.append(await start())
                for _ in range(at_once):
                    await host.over.acquire()
                whole.append(time.perf_counter() - started)
        host.stop()
    beat.stop()
    await writer.close()
    journal = [_journal(database, wave, job["result"]) for wave in waves]
    database.close()
    warm = job["warm"]
    marks = getattr(sys.modules[type(catalog.workflows[job["workflow"]].workflow).__module__], "MARKS", [])
    return {"whole": whole[warm:], "journal": journal[warm:], "marks": marks, "bytes": weight(file) - before}


@asynccontextmanager
async def _starting(
    job: dict[str, Any], database: Database, host: Host, file: Path
) -> AsyncIterator[Callable[[], Awaitable[list[str]]]]:
    """What accepts a wave and gives its ids: for one run the loop itself, for many a process, as in a studio."""
    requests = Requests(database, nudge=lambda topic, _: host.nudge(unowned=topic == "*"))

    async def one() -> list[str]:
        return [requests.start(job["workflow"], job["fields"]).run_id]

    if job["at_once"] == 1:
        yield one
        return
    with own_folder() as sockets:
        socket = sockets / "worker-w_bench.sock"
        transport = await listen(socket, lambda topics: host.nudge(unowned="*" in topics))
        told = {name: job[name] for name in ("workflow", "fields", "full")}
        told |= {"file": str(file), "sockets": str(sockets)}
        starter = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(__file__).with_name("durable_starter.py")), json.dumps(told),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        tell, said = starter.stdin, starter.stdout
        assert tell is not None
        assert said is not None

        async def many() -> list[str]:
            tell.write(f"{job['at_once']}\n".encode())
            ids: list[str] = json.loads(await said.readline())
            return ids

        yield many
        tell.close()
        await starter.wait()
        transport.close()


def _journal(database: Database, wave: list[str], result: Any) -> float:
    """Seconds from the wave's first entry to its last. Ends the measurement if a run has another result."""
    times: list[float] = []
    with database.read() as connection:
        for run_id in wave:
            run = connection.execute(text("SELECT status, result FROM run WHERE id = :id"), {"id": run_id}).one()
            if run.status != "completed" or str(result) not in str(run.result):
                raise SystemExit(f"run {run_id} is {run.status} with {run.result}")
            times += connection.execute(
                text("SELECT min(at), max(at) FROM entry WHERE run_id = :id"), {"id": run_id}
            ).one()
    return max(times) - min(times)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(read_job()))))
