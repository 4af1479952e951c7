"""What is too deep or too large fails the step that made it, by a name and a number; nobody else is any the worse."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from keeping import Keeping

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    Workflow,
    catch_error,
    step,
)
from treadle.engine.limits import LIMITS, Limits, told, warnings
from treadle.engine.state import Routes, RunState
from treadle.engine.values.weighing import heaviest
from treadle.errors import LimitExceeded, RunTooLarge

SMALL = Limits(inline=1000, blob=20_000, context=50_000, entries=40, journal=200_000)


@pytest.fixture
async def keeping(tmp_path: Path) -> AsyncIterator[Keeping]:
    made = Keeping(f"sqlite:///{tmp_path / 'treadle.db'}")
    yield made
    await made.close()


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


class Parcel(Event):
    content: Any
    label: str = ""


def parcel(size: int) -> Parcel:
    return Parcel(label="x" * 10, content=[{"id": 1}, {"id": 2, "text": "y" * size}])


class Does(Workflow):
    """Does in its first step what its start event says."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.attempts = 0

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=3, delay=0))
    async def act(self, ctx: Context, ev: StartEvent) -> Parcel | StopEvent:
        self.attempts += 1
        size = ev.get("size", 30_000)
        if ev.what == "return":
            return parcel(size)
        if ev.what == "deep event":
            return Parcel(content=nested(200))
        if ev.what == "caught":
            try:
                ctx.send_event(parcel(size))
            except LimitExceeded as error:
                return StopEvent(result=error.path)
        await self.call(ctx, ev.what, size)
        return StopEvent(result="done")

    async def call(self, ctx: Context, what: str, size: int) -> None:
        """What a step may call."""
        match what:
            case "send":
                ctx.send_event(parcel(size))
            case "stream":
                ctx.write_event_to_stream(parcel(size))
            case "set":
                await ctx.set("parcel", {"rows": ["y" * size]})
            case "edit":
                async with ctx.store.edit_state() as state:
                    state["parcel"] = "y" * size
            case "once":
                await ctx.run_once("receipt", lambda: ["y" * size])
            case "wait":
                await ctx.wait_for_event(Parcel, parcel(size), requirements={"label": "y"})
            case "require":
                await ctx.wait_for_event(Parcel, requirements={"label": "y" * size})
            case "deep":
                await ctx.set("deep", {"a": nested(200)})

    @step
    async def take(self, ev: Parcel) -> StopEvent:
        return StopEvent(result="taken")


MORE = r"more than 19\.5 KiB"
EVENT = rf"Event Parcel from step act: it takes {MORE}, most of it content\[1\]\.text \({MORE}\), and no {MORE} is kept"
TOLD = {
    "return": EVENT,
    "send": EVENT,
    "stream": EVENT,
    "wait": EVENT,
    "set": r"Context, set by step act: it takes more than 19\.5 KiB, most of it parcel\.rows\[0\]",
    "edit": r"Context, set by step act: it takes 29\.3 KiB, most of it parcel \(29\.3 KiB\)",
    "once": r"Result of run_once in step act: it takes .* most of it receipt\[0\] .* is kept of one result\.",
    "require": r"Requirements of wait_for_event in step act: it takes .* most of it label .* of one requirement\.",
    "deep": r"Context, set by step act: deep is nested deeper than 100 levels: deep\.a\[0\]\[0\]",
    "deep event": r"Event Parcel from step act: content is nested deeper than 100 levels: content\[0\]\[0\]",
}


@pytest.mark.parametrize("what", TOLD)
async def test_what_is_too_large_fails_its_step_and_says_which_part_is(keeping, what):
    kept = keeping.start(Does(), limits=SMALL, what=what)
    other = keeping.start(Does(), limits=SMALL, what="nothing")
    outcome = await kept.outcome()
    assert (outcome.status, outcome.step, outcome.error.type) == ("failed", "act", "LimitExceeded")
    assert re.match(TOLD[what], outcome.error.message), outcome.error.message
    assert "forms.py" not in outcome.error.traceback
    assert kept.workflow.attempts == 1, "what is too large once is too large again"
    assert isinstance((await kept.ended)[1], LimitExceeded)
    assert kept.folded().outcome.error.message == outcome.error.message
    assert (await other.outcome()).event.result == "done"


