"""Snapshots: a state as JSON text and back is the same state, or what stands in the way is named."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from strategies import play
from test_fold import difference
from test_reducer import ROUTES, SCENES, TYPES, Ask, Both, Crumb, Left, Part, Query, Risk, Work, ticks_of
from weaving import Answer, Question, Weave

from treadle import Context, Event, StartEvent, StepFailedEvent
from treadle.engine import ticks
from treadle.engine.reducer import apply
from treadle.engine.replay import fold
from treadle.engine.snapshot import from_snapshot, to_snapshot
from treadle.engine.state import Routes, RunState
from treadle.engine.ticks import ErrorFacts
from treadle.errors import RecordedError, ValueNotStorable

STRANGE = {
    "nan": math.nan, "far": -math.inf, "big": 1 << 20_000, "half": "\ud800", "bytes": b"\xff", "pair": (1, [2, (3,)]),
    "set": {1, 2}, "keys": {1: "a", (2,): "b", None: "c", "$": "d"}, "when": datetime(2026, 11, 22, 12, tzinfo=UTC),
    "money": Decimal("1.10"), "event": Work(n=3), "no": None, "$": "$",
}  # fmt: skip


def again(state: RunState, types=TYPES, routes: Routes = ROUTES) -> RunState:
    """`state` by way of its snapshot, as text."""
    return from_snapshot(json.loads(json.dumps(to_snapshot(state))), routes, types)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"{scene.file}: {scene.title}")
def test_snapshot_of_every_moment_of_every_scene_is_the_state(scene):
    run = RunState(ROUTES)
    for tick in ticks_of(scene):
        apply(run, tick)
        assert difference(again(run), run) is None


def everywhere() -> RunState:
    """A state with strange values in every place that holds one."""
    event = Work(n=1, **STRANGE)
    first = (1, "begin")
    return fold(
        [
            ticks.RunStarted(0.0, StartEvent(**STRANGE), {"early": STRANGE}),
            ticks.ContextChanged(0.0, first, "early", "late"),
            ticks.ContextChanged(0.0, first, "new", STRANGE),
            ticks.ContextRemoved(0.0, first, "new"),
            ticks.ContextChanged(0.0, None, "new", STRANGE),
            ticks.ResultKept(0.0, first, "charge", STRANGE),
            ticks.EventSent(0.5, event, source=first),
            ticks.StepFailed(0.5, (7, "work"), ErrorFacts("OSError", "\ud800", "trace"), retry_at=1.5),
            ticks.EventSent(0.5, Both(**STRANGE), source=first, index=1),
            ticks.EventSent(0.5, Both(**STRANGE), source=first, index=2),
            ticks.EventSent(0.5, Left(**STRANGE), source=first, index=3),
            ticks.EventSent(0.5, Part(**STRANGE), source=first, index=4),
            ticks.EventsCollected(0.5, (12, "gather"), [("Part", 1), ("Crumb", 1)]),
            ticks.EventSent(0.5, Crumb(**STRANGE), source=first, index=5),
            ticks.EventsCollected(0.5, (14, "gather"), None),
            ticks.EventSent(0.5, Query(**STRANGE), source=first, index=6),
            ticks.WaitStarted(0.5, (16, "ask"), "Work", STRANGE, 99.5, Ask(**STRANGE), human=True),
            ticks.EventSent(0.5, Work(**{**STRANGE, "nan": 1})),
            ticks.RunHeld(1.0),
            ticks.EventSent(1.0, event),
            ticks.StepAllowed(1.0, (10, "one")),
            ticks.ChildStarted(1.0, first, 0, "Cutting", "r2"),
            ticks.StepFinished(1.0, first, event, handed=True),
        ],
        ROUTES,
    )


def test_snapshot_keeps_strange_values_exactly_wherever_they_are():
    state = everywhere()
    assert state.delayed and state.queued and state.joining and state.waits and state.waiting_leave
    assert state.handed and state.children and state.prompts and state.running[14, "gather"].memo.batches[0]
    assert difference(again(state), state) is None


def test_snapshot_is_of_its_moment():
    """What happens to the run afterwards does not happen to the data."""
    state = everywhere()
    data = to_snapshot(state)
    text = json.dumps(data)
    for tick in (
        ticks.EventSent(2.0, Event()),
        ticks.ContextChanged(2.0, None, "new", 1),
        ticks.StepAllowed(2.0),
        ticks.EventsCollected(2.0, (12, "gather"), [("Part", 7)]),
        ticks.RunCancelled(2.0),
    ):
        apply(state, tick)
    assert json.dumps(data) == text


def test_failure_given_to_a_catcher_comes_back_as_recorded():
    state = fold(
        [
            ticks.RunStarted(0.0, StartEvent(), {}),
            ticks.EventSent(0.0, Risk(n=1), source=(1, "begin")),
            ticks.StepFailed(1.0, (2, "risk"), ErrorFacts("LookupError", "red"), None, LookupError("red")),
        ],
        ROUTES,
    )
    restored = again(state)
    assert difference(restored, state) is None
    failure = restored.running[3, "mend"].event
    assert isinstance(failure, StepFailedEvent)
    assert isinstance(failure.exception, RecordedError)
    assert (failure.exception.type, failure.exception.message, failure.input_event.n) == ("LookupError", "red", 1)


def test_value_without_an_exact_form_is_refused_with_its_place():
    state = RunState(ROUTES)
    apply(state, ticks.RunStarted(0.0, StartEvent(), {"index": [object()]}))
    with pytest.raises(ValueNotStorable, match=r"index\[0\].* builtins\.object"):
        to_snapshot(state)
    state = RunState(ROUTES)
    apply(state, ticks.RunStarted(0.0, StartEvent(client=object()), {}))
    with pytest.raises(ValueNotStorable, match=r"StartEvent.*client.* builtins\.object"):
        to_snapshot(state)


def test_event_class_that_is_gone_is_named():
    class Passing(Event):
        pass

    state = fold([ticks.RunStarted(0.0, StartEvent(), {}), ticks.StepFinished(0.0, (1, "begin"), Work())], ROUTES)
    state.running[2, "work"].event = Passing()
    with pytest.raises(ValueNotStorable, match="a Passing, and no such event class is loaded"):
        again(state)


def test_event_class_is_the_same_one_even_if_another_has_its_name():
    impostor = type("Work", (Event,), {"__module__": "elsewhere"})
    state = fold([ticks.RunStarted(0.0, StartEvent(), {}), ticks.StepFinished(0.0, (1, "begin"), Work())], ROUTES)
    restored = again(state, types={**TYPES, "Work": impostor})
    assert type(restored.running[2, "work"].event) is Work


def test_step_that_is_gone_is_refused_if_the_run_needs_it():
    def without(step: str) -> Routes:
        return Routes(ROUTES.takers, {name: n for name, n in ROUTES.workers.items() if name != step}, ROUTES.joins)

    state = fold([ticks.RunStarted(0.0, StartEvent(), {}), ticks.StepFinished(0.0, (1, "begin"), Work())], ROUTES)
    assert again(state, routes=without("pong")).steps.keys() == without("pong").workers.keys()
    with pytest.raises(ValueNotStorable, match="steps that its workflow no longer has: work"):
        again(state, routes=without("work"))
    held = fold([ticks.RunStarted(0.0, StartEvent(), {}, held=True)], ROUTES)
    with pytest.raises(ValueNotStorable, match="steps that its workflow no longer has: begin"):
        again(held, routes=without("begin"))


def test_step_that_is_new_has_done_nothing_yet():
    more = Routes(ROUTES.takers, {**ROUTES.workers, "new": 1}, ROUTES.joins)
    state = fold([ticks.RunStarted(0.0, StartEvent(), {})], ROUTES)
    assert again(state, routes=more).steps["new"].started == 0


@pytest.mark.parametrize("data", [{}, {"form": 99}, {"state": {}, "queues": {}}])
def test_what_is_no_snapshot_is_refused(data):
    with pytest.raises(ValueNotStorable, match="save it again with this version"):
        from_snapshot(data, ROUTES, TYPES)


def test_context_saved_in_the_middle_goes_on_in_another_workflow_object():
    """The same by way of the public methods; the rest of a run's ways are in test_fold.py."""

    async def main():
        weave = Weave()
        handler = weave.run(threads=[("ask", 1, 0), ("pair", 0, 1)])
        async for event in handler.stream_events():
            if isinstance(event, Question):
                break
        data = json.loads(json.dumps(handler.ctx.to_dict()))
        await handler.cancel_run()
        other = Weave()
        context = Context.from_dict(other, data)
        assert context.outbox.state.waits
        resumed = other.run(ctx=context)
        resumed.ctx.send_event(Answer(response="colour 0", n=0))
        assert await resumed == [0, 1]
        assert await resumed.ctx.get("n0") == 2

    play(main)
