"""What every journal must do, whoever keeps it: all ticks, exactly and in order, and nothing follows before them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import insert, update
from strategies import Choices
from test_fold import difference
from test_reducer import ROUTES, TYPES, Ask, Work
from test_snapshot import STRANGE
from weaving import PATIENCE, Answer, Outside, Question, Weave

from treadle import Context, Event, InputRequiredEvent, StartEvent, StopEvent, Workflow, step
from treadle.engine import ticks
from treadle.engine.commands import Command
from treadle.engine.journal import Journal, MemoryJournal
from treadle.engine.loop import RunLoop
from treadle.engine.readers import from_record
from treadle.engine.replay import fold, fold_records
from treadle.engine.state import Outcome, Routes, RunState
from treadle.engine.ticks import ErrorFacts, Tick
from treadle.resources import MIGRATIONS
from treadle.store.database import Database
from treadle.store.journal import StoredJournal, read_records
from treadle.store.leases import Claims
from treadle.store.migrations import migrate
from treadle.store.tables import Run
from treadle.store.writer import Writer


class MemoryBook:
    """Journals in memory."""

    def __init__(self) -> None:
        self._journals: dict[str, MemoryJournal] = {}

    def journal(self, run_id: str, state: RunState) -> Journal:
        """A journal for a new run, whose state this is."""
        return self._journals.setdefault(run_id, MemoryJournal())

    def ticks(self, run_id: str) -> list[Tick]:
        """What is kept of a run."""
        return self._journals[run_id].ticks

    def fold(self, run_id: str, routes: Routes) -> RunState:
        """The state a run has by what is kept of it."""
        return fold(self.ticks(run_id), routes)


class StoredBook:
    """Journals in a database."""

    def __init__(self, database: Database, types: dict[str, type[Event]]) -> None:
        self.database = database
        self.writer = Writer(database, committed=lambda runs: None)
        self._types = types

    def journal(self, run_id: str, state: RunState) -> Journal:
        """A journal for a new run, whose state this is."""
        row = {"id": run_id, "workflow": "w", "status": "running", "created_at": 0.0}
        with self.database.write() as connection:
            connection.execute(insert(Run.__table__).values(row))
        claims = Claims(self.database.dialect, "me", workflows=["w"])
        (mine,) = claims.claim(self.database, now=time.time(), seconds=60, limit=1)
        journal = StoredJournal(self.writer, run_id, epoch=mine.epoch, owner="me", types=self._types)
        journal.state = state
        return journal

    def ticks(self, run_id: str) -> list[Tick]:
        """What is kept of a run."""
        return [from_record(record, self._types) for record in read_records(self.database, run_id)]

    def fold(self, run_id: str, routes: Routes) -> RunState:
        """The state a run has by what is kept of it."""
        return fold_records(read_records(self.database, run_id), routes, self._types)


@pytest.fixture(params=["memory", "sqlite"])
async def book(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MemoryBook | StoredBook]:
    """Every journal there is."""
    if request.param == "memory":
        yield MemoryBook()
        return
    database = Database(f"sqlite:///{tmp_path / 'treadle.db'}")
    migrate(database, MIGRATIONS)
    stored = StoredBook(database, {**TYPES, **Weave().event_types()})
    yield stored
    await stored.writer.close()


@pytest.fixture(autouse=True)
def no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without delay: the database keeps to the real clock."""
    monkeypatch.setattr(PATIENCE, "delay", 0)


class Overheard:
    """What a loop says to its journal."""

    def __init__(self, journal: Any) -> None:
        self.journal = journal
        self.seqs: list[int] = []
        self.said: list[Tick] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.journal, name)

    def append(self, seq: int, tick: Tick, commands: list[Command]) -> asyncio.Future[None] | None:
        self.seqs.append(seq)
        self.said.append(tick)
        return self.journal.append(seq, tick, commands)


def begin(
    book: MemoryBook | StoredBook, workflow: Workflow, run_id: str = "r", *, journal: Any = None, **fields: Any
) -> tuple[RunLoop, asyncio.Future[Outcome]]:
    """Start a run; the future is told its outcome."""
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    state = RunState(workflow.table.routes)
    loop = RunLoop(
        workflow.table,
        run_id=run_id,
        clock=time.time,
        ended=lambda outcome, error: ended.set_result(outcome),
        journal=journal or book.journal(run_id, state),
        state=state,
    )
    loop.start(StartEvent(**fields), context={"before": STRANGE})
    return loop, ended


