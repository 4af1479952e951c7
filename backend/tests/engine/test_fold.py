"""The fold of a journal is the live state, after every tick and exactly; and any prefix of it can be gone on from."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from strategies import STEADY, STEPPING, WILD, Choices, Plan, examples, plans, play
from weaving import Outside, Weave

from treadle import InputRequiredEvent, StartEvent
from treadle.engine.commands import Command
from treadle.engine.loop import RunLoop
from treadle.engine.records import from_record, to_record
from treadle.engine.reducer import apply
from treadle.engine.replay import fold
from treadle.engine.serializers import model_fields
from treadle.engine.snapshot import from_snapshot, to_snapshot
from treadle.engine.state import Outcome, RunState
from treadle.engine.ticks import ResultKept, StepFinished, Tick
from treadle.errors import RecordedError


def difference(a: Any, b: Any, path: str = "state") -> str | None:
    """Where two states differ, None if nowhere: types, fields, order and all; exceptions by class name and message."""
    if isinstance(a, BaseException) and isinstance(b, BaseException):
        return difference(_facts(a), _facts(b), path)
    if type(a) is not type(b):
        return f"{path}: {a!r} is not {b!r}"
    if isinstance(a, BaseModel):
        return difference(model_fields(a), model_fields(b), f"{path}({type(a).__name__})")
    if is_dataclass(a):
        names = [field.name for field in fields(a)]
        return _first((getattr(a, name), getattr(b, name), f"{path}.{name}") for name in names)
    if isinstance(a, dict):
        return difference(list(a), list(b), f"{path} keys") or _first((a[key], b[key], f"{path}[{key!r}]") for key in a)
    if isinstance(a, list | tuple | deque):
        if len(a) != len(b):
            return f"{path}: {a!r} is not {b!r}"
        return _first((x, y, f"{path}[{at}]") for at, (x, y) in enumerate(zip(a, b, strict=True)))
    return None if a is b or a == b or (a != a and b != b) else f"{path}: {a!r} is not {b!r}"  # noqa: PLR0124 - NaN


def _first(pairs: Any) -> str | None:
    return next((found for a, b, path in pairs if (found := difference(a, b, path)) is not None), None)


def _facts(error: BaseException) -> tuple[str, str]:
    return (error.type, error.message) if isinstance(error, RecordedError) else (type(error).__name__, str(error))


class Checked:
    """A journal that folds what it keeps, through its stored form, and finds out where that is not the live state.

    With `lags` an entry is kept so many turns of the event loop after it was appended, in order. A `quick` one looks at
    the end only.
    """

    def __init__(
        self, workflow: Weave, lags: list[int] | None = None, kept: list[Tick] | None = None, *, quick: bool = False
    ) -> None:
        self.types = workflow.event_types()
        self.routes = workflow.table.routes
        self.ticks: list[Tick] = list(kept or [])
        self.folded = fold(self.ticks, self.routes)
        self.live: RunState
        self.faults: list[str] = []
        self._quick = quick
        self._lag = Choices(lags) if lags is not None else None
        self._waiting: deque[asyncio.Future[None]] = deque()

    def append(self, seq: int, tick: Tick, commands: list[Command]) -> asyncio.Future[None] | None:
        try:
            self._follow(seq, tick, commands)
        except Exception as error:  # noqa: BLE001 - a step that asked for the tick would take it for its own
            self.faults.append(f"after {tick}: {error!r}")
        if self._lag is None:
            return None
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append(kept)
        asyncio.get_running_loop().call_later(self._lag(3) / 10, self._keep_next)
        return kept

    def again(self, state: RunState) -> RunState:
        """`state` by its snapshot, through text."""
        return from_snapshot(json.loads(json.dumps(to_snapshot(state))), self.routes, self.types)

    def _follow(self, seq: int, tick: Tick, commands: list[Command]) -> None:
        stored = from_record(to_record(seq, tick), self.types)
        self.ticks.append(stored)
        following = apply(self.folded, stored)
        if self._quick and self.live.outcome is None:
            return
        self.faults += [
            f"after {tick}: {found}"
            for found in (
                difference(len(self.ticks), seq, "seq"),
                difference(list(map(type, following)), list(map(type, commands)), "commands"),
                difference(self.folded, self.live, "fold"),
                difference(self.again(self.live), self.live, "snapshot"),
            )
            if found is not None
        ]

    def _keep_next(self) -> None:
        self._waiting.popleft().set_result(None)


async def live(
    plan: Plan,
    workflow: Weave,
    *,
    kept: list[Tick] | None = None,
    crashed: bool = False,
    saved: bool = False,
    quick: bool = False,
) -> tuple[Outcome, Checked]:
    """One life of a run: from its start, or on from the ticks `kept`, or from what was `saved` after them."""
    clock = asyncio.get_running_loop().time
    skews = Choices([skew + 3 for skew in plan.skews])
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    journal = Checked(workflow, plan.lags, kept, quick=quick)
    state = fold(kept, journal.routes) if kept is not None else None
    if state is not None and saved:
        state = journal.again(state)
    loop = RunLoop(
        workflow.table,
        run_id="r",
        clock=lambda: clock() + skews(8),
        ended=lambda outcome, error: ended.set_result(outcome),
        journal=journal,
        state=state,
        timeout=plan.timeout,
    )
    journal.live = loop.state
    if kept is None:
        loop.start(StartEvent(threads=plan.threads), context={"before": {"t": (1, 2)}})
    else:
        loop.resume(worker="w", reason="a test", crashed=crashed)
    await Outside(loop, Choices(plan.pauses)).act(plan.acts, ended)
    assert not journal.faults, journal.faults[:3]
    return await ended, journal


def before(place: float, ticks: list[Tick]) -> list[Tick]:
    """The ticks a crash leaves behind, the first at least."""
    return ticks[: max(1, round(place * (len(ticks) - 1)))]


@examples(30)
@given(plans(WILD), st.floats(0, 1))
def test_fold_and_snapshot_are_the_live_state_after_every_tick(plan, place):
    """In the first life of a run, and in the one after a crash anywhere."""

    async def main():
        _, journal = await live(plan, Weave(plan.pauses))
        assert difference(fold(journal.ticks, journal.routes), journal.live) is None
        await live(plan, Weave(plan.pauses), kept=before(place, journal.ticks), saved=True)

    play(main)


async def live_again(journal: Checked, kept: list[Tick], plan: Plan, **how: bool) -> tuple[Outcome, Checked]:
    """Another life of a run of which these ticks are left: it comes to the same, and does nothing twice."""
    finished = {f"r:{tick.delivery[0]}:{tick.delivery[1]}" for tick in kept if isinstance(tick, StepFinished)}
    made = {f"r:{tick.delivery[0]}:{tick.delivery[1]}" for tick in kept if isinstance(tick, ResultKept)}
    workflow = Weave(plan.pauses)
    outcome, again = await live(plan, workflow, kept=kept, **how)
    assert (outcome.status, outcome.event.result) == ("completed", list(range(len(plan.threads)))), outcome
    assert again.live.context == journal.live.context, (again.live.context, journal.live.context)
    assert not finished & set(workflow.began), "a finished delivery was done again"
    assert not made & set(workflow.made), "what was kept was made again"
    assert len(workflow.made) == len(set(workflow.made))
    done = [tick.delivery for tick in again.ticks if isinstance(tick, StepFinished)]
    assert len(done) == len(set(done))
    told = [tick.event for tick in again.ticks if getattr(tick, "event", None) and not getattr(tick, "handed", False)]
    asked = [event.n for event in told if isinstance(event, InputRequiredEvent)]
    assert len(asked) == len(set(asked)), "nobody is asked twice"
    return outcome, again


@examples(14)
@given(
    st.sampled_from([STEADY, STEPPING]).flatmap(plans),
    st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.booleans()), min_size=1, max_size=2),
)
def test_run_cut_anywhere_comes_to_the_same_and_does_nothing_twice(plan, cuts):
    async def main():
        outcome, journal = await live(plan, Weave(plan.pauses))
        assert outcome.status == "completed", outcome
        for place, crashed, saved in cuts:
            kept = before(place, journal.ticks)
            _, journal = await live_again(journal, kept, plan, crashed=crashed, saved=saved)

    play(main)


@pytest.mark.parametrize("acts", [[], [("look", 3)] * 12], ids=["freely", "step by step"])
def test_run_cut_after_any_of_its_entries_comes_to_the_same(acts):
    moods = ("pair", "once", "show and ask", "litter")
    plan = Plan([(mood, 0, number % 2) for number, mood in enumerate(moods)], [1, 2, 3] * 9, acts, None, [])

    async def main():
        _, journal = await live(plan, Weave(plan.pauses))
        for count in range(1, len(journal.ticks)):
            await live_again(journal, journal.ticks[:count], plan, quick=True)

    play(main)
