"""The driver: opens the loops of a worker's runs, and sees that those inside a run stop with it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from treadle.engine.events import Event, InputRequiredEvent
from treadle.engine.loop import RunLoop
from treadle.engine.state import Outcome
from treadle.engine.ticks import RunReopened, WaitStarted
from treadle.engine.workflow import Workflow
from treadle.errors import RunInterrupted, TreadleError
from treadle.registry.catalog import Catalog, event_types
from treadle.registry.schema import event_schema
from treadle.runner.clock import Clock
from treadle.runner.live import LiveRun, passed_on
from treadle.runner.nested import NestedHandler
from treadle.runner.nesting import Nesting
from treadle.runner.register import Register
from treadle.store import inbox
from treadle.store.database import Database
from treadle.store.inbox import Request
from treadle.store.journal import StoredJournal
from treadle.store.leases import Claim
from treadle.store.lineage import Birth, Place
from treadle.store.reopening import refuse
from treadle.store.states import Recovered
from treadle.store.writer import Writer

log = logging.getLogger("treadle.host")


class Driver:
    """Drives the runs a worker owns, each by a loop on its journal.

    `lost` is told of a run that stopped short of its end, `over` of every run that is no longer live; `tenure` says
    whether the leases of the runs have held since they were opened.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        catalog: Catalog,
        *,
        worker: str,
        clock: Clock,
        lost: Callable[[Claim, BaseException], None],
        over: Callable[[LiveRun], None],
        tenure: Callable[[], int | None],
    ) -> None:
        self.by_id: dict[str, LiveRun] = {}
        self.register = Register(catalog, clock=clock)
        self.stopping = False
        self.lost = lost
        self._database = database
        self._writer = writer
        self._worker = worker
        self._clock = clock
        self._over = over
        self._tenure = tenure
        self._nesting = Nesting(self, database, catalog, worker=worker, clock=clock)

    def open(
        self,
        claim: Claim,
        workflow: Workflow,
        recovered: Recovered | None = None,
        *,
        around: LiveRun | None = None,
        place: Place | None = None,
        birth: Birth | None = None,
    ) -> LiveRun:
        """A loop for a run this worker owns, ready to start or resume."""
        types = event_types(workflow)
        state = recovered.state if recovered is not None else None
        tenure = self._tenure()
        journal = StoredJournal(
            self._writer, claim.run_id, epoch=claim.epoch, owner=self._worker, birth=birth,
            expects=_expectations(types), types=types, saved_at=recovered.saved_at if recovered is not None else 0,
            nested=around is not None, owned=lambda: tenure is not None and self._tenure() == tenure,
        )  # fmt: skip
        loop = RunLoop(
            workflow.table,
            run_id=claim.run_id,
            clock=self._clock if state is None else self._clock.after(state.last_at),
            ended=lambda outcome, error: self._ended(live, outcome, error),
            journal=journal,
            state=state,
            # Ten seconds is a default for scripts: a durable run ends by a timeout only if its author set one.
            timeout=workflow.timeout if workflow.timeout_given else None,
            launch=lambda workflow, event, key: self._nesting.launch(live, workflow, event, key),
        )
        journal.state = loop.state
        live = LiveRun(claim, workflow, loop, journal, types, place, around)
        live.version = recovered.version if recovered is not None else None
        self.by_id[claim.run_id] = live
        if around is not None:
            around.inside[claim.run_id] = live
            live.handler = NestedHandler(claim.run_id, workflow.workflow_name, around.loop)
            live.handler.attach(loop)
        return live

    def resume(self, live: LiveRun, *, crashed: bool) -> None:
        """Let a run go on from its folded state, and those inside it that no step is about to call for again."""
        last_exit = live.claim.last_exit
        reason = f"its worker ended ({last_exit})" if last_exit else "its worker fell silent"
        reopened = None
        if (request := inbox.reopening(self._database, live.claim.run_id)) is not None:
            try:
                reopened = opened_again(live, request)
            except (ValueError, LookupError, TypeError, TreadleError) as error:
                self._refuse(live, request, error)
                return
            live.journal.acknowledge(request.id, at=self._clock())
        live.loop.resume(
            worker=self._worker, reason=reason, crashed=crashed, version=live.version, reopened=reopened
        )
        if live.loop.state.outcome is None:
            self._nesting.take_up(live)

    def _refuse(self, live: LiveRun, request: Request, error: Exception) -> None:
        run_id = live.claim.run_id
        log.warning("Run %s: what a person said was refused: %s", run_id, error)
        refuse(self._database, run_id, request.id, epoch=live.claim.epoch, now=self._clock())
        live.loop.abandon(RunInterrupted(f"It asks again: {error}"))

    def stop(self) -> None:
        """Stop driving; the runs stay where their journals are."""
        self.stopping = True
        for live in list(self.by_id.values()):
            live.loop.abandon(TreadleError("The worker stops; the run goes on elsewhere."))

    def _ended(self, live: LiveRun, outcome: Outcome, error: BaseException | None) -> None:
        self.by_id.pop(live.claim.run_id, None)
        around = live.around
        if around is not None:
            around.inside.pop(live.claim.run_id, None)
            self._nesting.give_back(live)
        for nested in list(live.inside.values()):
            assert nested.handler is not None
            nested.handler.stop()
        if outcome.status == "interrupted":
            if error is not None and not self.stopping:
                log.warning("Run %s stops here: %s", live.claim.run_id, error)
                self.lost(live.claim, error)
            if around is not None:  # before its step hears of it, which would fail
                reason = error if error is not None else TreadleError(outcome.error.message if outcome.error else "")
                around.loop.abandon(passed_on(live.claim.run_id, live.claim.workflow, reason))
        if live.handler is not None:
            live.handler.settle(outcome, error)
        self._over(live)


def opened_again(live: LiveRun, request: Request) -> RunReopened:
    """What a person said of a stopped run, as its journal will tell it. Raises ValueError where it does not fit."""
    body, outcome = request.body, live.loop.state.outcome
    decision, said = body["decision"], body.get("event")
    delivery = outcome.delivery.key if outcome is not None and outcome.delivery is not None else None
    if decision in ("again", "done") and delivery is None:
        raise ValueError("it asks nothing.")
    event = live.types[said["type"]](**said["fields"]) if said is not None else None
    return RunReopened(live.loop.now(), decision, delivery, event, live.version)


def _expectations(types: dict[str, type[Event]]) -> Callable[[WaitStarted], str | None]:
    """What answers the prompt of a waiting step: the event it waits for, without what it requires of it anyway."""

    def expects(tick: WaitStarted) -> str | None:
        kind = types.get(tick.expected)
        if kind is None or not isinstance(tick.event, InputRequiredEvent):
            return None
        schema = event_schema(kind)
        for name in tick.requirements:
            schema.get("properties", {}).pop(name, None)
        if "required" in schema:
            schema["required"] = [name for name in schema["required"] if name not in tick.requirements]
        return json.dumps({tick.expected: schema})

    return expects
