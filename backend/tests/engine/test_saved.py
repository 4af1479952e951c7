"""Runs saved in their middle: `to_dict`, JSON, another process, `from_dict`, and the same result."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
import saved_flows
from saved_flows import Asks, Barred, Broken, Flaky, Keyed, Nests, Pair, Parts, Prompts, Tail, shown
from turns import LIMIT, until

from treadle import Context, Event, StartEvent, StopEvent, Workflow, step
from treadle.engine.loop import RunLoop
from treadle.engine.snapshot import to_snapshot
from treadle.errors import ValueNotStorable


def at_work(step, times):
    return lambda handler: handler.state.steps[step].running == times


SCENES = {
    "not started yet": (Parts, lambda handler: True),
    "first step at work": (Keyed, at_work("pay", 1)),
    "three at work and one queued": (Parts, lambda handler: handler.state.context.get("done") == 3),
    "half a batch": (Tail, lambda handler: "join" in handler.state.buffers and handler.state.steps["join"].done == 2),
    "half a join": (Pair, lambda handler: "join" in handler.state.joining),
    "waiting in a step": (Asks, lambda handler: handler.state.waits and handler.state.buffers),
    "waiting for a person": (Prompts, lambda handler: handler.state.prompts),
    "delayed": (Flaky, lambda handler: handler.state.delayed),
    "failure being caught": (Broken, at_work("mend", 1)),
    "nested": (Nests, lambda handler: handler.state.children),
}
STEPWISE = {
    "stepwise, nothing done": (Parts, 0),
    "stepwise, none in hand": (Parts, 1),
    "stepwise, one in hand": (Tail, 2),
}


async def save(kind, condition):
    handler = kind().run(run_id="r_saved")
    await until(lambda: condition(handler))
    data = json.loads(json.dumps(handler.ctx.to_dict()))
    await handler.cancel_run()
    return kind.__name__, data


async def save_stepwise(kind, steps):
    handler = kind().run(run_id="r_saved", stepwise=not steps)
    for _ in range(steps):
        await handler.run_step()
    data = json.loads(json.dumps(handler.ctx.to_dict()))
    await handler.cancel_run()
    return kind.__name__, data


@pytest.fixture(scope="module")
def finished():
    """What another process made of every saved run."""

    async def scenes():
        saved = {name: await save(*scene) for name, scene in SCENES.items()}
        return saved | {name: await save_stepwise(*scene) for name, scene in STEPWISE.items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Barred, "barred", True)
        saved = asyncio.run(scenes())
    program = [sys.executable, "-W", "error", str(Path(saved_flows.__file__))]
    ran = subprocess.run(program, input=json.dumps(saved), capture_output=True, text=True, timeout=30, check=False)
    assert ran.stderr == ""
    return json.loads(ran.stdout)


EXPECTED = {
    Parts: [[0, 1, 2, 3], 4],
    Tail: [[0, 1, 2, 3], 4],
    Keyed: "r_saved:1:pay",
    Pair: [1, 3],
    Asks: ["first", "to Name?", 1],
    Prompts: ["first", "to Name?", 1],
    Flaky: [True, 1],
    Broken: ["wrong", "Order", True],
    Nests: [0, 1, 2, 3],
}


@pytest.mark.parametrize("scene", [*SCENES, *STEPWISE])
def test_saved_run_is_finished_by_another_process_with_the_same_result(finished, scene):
    kind, _ = (SCENES | STEPWISE)[scene]
    assert finished[scene] == EXPECTED[kind]


@pytest.mark.parametrize("kind", [Parts, Pair, Flaky, Broken, Nests])
async def test_run_that_was_never_saved_has_that_result(kind):
    assert shown(await kind().run()) == EXPECTED[kind]


class A(Event):
    n: int = 0


class Counts(Workflow):
    @step
    async def count(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await ctx.set("count", await ctx.get("count", default=0) + 1)
        return StopEvent(result=await ctx.get("count"))


async def test_context_of_an_ended_run_keeps_its_state():
    workflow = Counts()
    handler = workflow.run()
    await handler
    ctx = Context.from_dict(workflow, json.loads(json.dumps(handler.ctx.to_dict())))
    assert await ctx.get("count") == 1
    assert await workflow.run(ctx=ctx) == 2
    assert await workflow.run(ctx=ctx) == 3


async def test_saved_unfinished_run_is_not_continued_when_there_is_new_input(monkeypatch):
    monkeypatch.setattr(Barred, "barred", True)
    _, data = await save(*SCENES["three at work and one queued"])
    monkeypatch.setattr(Barred, "barred", False)
    workflow = Parts()
    total = await workflow.run(ctx=Context.from_dict(workflow, data), parts=4)
    assert total.parts == [0, 1, 2, 3]
    assert total.result == 3 + 4, "the state is carried on as it was"


async def test_saved_run_is_saved_again_and_goes_on_twice(monkeypatch):
    monkeypatch.setattr(Barred, "barred", True)
    name, data = await save(Tail, SCENES["half a batch"][1])
    workflow = Tail()
    handler = workflow.run(ctx=Context.from_dict(workflow, data))
    assert handler.run_id == "r_saved"
    again = json.loads(json.dumps(handler.ctx.to_dict()))
    await handler.cancel_run()
    monkeypatch.setattr(Barred, "barred", False)
    for saved in (data, again):
        assert await saved_flows.finish(name, saved) == EXPECTED[Tail]


async def test_saved_run_may_be_continued_step_by_step(monkeypatch):
    monkeypatch.setattr(Barred, "barred", True)
    _, data = await save(Tail, SCENES["half a batch"][1])
    monkeypatch.setattr(Barred, "barred", False)
    workflow = Tail()
    handler = workflow.run(ctx=Context.from_dict(workflow, data), stepwise=True)
    waiting = asyncio.ensure_future(asyncio.wait_for(handler, LIMIT))
    while not handler.is_done():
        assert len(handler.state.running) <= 2, "what was at work goes on, and one step at a time from there"
        handler.ctx.send_event(await handler.run_step())
    assert shown(await waiting) == EXPECTED[Tail]


@pytest.mark.parametrize("kind", [Parts, Tail, Pair, Asks, Prompts, Flaky, Broken, Nests])
async def test_run_saved_after_any_tick_comes_to_the_same_result(kind, monkeypatch):
    moments = []
    submit = RunLoop.submit

    def submit_and_save(loop, tick):
        submit(loop, tick)
        if loop.run_id == "r_saved" and not loop.over:
            moments.append(json.dumps({"run_id": loop.run_id, **to_snapshot(loop.saved())}))

    monkeypatch.setattr(RunLoop, "submit", submit_and_save)
    first = kind()
    ctx = Context(first)
    first.run(ctx=ctx, run_id="r_saved")
    expected = await saved_flows.finish(kind.__name__, ctx.to_dict())
    monkeypatch.undo()
    assert len(moments) >= 2
    results = [await saved_flows.finish(kind.__name__, json.loads(moment)) for moment in moments]
    if kind is Asks:  # what it kept was made by whoever came first
        expected, results = expected[1:], [result[1:] for result in results]
    assert results == [expected] * len(moments)


async def test_open_question_comes_in_the_stream_of_the_continued_run():
    workflow = Prompts()
    handler = workflow.run()
    async for _ in handler.stream_events():
        break
    data = handler.ctx.to_dict()
    continued = workflow.run(ctx=Context.from_dict(workflow, data))
    async for event in continued.stream_events():
        assert event.prefix == "Name?"
        break
    assert continued.status == "waiting"
    await continued.cancel_run()
    await handler.cancel_run()


async def test_saving_does_not_disturb_the_run():
    workflow = Prompts()
    handler = workflow.run()
    async for _ in handler.stream_events():
        handler.ctx.to_dict()
        handler.ctx.send_event(saved_flows.HumanResponseEvent(response="Ada"))
    assert await handler == ["first", "Ada", 1]


async def test_value_that_cannot_be_saved_is_named():
    handler = Counts().run()
    await handler.ctx.set("client", object())
    with pytest.raises(ValueNotStorable, match=r"^client is a builtins\.object"):
        handler.ctx.to_dict()
    assert await handler == 1


def test_what_was_not_saved_by_to_dict_is_refused():
    with pytest.raises(ValueNotStorable, match=r"^This is not a context saved by to_dict\(\)"):
        Context.from_dict(Counts(), {"some": "data"})