async def test_step_may_catch_it_and_do_otherwise(keeping):
    outcome = await keeping.start(Does(), limits=SMALL, what="caught").outcome()
    assert outcome.event.result == "content[1].text"


async def test_large_value_below_the_limit_is_kept(keeping):
    for what in ("return", "send", "stream", "set", "edit", "once"):
        kept = keeping.start(Does(), limits=SMALL, what=what, size=15_000)
        assert (await kept.outcome()).status == "completed"
        assert kept.folded().context == kept.state.context


class Caught(Workflow):
    @step
    async def make(self, ev: StartEvent) -> Parcel:
        return parcel(30_000)

    @step
    async def take(self, ev: Parcel) -> StopEvent:
        return StopEvent(result="taken")

    @catch_error(for_steps=["make"])
    async def mend(self, ev: StepFailedEvent) -> Parcel:
        assert isinstance(ev.exception, LimitExceeded)
        return parcel(3)


async def test_failure_by_a_limit_is_caught_like_any_other(keeping):
    assert (await keeping.start(Caught(), limits=SMALL).outcome()).event.result == "taken"


async def test_start_that_is_too_large_fails_its_run_before_any_step(keeping):
    for fields in ({"what": "return", "content": "z" * 30_000}, {"what": "return", "content": nested(200)}):
        kept = keeping.start(Does(), limits=SMALL, context={"before": 1}, **fields)
        outcome = await kept.outcome()
        assert (outcome.status, outcome.error.type) == ("failed", "LimitExceeded")
        assert "Event StartEvent: " in outcome.error.message
        assert "content" in outcome.error.message
        assert kept.workflow.attempts == 0
        assert kept.kinds() == ["run_started", "run_failed"]
        assert kept.payloads("run_started")[0]["not_stored"] == outcome.error.message
        assert kept.folded().status == "failed"


class Hoards(Workflow):
    """Puts value after value into the context."""

    @step
    async def hoard(self, ctx: Context, ev: StartEvent) -> StopEvent:
        for n in range(ev.times):
            await ctx.set(f"n{n % ev.spread}", "y" * 15_000)
            if ev.get("removed"):
                async with ctx.store.edit_state() as state:
                    del state[f"n{n % ev.spread}"]
        return StopEvent(result="done")


async def test_context_is_limited_in_all(keeping):
    limits = Limits(inline=1000, blob=20_000, context=50_000)
    outcome = await keeping.start(Hoards(), limits=limits, times=4, spread=4).outcome()
    assert outcome.error.type == "LimitExceeded"
    assert outcome.error.message == (
        "Context, set by step hoard: with n3 (14.7 KiB) it would take 58.6 KiB, the largest part n3 (14.7 KiB), and no"
        " more than 48.8 KiB is kept of one run's context. Keep large data in a file and its path here, or make it a"
        " resource."
    )
    assert (await keeping.start(Hoards(), limits=limits, times=20, spread=3).outcome()).status == "completed"
    outcome = await keeping.start(Hoards(), limits=limits, times=20, spread=20, removed=True).outcome()
    assert outcome.event.result == "done"


class Wavers(Workflow):
    """Fails again and again after writing much."""

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=9, delay=0))
    async def waver(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await ctx.set(f"n{ctx.attempt}", "y" * 15_000)
        if ctx.attempt < 8:
            raise OSError("not yet")
        return StopEvent(result="done")


async def test_what_a_failed_attempt_wrote_is_not_counted(keeping):
    kept = keeping.start(Wavers(), limits=Limits(inline=1000, blob=20_000, context=50_000))
    assert (await kept.outcome()).event.result == "done"
    assert list(kept.state.context) == ["n8"]


class Rants(Workflow):
    @step
    async def rant(self, ev: StartEvent) -> StopEvent:
        raise ValueError("no" * (10 << 20))


async def test_failure_with_a_whole_document_in_it_is_cut_short(keeping):
    kept = keeping.start(Rants())
    error = (await kept.outcome()).error
    assert error.message.startswith("nono")
    assert "\n... 20905984 characters left out ...\n" in error.message
    assert len(error.message) + len(error.traceback) < 140_000
    assert kept.folded().outcome.error == error


class Round(Event):
    n: int


class Loops(Workflow):
    """Never comes to an end."""

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=99, delay=0))
    async def loop(self, ctx: Context, ev: StartEvent | Round) -> Round:
        if ev.get("way") == "sends" or ev.get("n", 0) < 0:
            while True:
                ctx.write_event_to_stream(Round(n=1))
        return Round(n=ev.get("n", 0) + 1)


