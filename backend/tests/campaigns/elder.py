"""Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish."""

from __future__ import annotations

import asyncio

from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step


class Begin(StartEvent):
    size: int
    nap: float


class Link(Event):
    n: int
    nap: float


class Chain(Workflow):
    """Counts to `size` in its events and in its context."""

    @step
    async def begin(self, ctx: Context, ev: Begin) -> Link:
        await ctx.set("size", ev.size)
        await ctx.set("count", 0)
        return Link(n=0, nap=ev.nap)

    @step
    async def add(self, ctx: Context, ev: Link) -> Link | StopEvent:
        await ctx.set("count", await ctx.get("count") + 1)
        await asyncio.sleep(ev.nap)
        if ev.n + 1 >= await ctx.get("size"):
            return StopEvent(result=[ev.n + 1, await ctx.get("count")])
        return Link(n=ev.n + 1, nap=ev.nap)


class Part(Event):
    n: int
    nap: float


class Squared(Event):
    square: int


class Fan(Workflow):
    """Adds the squares of 0 .. size-1, worked out in parallel."""

    @step
    async def split(self, ctx: Context, ev: Begin) -> Part | None:
        await ctx.set("size", ev.size)
        for n in range(ev.size):
            ctx.send_event(Part(n=n, nap=ev.nap * (n % 3)))

    @step(num_workers=4)
    async def square(self, ev: Part) -> Squared:
        await asyncio.sleep(ev.nap)
        return Squared(square=ev.n * ev.n)

    @step
    async def total(self, ctx: Context, ev: Squared) -> StopEvent | None:
        squares = ctx.collect_events(ev, [Squared] * await ctx.get("size"))
        return StopEvent(result=sum(square.square for square in squares)) if squares else None


class Ask(Workflow):
    """Asks for a number and returns the next one."""

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> InputRequiredEvent:
        await ctx.set("more", 1)
        return InputRequiredEvent(prefix="Which number?")

    @step
    async def hear(self, ctx: Context, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=int(ev.response) + await ctx.get("more"))


class Nest(Workflow):
    """Has a chain counted by a run inside it."""

    @step
    async def nest(self, ev: Begin, chain: Workflow = Chain()) -> StopEvent:  # noqa: B008 - a default slot
        return StopEvent(result=await chain.run(size=ev.size, nap=ev.nap))
