"""What a run does while its journal is still writing, and when that fails: nothing on what is not kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import pytest
from test_reducer import Both
from weaving import Weave

from treadle import Context, Event, StartEvent, StopEvent, Workflow, step
from treadle.engine.commands import Command
from treadle.engine.journal import Kept, MemoryJournal
from treadle.engine.loop import RunLoop
from treadle.engine.replay import fold
from treadle.engine.state import Outcome, RunState
from treadle.engine.ticks import EventSent, Tick
from treadle.errors import RunInterrupted

Ended = asyncio.Future[tuple[Outcome, BaseException | None]]


def prepare(workflow: Workflow, journal: MemoryJournal, state: RunState | None = None) -> tuple[RunLoop, Ended]:
    """The loop of a run; the future is told its outcome, and the exception that led to it."""
    ended: Ended = asyncio.get_running_loop().create_future()
    loop = RunLoop(
        workflow.table,
        run_id="r",
        clock=time.time,
        ended=lambda outcome, error: ended.set_result((outcome, error)),
        journal=journal,
        state=state,
    )
    return loop, ended


class Slow(MemoryJournal):
    """A journal that keeps everything a little later."""

    owned: Callable[[], bool] | None = None

    def append(self, seq: int, tick: Tick, commands: Sequence[Command]) -> asyncio.Future[None]:
        super().append(seq, tick, commands)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        kept.get_loop().call_later(0.01, kept.set_result, None)
        return kept


class OneByOne(MemoryJournal):
    """A journal that keeps each entry a while after the one before."""

    def append(self, seq: int, tick: Tick, commands: Sequence[Command]) -> asyncio.Future[None]:
        super().append(seq, tick, commands)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        kept.get_loop().call_later(0.02 * seq, kept.set_result, None)
        return kept


class Counted(Workflow):
    """Counts how often its step has begun."""

    begun = 0

    @step
    async def begin(self, ev: StartEvent) -> StopEvent:
        self.begun += 1
        return StopEvent()


speaker: ContextVar[str] = ContextVar("speaker", default="nobody")


class Shared(MemoryJournal):
    """A journal whose entries are settled together with those of other runs, as one commit does."""

    group: list[Kept]

    def append(self, seq: int, tick: Tick, commands: Sequence[Command]) -> asyncio.Future[None]:
        super().append(seq, tick, commands)
        kept = Kept()
        self.group.append(kept)
        if len(self.group) == 1:
            asyncio.get_running_loop().call_soon(self.commit)
        return kept

    def commit(self) -> None:
        speaker.set("the commit")
        group, self.group[:] = list(self.group), []
        for kept in group:
            kept.settle()


class Torn(MemoryJournal):
    """A journal that cannot be written after its third entry."""

    def append(self, seq: int, tick: Tick, commands: Sequence[Command]) -> asyncio.Future[None]:
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if seq > 3:
            kept.get_loop().call_soon(kept.set_exception, RunInterrupted("The disk is gone."))
        else:
            super().append(seq, tick, commands)
            kept.get_loop().call_soon(kept.set_result, None)
        return kept


class Twice(Workflow):
    """Two steps that fail at the same time."""

    @step
    async def begin(self, ev: StartEvent) -> Both:
        return Both()

    @step
    async def one(self, ev: Both) -> StopEvent:
        raise ValueError("first")

    @step
    async def two(self, ev: Both) -> StopEvent:
        raise OSError("second")


class Turn(Event):
    """The next one's turn."""