@pytest.mark.parametrize("way", ["returns", "sends"])
async def test_run_with_too_many_entries_ends_and_others_go_on(keeping, way):
    kept = keeping.start(Loops(), limits=SMALL, way=way)
    other = keeping.start(Does(), limits=SMALL, what="nothing")
    outcome = await kept.outcome()
    assert (outcome.status, outcome.step, outcome.error.type) == ("failed", "loop", "RunTooLarge")
    assert outcome.error.message.startswith("The run has 40 entries, and no more than 40 are kept of one run.")
    assert isinstance((await kept.ended)[1], RunTooLarge)
    assert len(kept.kinds()) == 41
    assert kept.kinds()[-1] == "run_failed"
    assert kept.folded().outcome == outcome
    assert (await other.outcome()).event.result == "done"


class Swells(Workflow):
    @step
    async def swell(self, ctx: Context, ev: StartEvent | Round) -> Round:
        ctx.write_event_to_stream(parcel(10_000))
        return Round(n=1)


async def test_run_whose_journal_is_too_large_ends(keeping):
    kept = keeping.start(Swells(), limits=Limits(entries=1000, journal=200_000))
    outcome = await kept.outcome()
    assert (outcome.status, outcome.error.type) == ("failed", "RunTooLarge")
    assert "The run's journal is 19" in outcome.error.message
    assert 200_000 <= kept.folded().size < 212_000
    assert kept.folded().size == kept.state.size


class Pauses(Workflow):
    """Takes much in, then asks."""

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> InputRequiredEvent:
        for _ in range(12):
            ctx.write_event_to_stream(parcel(9_000))
        return InputRequiredEvent(prefix="?")

    @step
    async def hear(self, ctx: Context, ev: HumanResponseEvent) -> StopEvent:
        for _ in range(12):
            ctx.write_event_to_stream(parcel(9_000))
        return StopEvent()


async def test_limits_outlive_the_worker(keeping):
    """What the first one wrote counts for the second."""
    first = keeping.start(Pauses(), limits=SMALL)
    await first.until("waiting")
    second = keeping.resume(first, limits=SMALL)
    second.loop.respond(HumanResponseEvent(response="go on"), prompt=next(iter(second.state.prompts)))
    outcome = await second.outcome()
    assert (outcome.status, outcome.step, outcome.error.type) == ("failed", "hear", "RunTooLarge")
    assert second.folded().outcome == outcome


async def test_warnings_come_at_a_fifth_and_stay(keeping):
    kept = keeping.start(Pauses(), limits=Limits(entries=50, journal=200_000))
    await kept.until("waiting")
    assert kept.remarks() == {
        "warnings": [
            "The run has more than 10 entries; at 50 it fails.",
            "The run's journal is larger than 39.1 KiB; at 195.3 KiB the run fails.",
        ],
        "not_resumable": None,
    }
    small = keeping.start(Does(), limits=LIMITS, what="nothing")
    await small.outcome()
    assert small.remarks() == {}


def test_warnings_begin_at_a_fifth():
    state = RunState(Routes({}, {}))
    assert warnings(state) == []
    state.seq, state.size = 199_999, int(1024**3 * 0.2) - 1
    assert warnings(state) == []
    state.seq, state.size = 200_000, int(1024**3 * 0.2) + 1
    assert len(warnings(state)) == 2


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1_572_864, "1.5 MiB"), (1 << 30, "1,024 MiB")],
)
def test_sizes_are_told_as_people_say_them(size, text):
    assert told(size) == text


def test_heaviest_part_is_followed_down():
    fields = {"a": [1, 2], "b": {"rows": [Parcel(content="x" * 500, label="y"), "z" * 20]}, "c": "x" * 90}
    assert heaviest(fields, limit=10_000) == ("b.rows[0].content", 502)
    assert heaviest({"a": ["x" * 50] * 9, "b": 1}, limit=10_000)[0] == "a"
    assert heaviest({"a": "x" * 50}, limit=20) == ("a", 21)
    assert heaviest({"a": object(), "b": nested(200)}, limit=10_000)[0] == "a"