MOODS = ["once", "pair", "broken", "ask", "show and ask", "form", "note"]


async def weave(book: MemoryBook | StoredBook, run_id: str = "r") -> tuple[RunLoop, Overheard]:
    """A run in which much happens, to its end."""
    workflow = Weave([turns % 4 for turns in range(60)])
    state = RunState(workflow.table.routes)
    overheard = Overheard(book.journal(run_id, state))
    loop, ended = begin(book, workflow, run_id, journal=overheard, threads=[(mood, 1, 1) for mood in MOODS])
    overheard.journal.state = loop.state
    await Outside(loop, Choices([])).act([], ended, rest=0.05)
    assert (await ended).event.result == list(range(len(MOODS)))
    return loop, overheard


def stored(tick: Tick) -> Tick:
    """What a tick is once it was on disk."""
    if isinstance(tick, ticks.StepFailed):
        return replace(tick, exception=None)
    if isinstance(tick, ticks.EventStreamed) and not isinstance(tick.event, InputRequiredEvent):
        return replace(tick, event=Event())  # nothing follows from it
    return tick


def same(kept: list[Tick], said: list[Tick]) -> str | None:
    """Where what is kept differs from what was said."""
    return difference(list(map(stored, kept)), list(map(stored, said)), "ticks")


async def test_all_ticks_are_kept_in_order_and_fold_into_the_live_state(book):
    loop, overheard = await weave(book)
    assert overheard.seqs == list(range(1, loop.state.seq + 1))
    assert same(book.ticks("r"), overheard.said) is None
    assert difference(book.fold("r", loop.table.routes), loop.state) is None


async def test_runs_at_the_same_time_do_not_mix(book):
    runs = await asyncio.gather(*(weave(book, f"r{number}") for number in range(3)))
    for number, (loop, overheard) in enumerate(runs):
        assert same(book.ticks(f"r{number}"), overheard.said) is None
        assert difference(book.fold(f"r{number}", loop.table.routes), loop.state) is None


class Careful(Workflow):
    """Steps that look at what is kept while they work."""

    def __init__(self, look) -> None:
        super().__init__()
        self.look = look

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Work:
        assert isinstance(self.look()[0], ticks.RunStarted), "the run has started before its first step runs"
        assert await ctx.run_once("token", lambda: 5) == 5
        assert any(isinstance(tick, ticks.ResultKept) for tick in self.look()), "what is done once is kept at once"
        ctx.send_event(Work(n=1))
        ctx.write_event_to_stream(Work(n=2))
        return Work(n=3)

    @step(num_workers=1)
    async def work(self, ctx: Context, ev: Work) -> StopEvent | None:
        seq = int(ctx.idempotency_key.split(":")[1])
        assert self.look()[seq - 1].event.n == ev.n, "an event is kept before a step runs on it"
        return StopEvent() if ev.n == 3 else None


async def test_nothing_follows_before_the_tick_is_kept(book):
    loop, ended = begin(book, Careful(lambda: book.ticks("r")))
    assert (await loop.published.read(0)).n == 2
    assert any(isinstance(tick, ticks.EventStreamed) for tick in book.ticks("r")), "what is shown is kept"
    outcome = await ended
    assert outcome.status == "completed", outcome.error
    assert isinstance(book.ticks("r")[-1].event, StopEvent), "the end is kept before anybody hears of it"


