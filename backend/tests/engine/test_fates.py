"""Every event of a run has exactly one fate for everyone it was for; none is lost, and the sums are the state's."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import WILD, examples, plans, play
from test_fold import before, live
from test_reducer import ROUTES, SCENES, Work, ticks_of
from weaving import Weave

from treadle import HumanResponseEvent, StartEvent, StopEvent
from treadle.engine import fates as ledger
from treadle.engine.fates import EventFate, Fate, fates
from treadle.engine.reducer import apply
from treadle.engine.replay import fold
from treadle.engine.state import Delivery, Routes, RunState
from treadle.engine.ticks import EventSent, RunStarted, StepFinished, Tick

KEPT = "the caller kept it"
LATE = "it came after the end of the run"
PLACES = (Fate.RUNNING, Fate.QUEUED, Fate.HELD, Fate.DELAYED, Fate.WAITING)


def until(row: EventFate) -> str:
    """Where an event was last: what the end of the run dropped counts as where it was."""
    return row.reason.partition("; until then it ")[2] or row.fate


def judge(ticks: list[Tick], routes: Routes) -> list[EventFate]:
    """The fates of a run, held against its state and against what is known of each tick."""
    rows, state = fates(ticks, routes), fold(ticks, routes)
    assert [row for row in rows if row.fate is Fate.ASTRAY] == []
    told = Counter((row.seq, row.step, row.delivery) for row in rows)
    assert max(told.values(), default=1) == 1, "one fate each"
    for seq, tick in enumerate(ticks, start=1):
        _judge_tick(tick, [row for row in rows if row.seq == seq], routes)
    where = Counter(until(row) for row in rows)
    deliveries = {place: {row.delivery for row in rows if until(row) == place} for place in (*PLACES, Fate.DONE)}
    assert len(deliveries[Fate.RUNNING]) == len(state.running)
    assert len(deliveries[Fate.QUEUED]) == sum(map(len, state.queued.values()))
    assert len(deliveries[Fate.HELD]) == len(state.waiting_leave)
    assert len(deliveries[Fate.DELAYED]) == len(state.delayed)
    assert len(deliveries[Fate.WAITING]) == len(state.waits)
    assert where[Fate.JOINING] == sum(len(queue) for queues in state.joining.values() for queue in queues)
    assert where[Fate.HANDED] == len(state.handed)
    assert where[Fate.ASKS] == len(state.prompts)
    assert where[Fate.ENDED] == (state.status == "completed")
    assert where[Fate.FAILED] <= (state.status == "failed")
    done = Counter(step for _, step in {row.delivery for row in rows if row.fate in (Fate.DONE, Fate.COLLECTED)})
    assert done == Counter({step: counts.done for step, counts in state.steps.items() if counts.done})
    collected = {(seq, step) for step, buffer in state.buffers.items() for seq in buffer.events}
    unsettled = set().union(*(deliveries[place] for place in PLACES))
    ended_badly = {row.delivery for row in rows if row.fate in (Fate.FAILED, Fate.CAUGHT)}
    assert {row.delivery for row in rows if row.fate is Fate.COLLECTED} == collected - unsettled - ended_badly
    out = {row.seq for row in rows if row.reason in (KEPT, LATE) or until(row) in (Fate.HANDED, Fate.SENT_ON)}
    assert Counter({row.seq: row.event for row in rows if row.seq not in out}.values()) == Counter(state.events)
    return rows


def _judge_tick(tick: Tick, rows: list[EventFate], routes: Routes) -> None:
    """An event has a fate for every step that takes it, unless it went elsewhere."""
    if not isinstance(tick, RunStarted | EventSent | StepFinished) or tick.event is None:
        return
    assert rows, f"{tick} came to nothing"
    handed = isinstance(tick, StepFinished) and tick.handed
    if handed or isinstance(tick.event, StopEvent) or rows[0].reason == LATE:
        assert len(rows) == 1
        return
    went = [row.step for row in rows if row.step is not None and row.fate is not Fate.WOKE]
    if isinstance(tick.event, HumanResponseEvent) and any(row.fate is Fate.WOKE for row in rows):
        assert went == []
    elif isinstance(tick, EventSent) and tick.target is not None:
        assert went == [tick.target]
    else:
        assert went == list(routes.takers.get(type(tick.event), ()))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"{scene.file}: {scene.title}")
def test_every_scene_of_the_reducer_has_its_fates_at_every_moment(scene):
    ticks = ticks_of(scene)
    for count in range(1, len(ticks) + 1):
        judge(ticks[:count], ROUTES)


@examples(25)
@given(plans(WILD), st.floats(0, 1))
def test_every_event_of_any_run_has_its_fates(plan, place):
    async def main():
        _, journal = await live(plan, Weave(plan.pauses))
        judge(before(place, journal.ticks), journal.routes)
        judge(journal.ticks, journal.routes)

    play(main)


def test_every_fate_but_being_astray_is_met_in_a_scene():
    met = {row.fate for scene in SCENES for at in range(len(ticks_of(scene)))
           for row in fates(ticks_of(scene)[: at + 1], ROUTES)}  # fmt: skip
    assert met == set(Fate) - {Fate.ASTRAY}


def told(title: str) -> list[str]:
    """The fates of a scene, in words."""
    (scene,) = [scene for scene in SCENES if scene.title == title]
    return [f"{row.event} for {row.step}: {row.reason or row.fate}" for row in fates(ticks_of(scene), ROUTES)]


def test_fates_tell_the_story():
    assert told("the first stop wins, and what comes after the end changes nothing") == [
        "StartEvent for begin: the run completed; until then it is worked on",
        "Work for work: the run completed; until then it is worked on",
        "StopEvent for None: ended the run",
        "StopEvent for None: it came after the end of the run",
        "Work for None: it came after the end of the run",
    ]
    assert told("an event the caller keeps is gone with the next step he runs") == [
        "StartEvent for begin: was worked on",
        "Both for one: is worked on",
        "Both for two: waits for leave",
        "Work for None: the caller kept it",
    ]
    assert told("an event that is not a person's is for all who wait for it, and for the steps that take it") == [
        "StartEvent for begin: is worked on",
        "Query for ask: is worked on",
        "Query for ask: waits for a worker",
        "Ping for ask: woke a step that waited",
        "Ping for ask: woke a step that waited",
        "Ping for pong: is worked on",
    ]


@pytest.mark.parametrize("place", ["running", "queued"])
def test_lost_or_doubled_delivery_is_found(monkeypatch, place):
    """An engine that forgets a delivery, or does it twice, is found out."""

    def forgetful(state: RunState, tick: Tick):
        commands = apply(state, tick)
        if isinstance(tick, EventSent) and place == "running":
            state.running.pop((state.seq, "work"))
        elif isinstance(tick, EventSent):
            state.queued["work"] = deque([replace(state.running[state.seq, "work"])])
        return commands

    monkeypatch.setattr(ledger, "apply", forgetful)
    ticks = [RunStarted(0, StartEvent(), {}), EventSent(0, Work(), source=(1, "begin"))]
    (row,) = [row for row in fates(ticks, ROUTES) if row.fate is Fate.ASTRAY]
    assert (row.seq, row.step) == (2, "work")
    assert row.reason == ("it is nowhere" if place == "running" else "it is worked on and it waits for a worker")


def test_delivery_that_nothing_led_to_is_found(monkeypatch):
    def inventive(state: RunState, tick: Tick):
        state.waiting_leave[7, "work"] = Delivery(7, "work", Work())
        return apply(state, tick)

    monkeypatch.setattr(ledger, "apply", inventive)
    (row,) = [row for row in fates([RunStarted(0, StartEvent(), {})], ROUTES) if row.fate is Fate.ASTRAY]
    assert (row.delivery, row.reason) == ((7, "work"), "it waits for leave, and nothing led to that")
