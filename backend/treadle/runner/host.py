"""The host: the runs a worker owns, and the requests that reach them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from treadle.engine.events import Event
from treadle.engine.loop import RunLoop
from treadle.engine.replay import fold_records
from treadle.engine.state import Outcome
from treadle.engine.validation import start_class
from treadle.errors import RunInterrupted, TreadleError, ValueNotStorable
from treadle.registry.catalog import Catalog, event_types
from treadle.runner.failures import error_json
from treadle.store import acceptance, inbox
from treadle.store.database import Database
from treadle.store.inbox import Request
from treadle.store.journal import StoredJournal, read_records
from treadle.store.leases import Claim, claim, settle
from treadle.store.snapshots import read_context
from treadle.store.writer import Writer

log = logging.getLogger("treadle.host")

LEASE = 10.0
"""Seconds after which a silent worker's runs may be taken over."""
CLAIMS = 32
"""Runs claimed at once: few enough that a burst spreads over the workers."""
SWEEP = 0.5
"""Seconds between looks at the database when nobody nudges."""


@dataclass(slots=True)
class LiveRun:
    """A run this worker drives right now."""

    claim: Claim
    loop: RunLoop
    journal: StoredJournal
    types: dict[str, type[Event]]


class Host:
    """Claims runs, starts or resumes them, and hands them the requests from the inbox."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        catalog: Catalog,
        *,
        worker: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.runs: dict[str, LiveRun] = {}
        self._database = database
        self._writer = writer
        self._catalog = catalog
        self._worker = worker
        self._clock = clock
        self._taken: set[int] = set()
        self._fresh: dict[str, Claim] = {}
        self._suspects: deque[Claim] = deque()
        self._broken: deque[tuple[Claim, BaseException]] = deque()
        self._nudged = asyncio.Event()
        self._stopping = False

    def nudge(self) -> None:
        """Look at the database soon."""
        self._nudged.set()

    async def serve(self) -> None:
        """Work until `stop` is called."""
        cleaned = 0.0
        while not self._stopping:
            self._nudged.clear()
            try:
                full = await self.sweep()
                if self._clock() - cleaned > 5.0:
                    cleaned = self._clock()
                    await asyncio.to_thread(inbox.clear_ended, self._database, now=cleaned)
            except Exception:
                log.exception("The database could not be read; trying again.")
                full = False
            if full:
                continue
            try:
                async with asyncio.timeout(SWEEP):
                    await self._nudged.wait()
            except TimeoutError:
                pass

    def committed(self) -> None:
        """Entries are on disk: the next suspect may have its turn."""
        if self._suspects:
            self.nudge()

    def stop(self) -> None:
        """Stop working; runs stay where their journals are."""
        self._stopping = True
        self._nudged.set()
        for live in list(self.runs.values()):
            live.loop.abandon(TreadleError("The worker stops; the run goes on elsewhere."))

    async def sweep(self) -> bool:
        """Claim what nobody owns, then take what the inbox has for us; whether there may be more to claim."""
        now = self._clock()
        while self._broken:
            await asyncio.to_thread(self._give_up, *self._broken[0])
            self._broken.popleft()
        claims = await asyncio.to_thread(
            claim,
            self._database,
            self._worker,
            workflows=self._catalog.workflows,
            now=now,
            seconds=LEASE,
            limit=CLAIMS,
        )
        for claimed in claims:
            if claimed.entries and _crashed(claimed):
                self._suspects.append(claimed)
            elif claimed.entries:
                await self._resume(claimed)
        while self._suspects and not self._on_probation():
            await self._resume(self._suspects.popleft())
        self._fresh.update({claimed.run_id: claimed for claimed in claims if not claimed.entries})
        pending = inbox.pending(self._database, self._worker)
        untaken = [request for request in pending if request.id not in self._taken]
        self._taken &= {request.id for request in pending}
        for request in untaken:
            if request.kind == "start" and request.run_id in self._fresh:
                self._start(self._fresh.pop(request.run_id), request)
            elif (live := self.runs.get(request.run_id)) is not None:
                self._take_or_refuse(live, request)
        return len(claims) == CLAIMS

    def _start(self, claimed: Claim, request: Request) -> None:
        try:
            workflow = self._catalog.workflows[claimed.workflow].workflow
            workflow.validate()
            event = start_class(workflow.table)(**request.body["fields"])
            context = self._context(request.body.get("continued_from"))
        except (ValidationError, TreadleError) as error:
            self._fail(claimed, error)
        else:
            live = self._open(claimed, None)
            self._acknowledge(live, request)
            live.loop.start(event, context=context, held=request.body["held"])

    async def _resume(self, claimed: Claim) -> None:
        try:
            workflow = self._catalog.workflows[claimed.workflow].workflow
            records = await asyncio.to_thread(read_records, self._database, claimed.run_id)
            state = fold_records(records, workflow.table.routes, event_types(workflow))
        except KeyError as error:
            message = f"Step {error} is no longer part of workflow {claimed.workflow}; put it back and resume the run."
            self._interrupt(claimed, TreadleError(message))
        except ValueNotStorable as error:
            self._interrupt(claimed, error)
        else:
            live = self._open(claimed, state)
            reason = f"its worker ended ({claimed.last_exit})" if claimed.last_exit else "its worker fell silent"
            live.loop.resume(worker=self._worker, reason=reason, crashed=_crashed(claimed))

    def _on_probation(self) -> bool:
        """Whether a delivery that was there when a worker crashed is being tried again.

        One at a time: the next crash then tells the guilty one from those that merely shared its worker.
        """
        return any(delivery.deaths for live in self.runs.values() for delivery in live.loop.state.running.values())

    def _open(self, claimed: Claim, state: Any) -> LiveRun:
        workflow = self._catalog.workflows[claimed.workflow].workflow
        journal = StoredJournal(self._writer, claimed.run_id, epoch=claimed.epoch, owner=self._worker)

        def ended(outcome: Outcome, error: BaseException | None) -> None:
            self.runs.pop(claimed.run_id, None)
            if outcome.status == "interrupted" and error is not None and not self._stopping:
                log.warning("Run %s stops here: %s", claimed.run_id, error)
                self._broken.append((claimed, error))
                self.nudge()

        loop = RunLoop(
            workflow.table,
            clock=self._clock,
            ended=ended,
            journal=journal,
            state=state,
            # Ten seconds is a default for scripts: a durable run ends by a timeout only if its author set one.
            timeout=workflow.timeout if workflow.timeout_given else None,
        )
        journal.state = loop.state
        live = LiveRun(claimed, loop, journal, event_types(workflow))
        self.runs[claimed.run_id] = live
        return live

    def _take_or_refuse(self, live: LiveRun, request: Request) -> None:
        """One request that makes no sense must not stand in the way of those behind it."""
        try:
            self._take(live, request)
        except (ValueError, LookupError, TypeError) as error:
            log.warning("Run %s: a %s was refused: %s", request.run_id, request.kind, error)
            if request.kind == "response":
                prompt = request.body["prompt"]
                acceptance.reopen(self._database, request.run_id, prompt, request.id, now=self._clock())
            else:
                self._acknowledge(live, request)
                live.journal.flush_acknowledged()

    def _take(self, live: LiveRun, request: Request) -> None:
        body = request.body
        event = self._response(live, body) if request.kind == "response" else None
        seq, _, step = (body.get("delivery") or "").partition(":")
        chosen = (int(seq), step) if step else None
        self._acknowledge(live, request)
        if event is not None:
            live.loop.respond(event, prompt=body["prompt"])
        elif request.kind == "cancellation":
            live.loop.cancel()
        elif request.kind == "step":
            live.loop.allow_step(chosen)
        elif request.kind == "release":
            live.loop.release()
        live.journal.flush_acknowledged()

    def _response(self, live: LiveRun, body: dict[str, Any]) -> Event:
        name = body.get("response_type")
        if name is None:
            accepted = [kind for kind in live.loop.table.routes.takers if kind.__name__.endswith("ResponseEvent")]
            name = accepted[0].__name__ if len(accepted) == 1 else "HumanResponseEvent"
        return live.types[name](**body["fields"])

    def _acknowledge(self, live: LiveRun, request: Request) -> None:
        self._taken.add(request.id)
        live.journal.acknowledge(request.id, at=self._clock())

    def _context(self, run_id: str | None) -> dict[str, Any]:
        return read_context(self._database, run_id) if run_id is not None else {}

    def _fail(self, claimed: Claim, error: Exception) -> None:
        now = self._clock()
        settle(self._database, claimed, status="failed", started_at=now, ended_at=now, error=error_json(error))

    def _give_up(self, claimed: Claim, error: BaseException) -> None:
        """The loop of a run stopped under us: another owner goes on, or, where its own doing broke it, nobody does."""
        if isinstance(error, RunInterrupted):
            settle(self._database, claimed)  # changes nothing when the run was taken over
        else:
            self._interrupt(claimed, error)

    def _interrupt(self, claimed: Claim, error: BaseException) -> None:
        settle(self._database, claimed, status="interrupted", error=error_json(error))


def _crashed(claimed: Claim) -> bool:
    """Whether a step may have ended the run's last worker: being stopped or killed is nobody's fault."""
    return claimed.last_exit is not None and claimed.last_exit not in ("stopped", "signal 9", "signal 15")