def every_tick() -> list[Tick]:
    """One of each kind at least, with values as strange as can be."""
    key = (7, "work")
    odd = Work(n=-1, **STRANGE)
    error = ErrorFacts("OSError", "\ud800 gone", "Traceback\n  \x00")
    return [
        ticks.RunStarted(0.1, StartEvent(**STRANGE), {"deep": STRANGE}, held=True),
        ticks.RunStarted(0.1, StartEvent(), {}),
        ticks.RunStarted(0.1, StartEvent(), {}, deadline=60.1),
        ticks.EventSent(1e-9, odd),
        ticks.EventSent(1.0, odd, target="work", source=key, index=3),
        ticks.EventSent(1.0, Answer(n=1, **STRANGE), prompt=3),
        ticks.EventStreamed(1.0, Ask(prefix="\ud83d\ude00 \ud800", **STRANGE), key),
        ticks.EventStreamed(1.0, odd),
        ticks.StepFinished(1.0, key, None),
        ticks.StepFinished(1.0, key, StopEvent(result=STRANGE)),
        ticks.StepFinished(1.0, key, odd, handed=True),
        ticks.StepFailed(1.0, key, error),
        ticks.StepFailed(1.0, key, error, retry_at=1.5, exception=OSError()),
        ticks.StepRetried(1.0, key),
        ticks.EventsCollected(1.0, key, None),
        ticks.EventsCollected(1.0, key, [("Work", 2), ("Left", 1), ("Work", 1)]),
        ticks.WaitStarted(1.0, key, "Ping", {}),
        ticks.WaitStarted(1.0, key, "Answer", STRANGE, 9.5, Ask(**STRANGE), human=True),
        ticks.WaitTimedOut(1.0, key),
        *(ticks.ResultKept(1.0, key, name, value) for name, value in STRANGE.items()),
        ticks.ChildStarted(1.0, key, 2, "Näherei", "r-2"),
        ticks.ChildChanged(1.0, key, 2, "waiting"),
        ticks.ChildEnded(1.0, key, 2, "completed"),
        *(ticks.ContextChanged(1.0, key, name, value) for name, value in STRANGE.items()),
        ticks.ContextChanged(1.0, None, "\ud800 $", [STRANGE]),
        ticks.ContextRemoved(1.0, key, "\ud800"),
        ticks.ContextRemoved(1.0, None, "gone"),
        ticks.RunHeld(1.0),
        ticks.StepAllowed(1.0),
        ticks.StepAllowed(1.0, key),
        ticks.RunReleased(1.0),
        ticks.RunResumed(1.0, "w\ud800", "its worker ended", crashed=True),
        ticks.RunResumed(1.0, "w", "its worker ended", conflicts=("a\ud800", "b")),
        ticks.RunCancelled(1.0),
        ticks.RunTimedOut(1.0, 0.1),
        ticks.RunTimedOut(1.0, None, 60.1),
        ticks.RunReopened(1.0, "retry", key),
        ticks.RunReopened(1.0, "resume"),
        ticks.RunReopened(1.0, "done", key, odd),
        ticks.RunReopened(1.0, "done", key),
        ticks.RunGivenUp(1.0, error, "work"),
        ticks.RunGivenUp(1.0, error),
        ticks.RunFailed(1.0, error, "work"),
        ticks.RunFailed(1.0, error),
    ]


async def test_every_tick_comes_back_exactly(book):
    said = every_tick()
    assert {type(tick) for tick in said} == set(get_args(Tick))
    journal = book.journal("r", RunState(ROUTES))
    kept = [journal.append(seq, tick, []) for seq, tick in enumerate(said, start=1)]
    await asyncio.gather(*filter(None, kept))
    assert same(book.ticks("r"), said) is None


async def test_ticks_are_kept_in_the_order_of_their_appends(book):
    """Also when they are appended while others are being written."""
    journal = book.journal("r", RunState(ROUTES))
    done: list[int] = []

    async def append(seq: int) -> None:
        kept = journal.append(seq, ticks.ContextChanged(float(seq), None, "seq", seq), [])
        if kept is not None:
            await kept
        done.append(seq)

    async with asyncio.TaskGroup() as appending:
        for seq in range(1, 61):
            appending.create_task(append(seq))
            for _ in range(seq % 4):
                await asyncio.sleep(0)
    assert done == list(range(1, 61))
    assert [tick.value for tick in book.ticks("r")] == done


@pytest.mark.parametrize("book", ["sqlite"], indirect=True)
async def test_run_stops_when_another_worker_has_taken_it_over(book):
    workflow = Weave()
    state = RunState(workflow.table.routes)
    journal = book.journal("r", state)
    loop, ended = begin(book, workflow, journal=journal, threads=[("ask", 0, 0)])
    journal.state = loop.state
    assert isinstance(await loop.published.read(0), Question)
    with book.database.write() as connection:
        connection.execute(update(Run.__table__).values(epoch=99))
    before = len(book.ticks("r"))
    Outside(loop, Choices([])).answer()
    assert (await ended).status == "interrupted"
    assert len(book.ticks("r")) == before, "who does not own a run cannot write to it"