class Speaks(Workflow):
    """Its first step says who speaks; its second one, and those of other runs, must not hear it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @step
    async def begin(self, ev: StartEvent) -> Turn:
        speaker.set(self.name)
        return Turn()

    @step
    async def end(self, ev: Turn) -> StopEvent:
        return StopEvent(result=speaker.get("nobody"))


async def test_no_step_begins_while_the_end_of_its_run_is_being_kept():
    workflow = Counted()
    loop, ended = prepare(workflow, OneByOne())
    loop.start(StartEvent(), context={})
    loop.cancel()
    outcome, _ = await ended
    assert (outcome.status, workflow.begun) == ("cancelled", 0)


async def test_runs_that_share_a_commit_do_not_share_their_context_variables():
    group: list[Kept] = []
    runs = []
    for name in ("one", "two"):
        journal = Shared()
        journal.group = group
        loop, ended = prepare(Speaks(name), journal)
        loop.start(StartEvent(), context={})
        runs.append(ended)
    outcomes = [(await ended)[0] for ended in runs]
    assert [outcome.event.result for outcome in outcomes] == ["nobody", "nobody"]


async def test_run_that_breaks_on_hearing_of_a_commit_does_not_keep_it_from_the_others():
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, facts: told.append(facts))
    heard = []
    one, two = Kept(), Kept()
    one.then(lambda _: heard.append(1 // 0))
    two.then(heard.append)
    one.settle()
    two.settle()
    assert heard == [two]
    assert [type(facts["exception"]) for facts in told] == [ZeroDivisionError]


async def test_run_stops_where_its_journal_fails():
    workflow, journal = Weave(), Torn()
    loop, ended = prepare(workflow, journal)
    loop.start(StartEvent(threads=[("plain", 0, 0)] * 5), context={})
    outcome, error = await ended
    assert (outcome.status, str(error)) == ("interrupted", "The disk is gone.")
    for _ in range(20):
        await asyncio.sleep(0)
    assert workflow.began == ["r:1:split"], "no step runs on what is not kept"
    assert len(journal.ticks) == 3


async def test_second_failure_does_not_take_the_place_of_the_first_while_that_is_being_kept():
    loop, ended = prepare(Twice(), Slow())
    loop.start(StartEvent(), context={})
    outcome, error = await ended
    assert (outcome.error.message, repr(error)) == ("first", "ValueError('first')")
    assert loop.state.seq == 3, "the second came after the end"


async def test_run_whose_end_was_kept_but_not_told_ends_when_it_is_resumed():
    workflow, journal = Weave(), MemoryJournal()
    loop, ended = prepare(workflow, journal)
    loop.start(StartEvent(threads=[("plain", 0, 0)]), context={})
    outcome, _ = await ended
    loop, ended = prepare(workflow, journal, fold(journal.ticks, loop.table.routes))
    loop.resume(worker="w", reason="its worker ended", crashed=False)
    assert await ended == (outcome, None)


async def test_callers_who_step_through_a_run_hear_of_its_end():
    """All of them, also when what they ask for comes to nothing because the end is being kept already."""
    loop, ended = prepare(Weave(), Slow())
    loop.start(StartEvent(threads=[("plain", 0, 0)] * 3), context={}, held=True)
    await loop.run_step(dispatch=False)
    loop.cancel()
    steps = [asyncio.get_running_loop().create_task(loop.run_step(dispatch=False)) for _ in range(3)]
    outcome, _ = await ended
    assert outcome.status == "cancelled"
    assert await asyncio.gather(*steps) == [None, None, None]


async def test_event_in_the_callers_hand_goes_on_once_when_the_run_is_released():
    journal = MemoryJournal()
    loop, ended = prepare(Twice(), journal)
    loop.start(StartEvent(), context={}, held=True)
    event = await loop.run_step(dispatch=False)
    loop.release()
    event["late"] = True
    loop.outbox.send(event, target=None, delivery=None, index=0)
    await ended
    (sent,) = [tick for tick in journal.ticks if isinstance(tick, EventSent)]
    assert (sent.event, sent.source) == (Both(), (1, "begin"))


class Sleeps(Workflow):
    """Its worker sleeps for longer than its lease: in a step before it charges, or between two steps."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where
        self.owned = True
        self.did: list[str] = []

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Both:
        self.owned = self.where != "in a step"
        await ctx.run_once("charge", lambda: self.did.append("charge"))
        self.owned = self.where != "between steps"
        return Both()

    @step
    async def finish(self, ev: Both) -> StopEvent:
        self.did.append("finish")
        return StopEvent()


@pytest.mark.parametrize(
    ("where", "did"), [("nowhere", ["charge", "finish"]), ("in a step", []), ("between steps", ["charge"])]
)
async def test_worker_that_slept_longer_than_its_lease_begins_nothing(where, did):
    workflow = Sleeps(where)
    journal = Slow()
    journal.owned = lambda: workflow.owned
    loop, ended = prepare(workflow, journal)
    loop.start(StartEvent(), context={})
    outcome, _ = await ended
    for _ in range(20):
        await asyncio.sleep(0)
    assert outcome.status == ("completed" if where == "nowhere" else "interrupted")
    assert workflow.did == did


class Lingers(Workflow):
    """A step that cancels its run and then does this and that."""

    loop: RunLoop

    @step
    async def linger(self, ctx: Context, ev: StartEvent) -> StopEvent:
        self.loop.cancel()
        await ctx.set("late", 1)
        ctx.write_event_to_stream(Turn())
        ctx.send_event(Turn())
        assert ctx.collect_events(ev, [StartEvent]) is None
        return StopEvent()


async def test_nothing_happens_in_a_run_whose_end_is_on_its_way_to_the_disk():
    journal, workflow = Slow(), Lingers()
    loop, ended = prepare(workflow, journal)
    workflow.loop = loop
    loop.start(StartEvent(), context={})
    outcome, _ = await ended
    assert outcome.status == "cancelled"
    assert [type(tick).__name__ for tick in journal.ticks] == ["RunStarted", "RunCancelled"]
    assert loop.state.seq == 2
