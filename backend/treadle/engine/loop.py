"""The loop: gives ticks to the reducer and carries out its commands, each after its tick is kept.

The loop has no task of its own: ticks come in by calls, steps run in carriers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from treadle.engine import ticks
from treadle.engine.admission import admitted, refuse_start
from treadle.engine.carriers import Carriers
from treadle.engine.commands import Command, EndRun, Publish, RunStep, WaitForRetry, WatchWait
from treadle.engine.events import Event, InputRequiredEvent, StepStateChanged
from treadle.engine.failures import last_event
from treadle.engine.journal import Journal, Kept
from treadle.engine.lending import Lending
from treadle.engine.nesting import Launch
from treadle.engine.outbox import RunOutbox
from treadle.engine.reducer import apply
from treadle.engine.retry import decided
from treadle.engine.rules.changing import overwritten
from treadle.engine.rules.resuming import overwritten_since
from treadle.engine.slots import Slots
from treadle.engine.state import Delivery, Outcome, RunState
from treadle.engine.stepping import Stepper, send_handed
from treadle.engine.stream import EventStream
from treadle.engine.table import StepTable
from treadle.engine.timers import Timers
from treadle.engine.traces import message_of, name_step, trace_of
from treadle.errors import LimitExceeded, RunInterrupted, RunTooLarge, WorkflowRuntimeError


class RunLoop:
    """Drives one run. `ended` is called once with the outcome and, if it failed here, the exception itself."""

    __slots__ = (
        "_admit",
        "_carriers",
        "_clock",
        "_early",
        "_ended",
        "_failure",
        "_journal",
        "_pending",
        "_start",
        "_stepper",
        "_timeout",
        "_timers",
        "lending",
        "look",
        "outbox",
        "over",
        "owned",
        "published",
        "run_id",
        "say",
        "state",
        "stepwise",
        "table",
        "watched",
    )

    def __init__(
        self,
        table: StepTable,
        *,
        run_id: str,
        clock: Callable[[], float],
        ended: Callable[[Outcome, BaseException | None], None],
        journal: Journal | None = None,
        state: RunState | None = None,
        timeout: float | None = None,
        say: Callable[[str], None] | None = None,
        launch: Launch | None = None,
    ) -> None:
        self.table = table
        self.run_id = run_id
        self.state = state if state is not None else RunState(table.routes)
        self.published = EventStream()
        self.watched = False
        self._clock, self._ended, self._journal = clock, ended, journal
        self._admit: Any = getattr(journal, "admit", None)  # what only a journal with limits has
        self.lending: Lending | None = getattr(journal, "lending", None)
        self.owned: Callable[[], bool] | None = getattr(journal, "owned", None)
        self._timeout = timeout
        self.say = say
        self._pending: deque[tuple[asyncio.Future[None], Sequence[Command]]] = deque()
        self._timers = Timers(self)
        self._stepper: Stepper | None = None
        self._start: ticks.RunStarted | None = None
        self._early: list[ticks.Tick] | None = None
        self._failure: tuple[ticks.ErrorFacts | None, BaseException | None] = (None, None)
        self.over = self.stepwise = False
        self.look: Callable[[], None] | None = None
        self.outbox = RunOutbox(self, launch)
        self._carriers = Carriers(self)

    def submit(self, tick: ticks.Tick) -> None:
        """Let `tick` happen: apply it, keep it, and carry out what follows once it is kept."""
        if self._start is not None:
            if self._early is not None:
                if type(tick) is ticks.ContextChanged:  # to be read before the run starts
                    self._start.context[tick.key] = tick.value
                else:
                    self._early.append(tick)
                return
            self.begin()
        # After its end nothing happens in a run, also while that is on its way to the disk: who reads on would miss it.
        if self.over or (self.state.outcome is not None and type(tick) not in (ticks.RunReopened, ticks.RunGivenUp)):
            return
        if self._admit is not None:
            admitted(self, tick, self._admit)
        self.happen(tick)

    def happen(self, tick: ticks.Tick) -> None:
        """Let `tick` happen, whatever the limits are."""
        state = self.state
        try:
            commands = apply(state, tick)
            kept = self._journal.append(state.seq, tick, commands) if self._journal is not None else None
        except Exception as error:
            # The state has gone a step that the journal does not know: from the journal the run goes on, not from here.
            if self._journal is not None:
                self.abandon(RunInterrupted(f"Entry {state.seq} could not be made: {type(error).__name__}: {error}"))
            raise
        if kept is None and not self._pending:
            if commands:
                self._carry_out(commands)
        else:
            if kept is None:
                kept = self._pending[-1][0]
            if not self._pending or self._pending[-1][0] is not kept:
                (kept.then if type(kept) is Kept else kept.add_done_callback)(self._kept)
            self._pending.append((kept, commands))
        if self._stepper is not None:
            self._stepper.changed()
        if self.look is not None:
            self.look()

    def start(
        self,
        event: Event,
        *,
        context: dict[str, Any],
        held: bool = False,
        when_free: Slots | None = None,
        deadline: float | None = None,
    ) -> None:
        """Start the run with `event` and the context it continues from, as soon as the event loop gets to it.

        Not at once, so that who called may still make it stepwise; with `when_free`, once that has a slot for it.
        """
        self._start = ticks.RunStarted(self._clock(), event, context, held, deadline)
        self.stepwise = held
        if when_free is None:
            self._carriers.begin_with(self.begin)
        else:
            self._early = []
            when_free.take(self.begin)
        self._timers.watch_deadline(deadline)

    def begin(self) -> None:
        """Start now, if it has not started yet."""
        start, self._start = self._start, None
        early, self._early = self._early, None
        if start is None or self.over:
            return
        start.at = self._clock()
        try:
            self.submit(start)
        except LimitExceeded as error:
            refuse_start(self, start, error)
            return
        for tick in early or ():
            self.submit(tick)
        self._timers.watch_timeout(self._timeout)

    def resume(
        self, *, worker: str = "", reason: str = "continued from a saved context", crashed: bool = False,
        version: str | None = None, reopened: ticks.RunReopened | None = None,
    ) -> None:  # fmt: skip
        """Go on from a folded or saved state: what was in flight is tried again."""
        if self.over:
            return
        if self.state.outcome is not None and reopened is None:  # its worker died before it could tell of the end
            self._finish(self.state.outcome, None)
            return
        resumed = ticks.RunResumed(self._clock(), worker, reason, crashed, overwritten_since(self.state), version)
        self.submit(reopened or resumed)
        send_handed(self, self._stepper)
        self._timers.watch_timeout(self._timeout)
        self._timers.watch_deadline(self.state.deadline)

    def cancel(self) -> None:
        self.begin()
        self.submit(ticks.RunCancelled(self._clock()))

    def hold(self) -> None:
        """From here on every delivery waits for leave; of a run that has not started yet, the first one too."""
        if self._start is not None:
            self._start.held = True
        elif not self.state.held:
            self.submit(ticks.RunHeld(self._clock()))

    def allow_step(self, delivery: ticks.Key | None = None) -> None:
        self.submit(ticks.StepAllowed(self._clock(), delivery))

    def release(self) -> None:
        self.submit(ticks.RunReleased(self._clock()))
        send_handed(self, self._stepper)

    def let_go(self) -> None:
        """Somebody waits for the end of the run: unless it was started stepwise, nothing holds it any longer."""
        if self.stepwise:
            return
        if self._start is not None:
            self._start.held = False
        elif self.state.held:
            self.release()

    def respond(self, event: Event, *, prompt: int) -> None:
        self.submit(ticks.EventSent(self._clock(), event, prompt=prompt))

    def fail(self, error: BaseException, step: str | None) -> None:
        """End the run: it cannot go on, by what `step` did."""
        facts = ticks.ErrorFacts(type(error).__name__, message_of(error))
        self._failure = (facts, error)
        self.happen(ticks.RunFailed(self._clock(), facts, step))

    def abandon(self, error: BaseException) -> None:
        """Stop here and now without a tick: another worker owns the run, or the journal cannot be written."""
        if not self.over:
            self._finish(Outcome("interrupted"), error)

    async def run_step(self, *, dispatch: bool) -> Event | None:
        """Run one step of the run, held from here on; its event, sent on by itself with `dispatch`."""
        if self._stepper is None:
            self._stepper = Stepper(self)
        return await self._stepper.run_step(dispatch=dispatch)

    def now(self) -> float:
        return self._clock()

    def stream(self, event: Event, source: ticks.Key | None) -> None:
        """Show `event` to the readers. A prompt is a matter of state, any other only of order."""
        if self._journal is not None or self._start is not None or isinstance(event, InputRequiredEvent):
            self.submit(ticks.EventStreamed(self._clock(), event, source))
        elif not self.over:
            self.state.seq += 1
            self.published.publish(event)

    def saved(self) -> RunState:
        """The state to save: that of a run which has not started yet is the one it starts with."""
        if self._start is None:
            return self.state
        state = RunState(self.table.routes)
        for tick in (self._start, *(self._early or ())):
            apply(state, tick)
        for delivery in state.running.values():  # none of them has begun: the attempt that follows is the first
            delivery.attempt = -1
        return state

    async def written(self) -> None:
        """Everything submitted so far is on disk."""
        if self._pending:
            await asyncio.shield(self._pending[-1][0])

    def context_at_start(self) -> dict[str, Any] | None:
        """The context of a run that has not started yet."""
        return self._start.context if self._start is not None else None

    def maker_of(self, event: Event) -> ticks.Key | None:
        """The delivery that made an event which `run_step` gave to the caller."""
        return self._stepper.maker_of(event) if self._stepper is not None else None

    def has_gone(self, event: Event) -> bool:
        """Whether an event that `run_step` gave to the caller has gone on by itself since."""
        return self._stepper is not None and self._stepper.has_gone(event)

    def step_paused(self, key: ticks.Key) -> None:
        """A step waits in its middle."""
        if self._stepper is not None:
            self._stepper.step_ended(key, None)

    def step_cancelled(self, delivery: Delivery, cause: asyncio.CancelledError) -> None:
        """Somebody cancelled a step, or what it awaited, and not its run."""
        error = WorkflowRuntimeError(f"Step {delivery.step} was cancelled, and its run was not.")
        error.__cause__ = cause
        self.step_failed(delivery, error)

    def step_of(self, task: asyncio.Task[Any]) -> str | None:
        """The step `task` executes for this run, None if it is not one of its carriers."""
        return self._carriers.step_of(task)

    # Carrying out

    def _kept(self, kept: asyncio.Future[None]) -> None:
        error = kept.exception() if not kept.cancelled() else RunInterrupted("The journal was closed.")
        if error is not None:
            self._pending.clear()
            self.abandon(error)
            return
        while self._pending and self._pending[0][0] is kept:
            self._carry_out(self._pending.popleft()[1])

    def _carry_out(self, commands: Sequence[Command]) -> None:
        if self.over:
            return
        for command in commands:
            if type(command) is RunStep and self.state.outcome is None:  # no step begins while the end is being kept
                if self.watched:
                    self._tell(command.delivery, "running", None)
                if not command.delivery.memo or not self.outbox.wake(command.delivery):
                    self._carriers.add(command.delivery)
            elif type(command) is Publish:
                self.published.publish(command.event)
            elif type(command) is WaitForRetry:
                self._timers.wait_for_retry(command)
            elif type(command) is WatchWait:
                self._timers.watch_wait(command)
            elif type(command) is EndRun:
                facts, error = self._failure
                self._finish(command.outcome, error if command.outcome.error is facts else None)
                return
        self._carriers.go()

    def _finish(self, outcome: Outcome, error: BaseException | None) -> None:
        self.over = True
        self._timers.cancel()
        self._carriers.cancel()
        if self._stepper is not None:
            self._stepper.run_ended()
        self.outbox.close()
        last = last_event(self.state, outcome, error, timeout=self._timeout)
        if last is not None:
            self.published.publish(last)
        self.published.close()
        self._ended(outcome, error)

    def _tell(self, delivery: Delivery, state: str, output: Event | None) -> None:
        self.published.publish(
            StepStateChanged(
                step=delivery.step,
                state=state,
                input_event=type(delivery.event).__name__,
                output_event=type(output).__name__ if output is not None else None,
            )
        )

    def step_finished(self, delivery: Delivery, event: Event | None) -> None:
        """An attempt came to its end: its event goes on, or to the caller who runs step by step."""
        if self.over:
            return
        if self.say is not None:
            produced = f"event {type(event).__name__}" if event is not None else "no event"
            self.say(f"Step {delivery.step} produced {produced}")
        if self.watched:
            self._tell(delivery, "done", event)
        key, stepper = (delivery.seq, delivery.step), self._stepper
        handed = stepper is not None and stepper.takes(key)
        if stepper is not None:  # first: the event may end the run
            stepper.step_ended(key, event)
        try:
            self.submit(ticks.StepFinished(self._clock(), key, event, handed))
        except LimitExceeded as error:
            self.step_failed(delivery, error)
            return
        if self.outbox.suspended:
            self.outbox.step_over(key)

    def step_failed(self, delivery: Delivery, error: BaseException) -> None:
        """An attempt raised: it is tried again, or caught, or the run fails."""
        if self.over or isinstance(error, RunTooLarge):
            return
        now = self._clock()
        delay = None
        policy = self.table.steps[delivery.step].retry_policy
        if policy is not None and isinstance(error, Exception) and not isinstance(error, LimitExceeded):
            since = now - delivery.first_failed_at if delivery.first_failed_at is not None else 0.0
            name = f"{self.run_id}:{delivery.seq}:{delivery.step}:{delivery.attempt}"
            delay, error = decided(policy, elapsed=since, failed=delivery.failures, error=error, name=name)
        facts = ticks.ErrorFacts(type(error).__name__, message_of(error), trace_of(error))
        if self.watched:
            self._tell(delivery, "failed", None)
        if delay is None:
            name_step(error, delivery.step)
            if self.state.outcome is None:
                self._failure = (facts, error)
        elif self.say is not None:
            self.say(f"Step {delivery.step} produced an error, retry in {delay} seconds")
        retry_at = now + delay if delay is not None else None
        kept = overwritten(self.state, [delivery]) if delay is not None else ()
        self.submit(ticks.StepFailed(now, delivery.key, facts, retry_at, error, kept))
        self.outbox.step_over(delivery.key)
        if delay is None and self._stepper is not None:
            self._stepper.step_ended(delivery.key, None)
