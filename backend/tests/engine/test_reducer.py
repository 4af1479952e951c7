"""The reducer as a film script: ticks in (>>), commands out (<<); and its fold equals the live state."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from treadle import Context, Event, InputRequiredEvent, StartEvent, StopEvent, Workflow, step
from treadle.engine import ticks
from treadle.engine.commands import ClosePrompt, EndRun, OpenPrompt, Publish, RunStep, WaitForRetry
from treadle.engine.journal import MemoryJournal
from treadle.engine.loop import RunLoop
from treadle.engine.records import BASE_TYPES, from_record, to_record
from treadle.engine.reducer import apply
from treadle.engine.replay import fold
from treadle.engine.rules.completion import MAX_DEATHS
from treadle.engine.state import Routes, RunState
from treadle.engine.summary import counts
from treadle.engine.ticks import ErrorFacts


class Work(Event):
    n: int = 0


ROUTES = Routes({StartEvent: ("begin",), Work: ("work",)}, {"begin": 4, "work": 2})


def script(state, tick):
    """What follows from `tick`, in words."""
    words = []
    for command in apply(state, tick):
        match command:
            case RunStep(delivery):
                words.append(f"run {delivery.step} on #{delivery.seq}, attempt {delivery.attempt}")
            case WaitForRetry(delivery, due):
                words.append(f"retry {delivery.step} at {due:g}")
            case Publish(event):
                words.append(f"publish {type(event).__name__}")
            case OpenPrompt(prompt, _):
                words.append(f"open prompt {prompt}")
            case ClosePrompt(prompt, response):
                words.append(f"close prompt {prompt}, {'answered' if response else 'withdrawn'}")
            case EndRun(outcome):
                words.append(f"end {outcome.status}")
    return words


def test_fan_out_within_the_workers_of_a_step():
    run = RunState(ROUTES)
    assert script(run, ticks.RunStarted(0, StartEvent(), {})) == ["run begin on #1, attempt 0"]
    for seq in (2, 3):
        sent = ticks.EventSent(0, Work(n=seq), source=(1, "begin"), index=seq - 2)
        assert script(run, sent) == [f"run work on #{seq}, attempt 0"]
    third = ticks.EventSent(0, Work(n=4), source=(1, "begin"), index=2)
    assert script(run, third) == [], "both workers of the step are taken"
    assert script(run, ticks.StepFinished(1, (1, "begin"), None)) == []
    assert script(run, ticks.StepFinished(1, (2, "work"), None)) == ["run work on #4, attempt 0"]
    assert script(run, ticks.StepFinished(2, (3, "work"), StopEvent(result=1))) == ["end completed"]
    assert run.status == "completed"
    assert script(run, ticks.StepFinished(2, (4, "work"), StopEvent(result=2))) == [], "the first stop wins"


def test_held_run_waits_for_leave():
    run = RunState(ROUTES)
    assert script(run, ticks.RunStarted(0, StartEvent(), {}, held=True)) == []
    assert run.status == "held"
    assert script(run, ticks.StepAllowed(1)) == ["run begin on #1, attempt 0"]
    assert script(run, ticks.StepFinished(2, (1, "begin"), Work())) == []
    assert run.status == "held"
    assert script(run, ticks.RunReleased(3)) == ["run work on #3, attempt 0"]
    assert run.active_seconds(5) == 1 + 2, "held time does not count"


def test_failure_is_retried_then_ends_the_run():
    run = RunState(ROUTES)
    script(run, ticks.RunStarted(0, StartEvent(), {}))
    script(run, ticks.ContextChanged(0, (1, "begin"), "key", "from the failed attempt"))
    failed = ticks.StepFailed(1, (1, "begin"), ErrorFacts("OSError", "no"), retry_at=6)
    assert script(run, failed) == ["retry begin at 6"]
    assert run.context == {}
    assert script(run, ticks.StepRetried(6, (1, "begin"))) == ["run begin on #1, attempt 1"]
    assert script(run, ticks.StepFailed(7, (1, "begin"), ErrorFacts("OSError", "no"))) == ["end failed"]


def test_prompt_is_answered_by_number_and_withdrawn_at_the_end():
    run = RunState(ROUTES)
    script(run, ticks.RunStarted(0, StartEvent(), {}))
    asked = script(run, ticks.StepFinished(1, (1, "begin"), InputRequiredEvent(prefix="?")))
    assert asked == ["open prompt 2", "publish InputRequiredEvent"]
    assert run.status == "waiting"
    assert script(run, ticks.RunCancelled(9)) == ["close prompt 2, withdrawn", "end cancelled"]
    assert run.active_seconds(9) == 1


def test_resumed_run_tries_again_what_was_in_flight_and_parks_what_kills_its_worker():
    run = RunState(ROUTES)
    script(run, ticks.RunStarted(0, StartEvent(), {}))
    for attempt in range(1, MAX_DEATHS):
        crashed = ticks.RunResumed(attempt, "w", "died", crashed=True)
        assert script(run, crashed) == [f"run begin on #1, attempt {attempt}"]
    assert script(run, ticks.RunResumed(9, "w", "died", crashed=True)) == ["end interrupted"]
    assert run.outcome is not None
    assert "died 3 times in step begin" in run.outcome.error.message


class Part(Event):
    n: int


class Done(Event):
    n: int


class Random(Workflow):
    """A fan-out, loops and joins whose shape and schedule hypothesis chooses."""

    @step
    async def split(self, ctx: Context, ev: StartEvent) -> Part:
        await ctx.set("plan", list(ev.plan))
        for n in range(len(ev.plan)):
            ctx.send_event(Part(n=n))

    @step(num_workers=3)
    async def work(self, ctx: Context, ev: Part) -> Part | Done:
        plan = await ctx.get("plan")
        for _ in range(plan[ev.n] % 4):
            await asyncio.sleep(0)
        if plan[ev.n] > 4:
            plan[ev.n] -= 3
            await ctx.set("plan", list(plan))
            return Part(n=ev.n)
        ctx.write_event_to_stream(Event(n=ev.n))
        return Done(n=ev.n)

    @step
    async def join(self, ctx: Context, ev: Done) -> StopEvent | None:
        done = ctx.collect_events(ev, [Done] * len(await ctx.get("plan")))
        return StopEvent(result=sorted(event.n for event in done)) if done else None


class CheckedJournal(MemoryJournal):
    """After every tick the fold of the records, through their stored form, gives the live state."""

    def __init__(self, types):
        super().__init__()
        self.types = types
        self.state = None

    def append(self, seq, tick, commands):
        stored = from_record(to_record(seq, tick), self.types)
        super().append(seq, stored, commands)
        folded = fold(self.ticks, self.state.routes)
        assert (folded.seq, folded.status, folded.context) == (seq, self.state.status, self.state.context)
        assert counts(folded) == counts(self.state)
        assert list(folded.running) == list(self.state.running)
        assert {s: [d.key for d in q] for s, q in folded.queued.items()} == {
            s: [d.key for d in q] for s, q in self.state.queued.items()
        }


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=7))
def test_fold_of_the_journal_is_the_live_state_after_every_tick(plan):
    async def run():
        workflow = Random()
        journal = CheckedJournal({**BASE_TYPES, "Part": Part, "Done": Done})
        ended = asyncio.get_running_loop().create_future()
        loop = RunLoop(
            workflow.table, clock=lambda: 0.0, ended=lambda outcome, error: ended.set_result(outcome), journal=journal
        )
        journal.state = loop.state
        loop.start(StartEvent(plan=plan), context={})
        outcome = await ended
        assert outcome.event.result == list(range(len(plan)))

    asyncio.run(run())
