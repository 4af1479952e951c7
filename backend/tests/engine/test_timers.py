"""What becomes due: after a long pause a little in each turn, and nothing for whom nobody waits any more."""

from __future__ import annotations

import asyncio
import time

import pytest
from turns import until

from treadle import ConstantDelayRetryPolicy, Context, Event, StartEvent, StopEvent, Workflow, step
from treadle.engine.journal import MemoryJournal
from treadle.engine.loop import RunLoop
from treadle.engine.replay import fold
from treadle.engine.ticks import ErrorFacts, EventSent, RunStarted, StepFailed, StepRetried, WaitStarted, WaitTimedOut
from treadle.engine.timers import AT_ONCE, SPARE

MANY = 200


class Item(Event):
    n: int


class Never(Event):
    pass


class Crowd(Workflow):
    """Fails or waits `n` times at once."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Item:
        return None

    @step(num_workers=2 * MANY, retry_policy=ConstantDelayRetryPolicy(delay=60))
    async def retried(self, ev: Item) -> StopEvent:
        await asyncio.Event().wait()
        return StopEvent()

    @step(num_workers=2 * MANY)
    async def waiting(self, ctx: Context, ev: Item) -> StopEvent:
        try:
            await ctx.wait_for_event(Never, timeout=60)
        except TimeoutError:
            await asyncio.Event().wait()
        return StopEvent()


def crowd(target, at, due):
    """The ticks of a run in which MANY deliveries to `target` wait until `due`."""
    begun = [RunStarted(at, StartEvent(), {}), *(EventSent(at, Item(n=n), target) for n in range(MANY))]
    keys = [(n + 2, target) for n in range(MANY)]
    if target == "retried":
        return begun + [StepFailed(at, key, ErrorFacts("OSError", "no"), due) for key in keys]
    return begun + [WaitStarted(at, key, "Never", {}, due) for key in keys]


AHEAD = time.time() - time.monotonic()


def steady():
    """The time by a clock that nobody sets, as a worker's is."""
    return AHEAD + time.monotonic()


def open_loop(workflow, state, journal=None, clock=time.time):
    return RunLoop(
        workflow.table, run_id="r", clock=clock, ended=lambda *_: None, journal=journal, state=state
    )


@pytest.mark.parametrize(("target", "kind"), [("retried", StepRetried), ("waiting", WaitTimedOut)])
async def test_overdue_delays_end_at_once_but_not_all_in_the_same_turn(target, kind):
    workflow, journal, now = Crowd(timeout=None), MemoryJournal(), time.time()
    loop = open_loop(workflow, fold(crowd(target, now - 100, now - 40), workflow.table.routes), journal)
    begun = asyncio.get_running_loop().time()
    loop.resume(worker="w", reason="a test", crashed=False)
    in_turns = [0]

    def told():
        before, count = sum(in_turns), sum(type(tick) is kind for tick in journal.ticks)
        in_turns.append(count - before)
        return count == MANY

    await until(told)
    assert max(in_turns) <= AT_ONCE
    assert asyncio.get_running_loop().time() - begun < 30, "they were due for long: nobody waits their 60 seconds again"
    loop.cancel()


async def test_delay_that_is_not_over_goes_on_after_a_restart_and_fires_once():
    workflow, journal, now = Crowd(timeout=None), MemoryJournal(), steady()
    state = fold(crowd("retried", now - 100, now + 0.05), workflow.table.routes)
    loop = open_loop(workflow, state, journal, clock=steady)
    loop.resume(worker="w", reason="a test", crashed=False)
    await until(lambda: sum(type(tick) is StepRetried for tick in journal.ticks) == MANY)
    assert min(tick.at for tick in journal.ticks if type(tick) is StepRetried) >= now + 0.05
    await asyncio.sleep(0)
    assert sum(type(tick) is StepRetried for tick in journal.ticks) == MANY
    loop.cancel()


async def test_delays_of_answered_waits_are_dropped():
    class Chat(Workflow):
        @step
        async def talk(self, ctx: Context, ev: StartEvent) -> StopEvent:
            for n in range(MANY):
                await ctx.wait_for_event(Item, requirements={"n": n}, timeout=3600)
            self.kept = len(ctx.outbox._run._timers._delays)
            return StopEvent()

    workflow = Chat(timeout=None)
    handler = workflow.run()
    for n in range(MANY):
        await until(lambda: handler.state.waits)
        handler.ctx.send_event(Item(n=n))
        await until(lambda: not handler.state.waits)
    await handler
    assert workflow.kept <= SPARE + 2


async def test_clock_that_is_set_neither_loses_nor_doubles_a_delay():
    class Patient(Workflow):
        def __init__(self, waits):
            super().__init__(timeout=None)
            self.waits = waits

        @step
        async def wait(self, ctx: Context, ev: StartEvent) -> StopEvent:
            gave_up = 0
            for _ in range(self.waits):
                try:
                    await ctx.wait_for_event(Never, timeout=0.05)
                except TimeoutError:
                    gave_up += 1
            return StopEvent(result=gave_up)

    ahead = [0.0]
    workflow, journal = Patient(4), MemoryJournal()
    ended = asyncio.get_running_loop().create_future()
    loop = RunLoop(
        workflow.table, run_id="r", clock=lambda: time.time() + ahead[0], journal=journal,
        ended=lambda outcome, _: ended.set_result(outcome),
    )  # fmt: skip
    loop.start(StartEvent(), context={})
    for hours in (1, -3, 5, -1):
        begun = sum(type(tick) is WaitStarted for tick in journal.ticks)
        await until(lambda begun=begun: sum(type(tick) is WaitStarted for tick in journal.ticks) > begun)
        ahead[0] += hours * 3600
    assert (await ended).event.result == 4
    assert sum(type(tick) is WaitTimedOut for tick in journal.ticks) == 4
