"""Random runs, whatever is done to them from outside: they come to their result, and leave nothing behind.

A seed decides what the steps do (fail, wait, ask, nest, be cancelled) and how the run is driven.
"""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    WorkflowCancelledByUser,
    step,
)

LIMIT = 10.0


class Part(Event):
    n: int
    rounds: int


class Done(Event):
    n: int


class Never(Event):
    pass


class Ask(InputRequiredEvent):
    n: int = 0


class Answer(HumanResponseEvent):
    n: int = 0


class Inner(Workflow):
    @step
    async def turn(self, ev: StartEvent) -> StopEvent:
        for _ in range(ev.turns):
            await asyncio.sleep(0)
        if ev.turns == 3:
            raise OSError("inner")
        return StopEvent()


class Storm(Workflow):
    def __init__(self, seed):
        super().__init__(timeout=None)
        self.random = random.Random(seed)

    @step
    async def split(self, ctx: Context, ev: StartEvent) -> Part:
        for n in range(ev.parts):
            ctx.send_event(Part(n=n, rounds=self.random.randint(0, 6)))
            if self.random.random() < 0.3:
                await asyncio.sleep(0)
        return None

    @step(num_workers=2, retry_policy=ConstantDelayRetryPolicy(delay=0, maximum_attempts=50))
    async def work(self, ctx: Context, ev: Part, inner: Workflow = Inner()) -> Part | Done:  # noqa: B008 - a slot
        await ctx.set("last", ev.n)
        match self.random.randint(0, 12):
            case 0 | 1:
                raise OSError("work")
            case 2 | 3:
                await asyncio.sleep(0)
            case 4 | 5:
                await ctx.wait_for_event(Answer, waiter_event=Ask(n=ev.n), requirements={"n": ev.n})
            case 6:
                with pytest.raises(TimeoutError):
                    await ctx.wait_for_event(Never, timeout=0.001)
            case 7:
                await inner.run(turns=self.random.randint(0, 3))
            case 8:
                asyncio.current_task().cancel()
                await asyncio.sleep(0)
        async with ctx.store.edit_state() as state:
            state["edits"] = state.get("edits", 0) + 1
        return Part(n=ev.n, rounds=ev.rounds - 1) if ev.rounds else Done(n=ev.n)

    @step
    def beside(self, ctx: Context, ev: Part) -> None:
        if ev.rounds == 3:
            ctx.write_event_to_stream(Event(n=ev.n))

    @step
    async def join(self, ctx: Context, ev: Done) -> StopEvent | None:
        batch = ctx.collect_events(ev, [Done] * await ctx.get("parts"))
        return StopEvent(result=sorted(event.n for event in batch)) if batch else None


async def answer(handler, dice):
    async for event in handler.stream_events():
        if isinstance(event, Ask):
            for _ in range(dice.randint(0, 3)):
                await asyncio.sleep(0)
            handler.ctx.send_event(Answer(n=event.n))


async def wander(dice):
    for _ in range(dice.randint(0, 40)):
        await asyncio.sleep(0)


async def let_be(handler, dice):
    return handler


async def step_through(handler, dice):
    while not handler.is_done():
        handler.ctx.send_event(await handler.run_step())
    return handler


async def iterate(handler, dice):
    async for _ in handler:
        pass
    return handler


async def take_hold_for_a_while(handler, dice):
    await wander(dice)
    for _ in range(dice.randint(0, 12)):
        handler.ctx.send_event(await handler.run_step())
    await handler.run_step()
    return handler


async def save_and_go_on(handler, dice):
    await wander(dice)
    if handler.is_done():
        return handler
    data = json.loads(json.dumps(handler.ctx.to_dict()))
    await handler.cancel_run()
    workflow = Storm(dice.random())
    return workflow.run(ctx=Context.from_dict(workflow, data))


async def cancel(handler, dice):
    await wander(dice)
    await handler.cancel_run()
    return handler


@pytest.mark.parametrize("drive", [let_be, step_through, iterate, take_hold_for_a_while, save_and_go_on, cancel])
@pytest.mark.parametrize("seed", range(12))
async def test_random_run_comes_to_its_result_and_leaves_nothing_behind(seed, drive):
    dice, problems = random.Random(seed), []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
    workflow, parts = Storm(seed), dice.randint(1, 5)
    ctx = Context(workflow)
    await ctx.set("parts", parts)
    first = workflow.run(ctx=ctx, parts=parts)
    async with asyncio.timeout(LIMIT):
        answering = [asyncio.ensure_future(answer(first, dice))]
        handler = await drive(first, dice)
        answering.append(asyncio.ensure_future(answer(handler, dice)))
        if drive is cancel and handler.cancelled():
            with pytest.raises(WorkflowCancelledByUser):
                await handler
        else:
            assert await handler == list(range(parts))
        await asyncio.gather(*answering)
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left)
    assert problems == []
