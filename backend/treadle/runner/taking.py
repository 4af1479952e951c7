"""Taking: what a request from the inbox does to the run it is for, once that run's worker has it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any

from pydantic import ValidationError

from treadle.engine.deadlines import due_at
from treadle.engine.events import Event
from treadle.engine.validation import start_class
from treadle.engine.workflow import initial_values
from treadle.errors import LimitExceeded, TreadleError
from treadle.registry.catalog import Catalog
from treadle.runner.clock import Clock
from treadle.runner.driver import Driver
from treadle.runner.failures import error_json
from treadle.runner.live import LiveRun
from treadle.store import acceptance, inbox
from treadle.store.database import Database
from treadle.store.inbox import Request
from treadle.store.leases import Claim, settle
from treadle.store.snapshots import read_context

log = logging.getLogger("treadle.host")


class Taking:
    """Hands a worker's runs what was asked of them; each request once, acknowledged by the entry it leads to."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        driver: Driver,
        *,
        worker: str,
        clock: Clock,
        tenure: Callable[[], int | None],
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._driver = driver
        self._clock = clock
        self._tenure = tenure
        self._pending = inbox.Pending(database.dialect, worker)
        self._taken: dict[int, str] = {}

    def untaken(self, anew: Collection[str] = ()) -> list[Request]:
        """Requests for our runs that are not taken yet; what was taken of those claimed `anew` was never written."""
        if anew:
            self._taken = {number: run_id for number, run_id in self._taken.items() if run_id not in anew}
        still, untaken = self._pending.beside(self._database, self._taken)
        self._taken = {number: run_id for number, run_id in self._taken.items() if number in still}
        return untaken

    def take(self, request: Request) -> None:
        """Start the run, or hand it what was asked of it, if it is driven here; a reopening was taken where it was."""
        live = self._driver.by_id.get(request.run_id)
        if request.kind == "start":
            if live is None:
                self._start(request)
        elif live is not None and request.kind != "reopening":
            self._hand(live, request)

    def _start(self, request: Request) -> None:
        """Begin a run that was given to this worker, or claimed."""
        loaded = self._catalog.workflows.get(request.body["workflow"])
        if loaded is None or request.epoch is None or self._tenure() is None:
            return  # another takes it
        workflow = loaded.workflow
        claimed = Claim(request.run_id, loaded.name, request.epoch, 0, None)
        try:
            workflow.check()
            event = start_class(workflow.table)(**request.body["fields"])
            context = initial_values(workflow.table) | self._context(request.body.get("continued_from"))
        except (ValidationError, TreadleError) as error:
            self._fail(claimed, error)
        else:
            live = self._driver.open(claimed, workflow)
            self._acknowledge(live, request)
            due = request.body.get("due", due_at(workflow.deadline, live.loop.now()))
            live.loop.start(event, context=context, held=request.body["held"], deadline=due)

    def _hand(self, live: LiveRun, request: Request) -> None:
        """One request that makes no sense must not stand in the way of those behind it."""
        try:
            self._do(live, request)
        except (ValueError, LookupError, TypeError, LimitExceeded) as error:
            log.warning("Run %s: a %s was refused: %s", request.run_id, request.kind, error)
            if request.kind == "response":
                prompt = request.body["prompt"]
                acceptance.reopen(self._database, request.run_id, prompt, request.id, now=self._clock())
            else:
                self._acknowledge(live, request)
                live.journal.flush_acknowledged()

    def _do(self, live: LiveRun, request: Request) -> None:
        body = request.body
        event = _response(live, body) if request.kind == "response" else None
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

    def _acknowledge(self, live: LiveRun, request: Request) -> None:
        self._taken[request.id] = request.run_id
        live.journal.acknowledge(request.id, at=self._clock())

    def _context(self, run_id: str | None) -> dict[str, Any]:
        return read_context(self._database, run_id) if run_id is not None else {}

    def _fail(self, claimed: Claim, error: Exception) -> None:
        now = self._clock()
        settle(self._database, claimed, status="failed", started_at=now, ended_at=now, error=error_json(error))


def _response(live: LiveRun, body: dict[str, Any]) -> Event:
    """The event a person's answer is: what a step waits for, or what the steps of the workflow take."""
    name = body.get("response_type")
    wait = next((wait for wait in live.loop.state.waits.values() if wait.prompt == body["prompt"]), None)
    if wait is not None:
        event = live.types[name or wait.expected](**{**body["fields"], **wait.requirements})
        if not wait.takes(event):
            raise ValueError(f"The step waits for a {wait.expected}, and this is a {type(event).__name__}.")
        return event
    if name is None:
        accepted = [kind for kind in live.loop.table.routes.takers if kind.__name__.endswith("ResponseEvent")]
        name = accepted[0].__name__ if len(accepted) == 1 else "HumanResponseEvent"
    return live.types[name](**body["fields"])
