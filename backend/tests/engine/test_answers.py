"""Who gets an event that is waited for: by class, by required fields, and by turn."""

from __future__ import annotations

import pytest
from turns import until

from treadle import (
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)


class A(Event):
    n: int = 0


class B(Event):
    n: int = 0


class Ask(InputRequiredEvent):
    n: int = 0


class Answer(HumanResponseEvent):
    n: int = 0


class One(Workflow):
    """A step that does `act`, and ends the run with what that returns."""

    def __init__(self, act, **options):
        super().__init__(**options)
        self.act = act

    @step
    async def wait(self, ctx: Context, ev: StartEvent) -> StopEvent:
        return StopEvent(result=await self.act(ctx))


async def waiting(handler, steps=1):
    """Until so many executions of steps wait."""
    await until(lambda: len(handler.state.waits) == steps)


async def test_requirements_choose_the_event():
    async def act(ctx):
        return await ctx.wait_for_event(A, requirements={"n": 2, "extra": None})

    handler = One(act).run()
    await waiting(handler)
    for event in (A(n=1, extra=None), A(n=2), A(n=2, extra=0), A(n=2, extra=None)):
        assert handler.status == "waiting"
        handler.ctx.send_event(event)
    assert await handler == A(n=2, extra=None)


@pytest.mark.parametrize(
    ("requirements", "fitting", "other"),
    [
        ({"tags": ["a"]}, A(tags=["a"]), A(tags=("a",))),
        ({"tags": ("a",)}, A(tags=("a",)), A(tags=["a"])),
        ({"tags": {"a": [1]}, "n": 1}, A(tags={"a": [1]}, n=1), A(tags={"a": [1]}, n=2)),
        ({"who": None}, A(who=None), A()),
        ({"n": 1.0}, A(n=1), A(n=0)),
        ({}, A(n=3), B()),
    ],
)
async def test_required_fields_may_hold_anything_and_must_be_equal(requirements, fitting, other):
    async def act(ctx):
        return await ctx.wait_for_event(A, requirements=requirements)

    handler = One(act).run()
    await waiting(handler)
    handler.ctx.send_event(other)
    assert handler.status == "waiting"
    handler.ctx.send_event(fitting)
    assert await handler is fitting


async def test_answer_that_fits_several_goes_to_who_has_waited_longest():
    class Several(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A:
            for n, requirements in enumerate(({"a": 1, "b": [2]}, {"b": [2]}, {"a": 1}, {}, {"a": 2})):
                ctx.send_event(A(n=n, requirements=requirements))
            return None

        @step(num_workers=5)
        async def wait(self, ctx: Context, ev: A) -> StopEvent | None:
            await ctx.wait_for_event(Answer, requirements=ev.requirements)
            order = [*await ctx.get("order", default=[]), ev.n]
            await ctx.set("order", order)
            return StopEvent(result=order) if len(order) == 4 else None

    handler = Several().run()
    for left in (5, 4, 3, 2):
        await waiting(handler, left)
        handler.ctx.send_event(Answer(a=1, b=[2]))
    assert await handler == [0, 1, 2, 3]


class Five(Workflow):
    """Five executions of a step, each waiting for its own answer."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> A:
        for n in range(5):
            ctx.send_event(A(n=n))
        return None

    @step(num_workers=2)
    async def ask(self, ctx: Context, ev: A) -> B:
        answer = await ctx.wait_for_event(Answer, waiter_event=Ask(n=ev.n), requirements={"n": ev.n})
        return B(n=ev.n, response=answer.response)

    @step
    async def join(self, ctx: Context, ev: B) -> StopEvent | None:
        batch = ctx.collect_events(ev, [B] * 5)
        return StopEvent(result=[(event.n, event.response) for event in batch]) if batch else None


async def test_each_of_a_fan_out_gets_its_own_answer():
    handler = Five().run()
    asked = []
    async for event in handler.stream_events():
        asked.append(event.n)
        if len(asked) == 5:
            assert len(handler.state.prompts) == 5
            for n in (4, 2, 0, 3, 1):
                handler.ctx.send_event(Answer(n=n, response=f"to {n}"))
    assert asked == [0, 1, 2, 3, 4], "who waits gives the worker to the next"
    assert await handler == [(n, f"to {n}") for n in (4, 2, 0, 3, 1)]
    assert handler.state.prompts == {}


async def test_answer_goes_to_one_who_waits_and_any_other_event_to_all():
    class Two(Workflow):
        @step
        async def first(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.set("first", [await ctx.wait_for_event(A), await ctx.wait_for_event(Answer)])
            return None

        @step
        async def second(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.set("second", [await ctx.wait_for_event(A), await ctx.wait_for_event(Answer)])
            return StopEvent(result=ctx.values())

        @step
        async def takes(self, ctx: Context, ev: A) -> None:
            await ctx.set("step", ev.n)

    handler = Two(disable_validation=True).run()
    await waiting(handler, 2)
    handler.ctx.send_event(A(n=1))
    await waiting(handler, 2)
    handler.ctx.send_event(Answer(n=1))
    handler.ctx.send_event(Answer(n=2))
    assert await handler == {"step": 1, "first": [A(n=1), Answer(n=1)], "second": [A(n=1), Answer(n=2)]}


async def test_answer_before_the_question_is_not_its_answer():
    async def act(ctx):
        return (await ctx.wait_for_event(Answer)).response

    handler = One(act).run()
    handler.ctx.send_event(Answer(response="too early"))
    await waiting(handler)
    assert handler.status == "waiting"
    handler.ctx.send_event(Answer(response="in time"))
    assert await handler == "in time"
