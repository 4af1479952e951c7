"""Nesting: what a worker does when a step starts a run inside its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from itertools import count
from typing import Protocol

from treadle.engine.deadlines import due_at
from treadle.engine.events import Event
from treadle.engine.loop import RunLoop
from treadle.engine.slots import Slots
from treadle.engine.state import Outcome, RunState
from treadle.engine.ticks import ChildEnded, Tick
from treadle.engine.workflow import Workflow, initial_values
from treadle.errors import RunInterrupted, TreadleError, ValueNotStorable, WorkflowRuntimeError
from treadle.registry.catalog import Catalog, event_types
from treadle.runner.live import Attempt, LiveRun, crashed, passed_on
from treadle.runner.nested import NestedHandler, earlier_run, ending_of, nested_id, raised_again, start_of
from treadle.runner.register import Register
from treadle.store import inbox
from treadle.store.database import Database
from treadle.store.journal import read_records
from treadle.store.leases import LEASE, Claim
from treadle.store.lineage import Birth, Nested, Place, nested_runs, step_failed_after
from treadle.store.splices import whole
from treadle.store.states import Code, Recovered, recover


class Drive(Protocol):
    """The driver, as far as nesting needs it."""

    by_id: dict[str, LiveRun]
    register: Register
    lost: Callable[[Claim, BaseException], None]

    def open(
        self,
        claim: Claim,
        workflow: Workflow,
        recovered: Recovered | None = None,
        *,
        around: LiveRun | None = None,
        place: Place | None = None,
        birth: Birth | None = None,
    ) -> LiveRun: ...
    def resume(self, live: LiveRun, *, crashed: bool) -> None: ...


class Nesting:
    """Starts nested runs, and finds them again.

    A nested run is a run of its own, started once: a step that is tried again gets the one its earlier attempt has
    started. It belongs to whoever owns the run around it and goes where that goes. A run inside a held one is not
    held: it is what the step does that a person gave leave for.
    """

    def __init__(
        self, drive: Drive, database: Database, catalog: Catalog, *, worker: str, clock: Callable[[], float]
    ) -> None:
        self._drive = drive
        self._database = database
        self._catalog = catalog
        self._worker = worker
        self._clock = clock
        self._slots: dict[int, Slots] = {}

    def launch(self, around: LiveRun, workflow: Workflow, event: Event, key: tuple[int, str, int]) -> NestedHandler:
        """The handler of the run that the step of delivery `key` (seq, step, number of the call) asks for.

        Raises WorkflowRuntimeError in a step that is not async.
        """
        try:
            task = asyncio.current_task()
        except RuntimeError:
            raise WorkflowRuntimeError(
                "run() needs a running event loop: make the step that calls it an async function."
            ) from None
        seq, step, call = key
        place = Place(around.claim.run_id, seq, step, call)
        attempt = around.loop.state.running[seq, step].attempt
        if attempt == 0:  # nobody has called from here before: nothing to look for
            return self._begin(around, workflow, event, place)
        itself = task is not None and around.loop.step_of(task) is not None
        try:
            handler = self._again(around, workflow, event, place, attempt=attempt, call=call if itself else None)
        except TreadleError:
            raise
        except Exception as error:  # the database: the run goes on when it can be read
            around.loop.abandon(RunInterrupted(f"The runs inside {place.parent} could not be read: {error}"))
            handler = None
        if handler is None:
            # The run has stopped under its step, which must do no more, whatever else it would catch.
            raise asyncio.CancelledError
        return handler

    def take_up(self, around: LiveRun) -> None:
        """Go on with the runs inside one that was resumed, but for those its steps are about to call for again."""
        if not around.loop.state.children:
            return
        for run in nested_runs(self._database, around.claim.run_id):
            if (run.place.seq, run.place.step) in around.loop.state.running or around.loop.over:
                continue
            workflow = self._workflow_of(around, run)
            handler = self._go_on(around, run, workflow) if workflow is not None else None
            if handler is not None:
                handler.add_done_callback(partial(_tell, around, run.place, handler))

    def _again(
        self, around: LiveRun, workflow: Workflow, event: Event, place: Place, *, attempt: int, call: int | None
    ) -> NestedHandler | None:
        """The run an earlier attempt has started, or else a new one; None where that cannot go on, nor its parent."""
        known = around.attempts.get((place.seq, place.step))
        if known is None or known.number != attempt:
            left = nested_runs(self._database, place.parent, seq=place.seq, step=place.step)
            known = around.attempts[place.seq, place.step] = Attempt(attempt, left)
        again = earlier_run(
            known.left,
            call=call,
            workflow=self._drive.register.file(workflow).name,
            start=start_of(event, event_types(workflow)) if call is None else None,
            taken=known.taken,
            spent=lambda run: step_failed_after(self._database, run),
        )
        handler: NestedHandler | None
        live = self._drive.by_id.get(again.id) if again is not None else None
        if again is None or (live is not None and live.loop.state.outcome is not None):  # one that is just being ended
            handler = self._begin(around, workflow, event, place, used=[run.id for run in known.left])
        elif live is not None:
            handler = live.handler
        else:
            handler = self._go_on(around, again, workflow)
        if handler is not None:
            known.taken.add(handler.run_id)
        return handler

    def _begin(
        self, around: LiveRun, workflow: Workflow, event: Event, place: Place, *, used: Collection[str] = ()
    ) -> NestedHandler:
        filing = self._drive.register.file(workflow)
        ids = (nested_id(place, nth) for nth in count())
        run_id = next(known for known in ids if known not in used and known not in self._drive.by_id)
        birth = Birth(
            place, around.claim.epoch, filing.name, filing.fingerprint, self._worker, self._clock(), LEASE,
            filing.version,
        )  # fmt: skip
        claim = Claim(run_id, filing.name, epoch=1, entries=0, last_exit=None)
        live = self._drive.open(claim, workflow, around=around, place=place, birth=birth)
        assert live.handler is not None
        live.loop.start(
            event,
            context=initial_values(workflow.table),
            when_free=self._slots_of(workflow),
            deadline=due_at(workflow.deadline, self._clock()),
        )
        return live.handler

    def _go_on(self, around: LiveRun, run: Nested, workflow: Workflow) -> NestedHandler | None:
        """Go on with a nested run from its journal; one that has ended ends again in memory, and nothing is run.

        None when the journal does not say how: neither it nor the run around it can go on.
        """
        claim = Claim(run.id, run.workflow, run.epoch, 1, around.claim.last_exit)
        routes, types = workflow.table.routes, event_types(workflow)
        try:
            code = Code(self._drive.register.file(workflow).fingerprint, routes, types)
            recovered = self._recovered(run.id, code) if not run.over else None
            if recovered is None or self._is_over(run, recovered.state):
                before, last = ending_of(whole(read_records(self._database, run.id)), routes, types)
                return self._end_again(around, run, workflow, before, last)
        except (KeyError, ValueNotStorable) as error:
            problem = _unreadable(run.workflow, error)
            if not run.over:
                self._drive.lost(claim, problem)
            around.loop.abandon(passed_on(run.id, run.workflow, problem))
            return None
        live = self._drive.open(claim, workflow, recovered, around=around, place=run.place)
        assert live.handler is not None
        if (slots := self._slots_of(workflow)) is not None:
            slots.take(live.loop.begin)  # it has begun: this only counts it
        self._drive.resume(live, crashed=crashed(claim))
        return live.handler

    def _is_over(self, run: Nested, state: RunState) -> bool:
        """Whether its journal says so, and no person has opened it again since."""
        return state.outcome is not None and inbox.reopening(self._database, run.id) is None

    def _recovered(self, run_id: str, code: Code) -> Recovered:
        with self._database.read() as connection:
            return recover(connection, run_id, code)

    def _end_again(
        self, around: LiveRun, run: Nested, workflow: Workflow, before: RunState, last: Tick
    ) -> NestedHandler:
        handler = NestedHandler(run.id, workflow.workflow_name, around.loop)

        def ended(outcome: Outcome, error: BaseException | None) -> None:
            if outcome.status == "failed" and outcome.error is not None:
                error = raised_again(outcome.error, type(workflow))
            handler.settle(outcome, error)

        loop = RunLoop(workflow.table, run_id=run.id, clock=self._clock, ended=ended, state=before)
        handler.attach(loop)
        # A turn later: whoever has started it is to see it end, and its parent's journal to say so before it goes on.
        asyncio.get_running_loop().call_soon(loop.submit, last)
        return handler

    def _workflow_of(self, around: LiveRun, run: Nested) -> Workflow | None:
        for workflow in around.workflow.table.children.values():
            if self._drive.register.file(workflow).name == run.workflow:
                found: Workflow = workflow
                return found
        loaded = self._catalog.workflows.get(run.workflow)
        return loaded.workflow if loaded is not None else None

    def _slots_of(self, workflow: Workflow) -> Slots | None:
        if workflow.num_concurrent_runs is None:
            return None
        return self._slots.setdefault(id(workflow), Slots(workflow.num_concurrent_runs))

    def give_back(self, live: LiveRun) -> None:
        """A nested run is over: the next of its kind may begin."""
        slots = self._slots.get(id(live.workflow))
        if slots is not None:
            slots.give_back(live.loop.begin)
            if not any(other.around and other.workflow is live.workflow for other in self._drive.by_id.values()):
                del self._slots[id(live.workflow)]


def _tell(live: LiveRun, place: Place, handler: NestedHandler, _: object) -> None:
    """A nested run has ended that no step has called for since its parent was resumed."""
    child = live.loop.state.children.get((place.seq, place.step, place.call))
    if child is not None and child.run_id == handler.run_id and child.status != handler.status:
        live.loop.submit(ChildEnded(live.loop.now(), (place.seq, place.step), place.call, handler.status))


def _unreadable(workflow: str, error: Exception) -> TreadleError:
    if isinstance(error, TreadleError):
        return error
    return TreadleError(f"Step {error} is no longer part of workflow {workflow}; put it back and resume the run.")
