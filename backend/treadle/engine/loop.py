"""The loop: gives ticks to the reducer and carries out its commands, each after its tick is kept.

The loop has no task of its own. Ticks come in by calls; steps run in carriers, tasks that take the next ready delivery
as long as there is one, so that a chain of steps that never suspend costs no task switches at all.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future as ThreadFuture
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import groupby
from typing import Any

from treadle.engine import ticks
from treadle.engine.commands import Command, EndRun, Publish, RunStep, WaitForRetry
from treadle.engine.context import Context
from treadle.engine.events import Event
from treadle.engine.journal import Journal
from treadle.engine.reducer import apply
from treadle.engine.rules.collecting import collected_batch
from treadle.engine.state import Delivery, Outcome, RunState
from treadle.engine.stream import EventStream
from treadle.engine.table import StepTable
from treadle.engine.traces import trace_of
from treadle.errors import RunInterrupted, WorkflowRuntimeError

YIELD_EVERY = 64
"""Steps after which a carrier lets everybody else on the event loop have a turn."""

_threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="treadle-step")


class RunLoop:
    """Drives one run. `ended` is called once with the outcome and, if it failed here, the exception itself."""

    def __init__(
        self,
        table: StepTable,
        *,
        clock: Callable[[], float],
        ended: Callable[[Outcome, BaseException | None], None],
        journal: Journal | None = None,
        state: RunState | None = None,
        timeout: float | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.table = table
        self.state = state if state is not None else RunState(table.routes)
        self.published = EventStream()
        self._clock = clock
        self._ended = ended
        self._journal = journal
        self._timeout = timeout
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._ready: deque[Delivery] = deque()
        self._pending: deque[tuple[asyncio.Future[None], Sequence[Command]]] = deque()
        self._carriers: dict[asyncio.Task[None], str | None] = {}
        self._spare = False
        self._timers: set[asyncio.TimerHandle] = set()
        self._exception: BaseException | None = None
        self.over = False

    # What happens to the run

    def submit(self, tick: ticks.Tick) -> None:
        """Let `tick` happen: apply it, keep it, and carry out what follows once it is kept."""
        if self.over:
            return
        state = self.state
        commands = apply(state, tick)
        kept = self._journal.append(state.seq, tick, commands) if self._journal is not None else None
        if kept is None and not self._pending:
            if commands:
                self._carry_out(commands)
            return
        if kept is None:
            kept = self._pending[-1][0]
        if not self._pending or self._pending[-1][0] is not kept:
            kept.add_done_callback(self._kept)
        self._pending.append((kept, commands))

    def start(self, event: Event, *, context: dict[str, Any], held: bool = False) -> None:
        """Start the run with `event` and the context it continues from."""
        self.submit(ticks.RunStarted(self._clock(), event, context, held))
        self._watch_timeout()

    def resume(self, *, worker: str, reason: str, crashed: bool) -> None:
        """Go on from a folded state: what was in flight is tried again."""
        self.submit(ticks.RunResumed(self._clock(), worker, reason, crashed))
        self._watch_timeout()

    def cancel(self) -> None:
        self.submit(ticks.RunCancelled(self._clock()))

    def allow_step(self, delivery: ticks.Key | None = None) -> None:
        self.submit(ticks.StepAllowed(self._clock(), delivery))

    def release(self) -> None:
        self.submit(ticks.RunReleased(self._clock()))

    def respond(self, event: Event, *, prompt: int) -> None:
        self.submit(ticks.EventSent(self._clock(), event, prompt=prompt))

    def abandon(self, error: BaseException) -> None:
        """Stop here and now without a tick: another worker owns the run, or the journal cannot be written."""
        if not self.over:
            self._finish(Outcome("interrupted"), error)

    # What a context asks for

    @property
    def is_running(self) -> bool:
        return not self.over

    def context_values(self) -> dict[str, Any]:
        return self.state.context

    def change_context(self, key: str, value: Any, *, delivery: Delivery | None) -> None:
        owner = delivery.key if delivery is not None else None
        self._here(lambda: self.submit(ticks.ContextChanged(self._clock(), owner, key, value)))

    def send(self, event: Event, *, target: str | None, delivery: Delivery | None, index: int) -> None:
        if target is not None:
            if target not in self.table.steps:
                raise WorkflowRuntimeError(f"Step {target} does not exist")
            if not self.table.accepts(target, type(event)):
                raise WorkflowRuntimeError(f"Step {target} does not accept event of type {type(event)}")
        if delivery is not None and index < delivery.sent:
            return  # an earlier attempt has sent it
        source = delivery.key if delivery is not None else None
        self._here(lambda: self.submit(ticks.EventSent(self._clock(), event, target, source, index)))

    def stream(self, event: Event, *, delivery: Delivery | None) -> None:
        source = delivery.key if delivery is not None else None
        self._here(lambda: self.submit(ticks.EventStreamed(self._clock(), event, source)))

    def collect(self, expected: Sequence[type[Event]], *, delivery: Delivery, call: int) -> list[Event] | None:
        batch: list[Event] | None = self._here(lambda: self._collect(expected, delivery, call))
        return batch

    def _collect(self, expected: Sequence[type[Event]], delivery: Delivery, call: int) -> list[Event] | None:
        if self.over or delivery.key not in self.state.running:
            return None
        if call >= len(delivery.batches or ()):
            buffer = self.state.buffers.get(delivery.step)
            told = buffer is not None and buffer.need == len(expected) > len(buffer.events) + 1
            runs = None if told else [(name, len(list(group))) for name, group in groupby(k.__name__ for k in expected)]
            self.submit(ticks.EventsCollected(self._clock(), delivery.key, runs))
        return collected_batch(self.state, delivery.key, call)

    def _here(self, act: Callable[[], Any]) -> Any:
        """Do `act` on the loop's own thread; a synchronous step calls from another one."""
        if threading.get_ident() == self._thread:
            return act()
        answer: ThreadFuture[Any] = ThreadFuture()

        def answer_it() -> None:
            try:
                answer.set_result(act())
            except BaseException as error:
                answer.set_exception(error)

        self._loop.call_soon_threadsafe(answer_it)
        return answer.result()

    def step_of(self, task: asyncio.Task[Any]) -> str | None:
        """The step `task` executes for this run, None if it is not one of its carriers."""
        return self._carriers.get(task)

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
            if type(command) is RunStep:
                self._ready.append(command.delivery)
            elif type(command) is Publish:
                self.published.publish(command.event)
            elif type(command) is WaitForRetry:
                self._wait_for_retry(command)
            elif type(command) is EndRun:
                self._finish(command.outcome, self._exception)
                return
        if self._ready and not self._spare:
            self._spawn()

    def _finish(self, outcome: Outcome, error: BaseException | None) -> None:
        self.over = True
        self._ready.clear()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        current = asyncio.current_task()
        for carrier in list(self._carriers):
            if carrier is not current:
                carrier.cancel()
        self.published.close()
        self._ended(outcome, error)

    def _spawn(self) -> None:
        self._spare = True
        carrier = self._loop.create_task(self._carry())
        self._carriers[carrier] = None
        carrier.add_done_callback(self._carriers.pop)

    async def _carry(self) -> None:
        self._spare = False
        me = asyncio.current_task()
        assert me is not None
        steps = 0
        while self._ready and not self.over:
            delivery = self._ready.popleft()
            if self._ready and not self._spare:
                self._spawn()
            self._carriers[me] = delivery.step
            await self._run_step(delivery)
            self._carriers[me] = None
            steps += 1
            if steps % YIELD_EVERY == 0:
                await asyncio.sleep(0)

    async def _run_step(self, delivery: Delivery) -> None:
        step = self.table.steps[delivery.step]
        context: Context[Any] = Context(self, delivery)
        if self._say is not None:
            self._say(f"Running step {step.name}")
        try:
            if step.is_async:
                event = await step.call(context, delivery.event)
            else:
                work = copy_context().run
                event = await self._loop.run_in_executor(_threads, work, step.call, context, delivery.event)
            if event is not None and not isinstance(event, Event):
                raise WorkflowRuntimeError(
                    f"Step function {step.name} returned {type(event).__name__} instead of an Event instance."
                )
        except asyncio.CancelledError as error:
            if self.over or (task := asyncio.current_task()) is None or task.cancelling():
                raise
            self._failed(delivery, error)
        except KeyboardInterrupt as error:
            self._failed(delivery, error)
            raise
        except BaseException as error:  # sys.exit() in a step ends its run, not the process
            self._failed(delivery, error)
        else:
            if self._say is not None:
                produced = f"event {type(event).__name__}" if event is not None else "no event"
                self._say(f"Step {step.name} produced {produced}")
            self._spare, spare = True, self._spare  # this carrier goes on with what follows: no second one for it
            self.submit(ticks.StepFinished(self._clock(), delivery.key, event))
            self._spare = spare

    def _failed(self, delivery: Delivery, error: BaseException) -> None:
        if self.over:
            return
        now = self._clock()
        delay = None
        policy = self.table.steps[delivery.step].retry_policy
        if policy is not None and isinstance(error, Exception):
            elapsed = now - delivery.first_failed_at if delivery.first_failed_at is not None else 0.0
            delay = policy.next(elapsed, delivery.attempt, error)
        facts = ticks.ErrorFacts(type(error).__name__, str(error), trace_of(error))
        if delay is None:
            error.add_note(f"in step {delivery.step}")
            self._exception = error
        elif self._say is not None:
            self._say(f"Step {delivery.step} produced an error, retry in {delay} seconds")
        retry_at = now + delay if delay is not None else None
        self.submit(ticks.StepFailed(now, delivery.key, facts, retry_at))

    def _wait_for_retry(self, command: WaitForRetry) -> None:
        key = command.delivery.key
        self._later(command.due - self._clock(), lambda: self.submit(ticks.StepRetried(self._clock(), key)))

    def _watch_timeout(self) -> None:
        timeout = self._timeout
        if timeout is None or self.over:
            return
        left = timeout - self.state.active_seconds(self._clock())
        if left <= 0:
            self.submit(ticks.RunTimedOut(self._clock(), timeout))
        else:
            self._later(left + 0.001, self._watch_timeout)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            act()

        timer = self._loop.call_later(max(0.0, seconds), fire)
        self._timers.add(timer)
