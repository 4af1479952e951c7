"""A journal on a real file, for runs whose limits are small enough to meet."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from treadle import StartEvent, Workflow
from treadle.engine.limits import LIMITS, Limits
from treadle.engine.loop import RunLoop
from treadle.engine.replay import fold_records
from treadle.engine.state import Outcome, RunState
from treadle.resources import MIGRATIONS
from treadle.store.database import Database
from treadle.store.journal import StoredJournal, read_records
from treadle.store.leases import Claims
from treadle.store.migrations import migrate
from treadle.store.tables import Run
from treadle.store.writer import Writer

RUNS = Run.__table__  # type: ignore[attr-defined]


@dataclass
class Kept:
    """A run of `workflow` as it goes on; `ended` has its outcome and the exception behind it."""

    keeping: Keeping
    run_id: str
    workflow: Workflow
    loop: RunLoop
    ended: asyncio.Future[tuple[Outcome, BaseException | None]]

    async def outcome(self) -> Outcome:
        async with asyncio.timeout(30):
            return (await self.ended)[0]

    @property
    def state(self) -> RunState:
        return self.loop.state

    def folded(self) -> RunState:
        """The state by what is on disk."""
        records = read_records(self.keeping.database, self.run_id)
        return fold_records(records, self.workflow.table.routes, self.workflow.event_types())

    def kinds(self) -> list[str]:
        return [record.kind for record in read_records(self.keeping.database, self.run_id)]

    def payloads(self, kind: str) -> list[Any]:
        records = read_records(self.keeping.database, self.run_id)
        return [json.loads(record.payload or "null") for record in records if record.kind == kind]

    def remarks(self) -> dict[str, Any]:
        """What the run's page says of it."""
        with self.keeping.database.read() as connection:
            text = connection.execute(select(RUNS.c.remarks).where(RUNS.c.id == self.run_id)).scalar()
        found: dict[str, Any] = json.loads(text or "{}")
        return found

    async def until(self, status: str, *, entries: int = 0) -> None:
        """Wait until the run's row says `status`, and `entries` entries at least."""
        async with asyncio.timeout(30):
            while True:
                self.keeping.committed.clear()
                with self.keeping.database.read() as connection:
                    row = connection.execute(select(RUNS).where(RUNS.c.id == self.run_id)).one()
                if row.status == status and row.entries >= entries:
                    return
                await self.keeping.committed.wait()


class Keeping:
    """A database and its writer; made inside a running event loop."""

    def __init__(self, url: str) -> None:
        self.database = Database(url, full=False)
        migrate(self.database, MIGRATIONS)
        self.committed = asyncio.Event()
        self.writer = Writer(self.database, committed=lambda runs: self.committed.set())
        self._runs = 0

    def start(
        self, workflow: Workflow, *, limits: Limits = LIMITS, context: dict[str, Any] | None = None, **fields: Any
    ) -> Kept:
        """Start a run under `limits`."""
        self._runs += 1
        run_id = f"r{self._runs}"
        row = {"id": run_id, "workflow": run_id, "status": "running", "created_at": 0.0}
        with self.database.write() as connection:
            connection.execute(insert(RUNS).values(row))
        kept = self._open(workflow, run_id, None, limits)
        kept.loop.start(StartEvent(**fields), context=context or {})
        return kept

    def resume(self, kept: Kept, *, limits: Limits = LIMITS) -> Kept:
        """Go on with a run from its journal, as another worker does when the first has died."""
        state = kept.folded()
        kept.loop.abandon(RuntimeError("killed"))
        with self.database.write() as connection:
            connection.execute(update(RUNS).where(RUNS.c.id == kept.run_id).values(lease_until=0.0))
        again = self._open(kept.workflow, kept.run_id, state, limits)
        again.loop.resume(worker="w2", reason="a test", crashed=False)
        return again

    async def close(self) -> None:
        await self.writer.close()
        self.database.close()

    def _open(self, workflow: Workflow, run_id: str, state: RunState | None, limits: Limits) -> Kept:
        claims = Claims(self.database.dialect, "w", workflows=[run_id])
        (mine,) = claims.claim(self.database, now=time.time(), seconds=60, limit=1)
        types = workflow.event_types()
        journal = StoredJournal(self.writer, run_id, epoch=mine.epoch, owner="w", types=types, limits=limits)
        ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def over(outcome: Outcome, error: BaseException | None) -> None:
            ended.set_result((outcome, error))

        loop = RunLoop(workflow.table, run_id=run_id, clock=time.time, ended=over, journal=journal, state=state)
        journal.state = loop.state
        return Kept(self, run_id, workflow, loop, ended)
