"""Workflows for the tests of the runner: a chain, a fan-out with a join, a prompt, and steps that misbehave."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)


class Link(Event):
    n: int


class ChainStart(StartEvent):
    length: int = 5


class Chain(Workflow):
    """Counts to `length`, in the event and in the context."""

    @step
    async def begin(self, ctx: Context, ev: ChainStart) -> Link:
        await ctx.set("length", ev.length)
        await ctx.set("count", 0)
        return Link(n=0)

    @step
    async def add(self, ctx: Context, ev: Link) -> Link | StopEvent:
        await ctx.set("count", await ctx.get("count") + 1)
        if ev.n + 1 >= await ctx.get("length"):
            return StopEvent(result=[ev.n + 1, await ctx.get("count")])
        return Link(n=ev.n + 1)


class Part(Event):
    n: int


class Squared(Event):
    n: int


class FanStart(StartEvent):
    width: int = 5


class Fan(Workflow):
    """Squares 0 .. width-1 in parallel and adds the squares."""

    @step
    async def split(self, ctx: Context, ev: FanStart) -> Part:
        await ctx.set("width", ev.width)
        for n in range(ev.width):
            ctx.send_event(Part(n=n))

    @step
    async def square(self, ev: Part) -> Squared:
        return Squared(n=ev.n * ev.n)

    @step
    async def total(self, ctx: Context, ev: Squared) -> StopEvent | None:
        squares = ctx.collect_events(ev, [Squared] * await ctx.get("width"))
        return StopEvent(result=sum(square.n for square in squares)) if squares else None


class Ask(Workflow):
    """Asks a person for a number."""

    @step
    async def ask(self, ev: StartEvent) -> InputRequiredEvent:
        return InputRequiredEvent(prefix="Enter a number")

    @step
    async def answer(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=int(ev.response) + 1)


def first_time(marker: Path) -> bool:
    """Whether nobody has asked with this marker before, in any process."""
    if marker.exists():
        return False
    marker.touch()
    return True


class Flaky(Workflow):
    """Fails once, then finds its context as it was before the failure."""

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=2, delay=0))
    async def shaky(self, ctx: Context, ev: StartEvent) -> StopEvent:
        count = await ctx.get("count", default=0)
        await ctx.set("count", count + 1)
        if first_time(Path(ev.marker)):
            raise RuntimeError("not yet")
        return StopEvent(result=await ctx.get("count"))


class Exits(Workflow):
    @step
    async def leave(self, ev: StartEvent) -> StopEvent:
        sys.exit(3)


class Remembers(Workflow):
    @step
    async def count(self, ctx: Context, ev: StartEvent) -> StopEvent:
        times = await ctx.get("times", default=0) + 1
        await ctx.set("times", times)
        return StopEvent(result=times)


class Unfit(Workflow):
    """Takes an event nobody makes."""

    @step
    async def begin(self, ev: StartEvent) -> StopEvent:
        return StopEvent()

    @step
    async def more(self, ev: Part) -> StopEvent:
        return StopEvent()


class Dawdles(Workflow):
    """Waits for a person longer than it may."""

    @step
    async def ask(self, ev: StartEvent) -> InputRequiredEvent:
        return InputRequiredEvent(prefix="?")

    @step
    async def take(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=ev.response)


late = Dawdles(deadline=0.2)


class Dwells(Workflow):
    """Counts to `length`, then stays in its step until its worker stops."""

    @step
    async def begin(self, ev: ChainStart) -> Link:
        return Link(n=ev.length)

    @step
    async def go_on(self, ev: Link) -> Link | StopEvent:
        if ev.n == 0:
            await asyncio.Event().wait()
        return Link(n=ev.n - 1)
