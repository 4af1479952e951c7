"""The summary of a run: the counts every page draws."""

from __future__ import annotations

import json

from treadle import Event, InputRequiredEvent, StartEvent, StopEvent, Workflow, step
from treadle.engine import ticks
from treadle.engine.commands import RunStep
from treadle.engine.reducer import apply
from treadle.engine.state import RunState
from treadle.engine.summary import counts, summarize


class Größe(Event):  # noqa: PLC2401 - names in a file of a workflow are what its author speaks
    """A name that is no ASCII."""


class Other(Event):
    """The other half."""


class Frage(InputRequiredEvent):
    """Asks."""


class Meeting(Workflow):
    """Two steps make what a third one needs, and one asks a person."""

    @step
    async def messen(self, ev: StartEvent) -> Größe | Other | Frage:
        return Größe()

    @step
    async def treffen(self, ev: Größe, other: Other) -> StopEvent:
        return StopEvent()


def finish(state: RunState, event: Event | None) -> None:
    """Let the step that runs finish with `event`."""
    (key,) = state.running
    apply(state, ticks.StepFinished(2.0, key, event))


def send(state: RunState, event: Event) -> None:
    """Let the step that runs send `event`, and run on."""
    (key,) = state.running
    apply(state, ticks.EventSent(2.0, event, None, key))


def started() -> RunState:
    state = RunState(Meeting().table.routes)
    commands = apply(state, ticks.RunStarted(1.0, StartEvent(), {}, False))
    assert [type(command) for command in commands] == [RunStep]
    return state


def test_counts_name_what_ran_what_came_up_and_what_a_join_waits_for():
    state = started()
    send(state, Größe())
    assert counts(state) == {
        "steps": {
            "messen": {"started": 1, "running": 1, "done": 0, "failed": 0, "waiting": 0},
            "treffen": {"started": 0, "running": 0, "done": 0, "failed": 0, "waiting": 1},
        },
        "events": {"StartEvent": 1, "Größe": 1},
        "edges": {"event:StartEvent>step:messen": 1, "step:messen>event:Größe": 1},
        "joins": {"treffen": {"have": 1, "need": 2, "waiting_for": ["Other"]}},
        "children": [],
        "prompts": 0,
    }


def test_summary_is_ascii_and_tells_the_same_in_words_of_json():
    state = started()
    send(state, Größe())
    summary = summarize(state)
    assert summary.counts.isascii()
    assert json.loads(summary.counts) == counts(state)
    assert json.loads(summary.queue) == []


def test_nothing_runs_or_waits_in_a_run_that_is_over():
    state = started()
    apply(state, ticks.RunCancelled(2.0))
    told = counts(state)
    assert told["steps"]["messen"] == {"started": 1, "running": 0, "done": 0, "failed": 0, "waiting": 0}
    assert told["prompts"] == 0


def test_open_prompts_are_counted():
    state = started()
    finish(state, Frage())
    assert counts(state)["prompts"] == 1
