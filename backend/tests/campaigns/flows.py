"""Workflows of the campaigns. Every step writes its start and its end into a side log the database knows nothing of.

`tag` names a run before it has an id, so that (tag, step, n) names a delivery without help from the engine.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step

SIDE_LOG = os.environ.get("CAMPAIGN_SIDE_LOG", os.devnull)


def note(tag: str, step_name: str, n: int, phase: str) -> None:
    line = json.dumps([tag, step_name, n, phase, time.time(), os.getpid()]) + "\n"
    descriptor = os.open(SIDE_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


@contextmanager
def body(tag: str, step_name: str, n: int = 0) -> Iterator[None]:
    note(tag, step_name, n, "start")
    yield
    note(tag, step_name, n, "end")


class Tagged(StartEvent):
    tag: str
    size: int
    nap: float = 0.0


class Link(Event):
    tag: str
    n: int
    nap: float


class KillChain(Workflow):
    """Counts its links in the event and, by get then set, in the context: both must come to `size`."""

    @step
    async def begin(self, ctx: Context, ev: Tagged) -> Link:
        with body(ev.tag, "begin"):
            await ctx.set("size", ev.size)
            await ctx.set("count", 0)
            await asyncio.sleep(ev.nap)
            return Link(tag=ev.tag, n=0, nap=ev.nap)

    @step
    async def add(self, ctx: Context, ev: Link) -> Link | StopEvent:
        with body(ev.tag, "add", ev.n):
            count = await ctx.get("count")
            await ctx.set("count", count + 1)
            await asyncio.sleep(ev.nap)
            if ev.n + 1 >= await ctx.get("size"):
                return StopEvent(result=[ev.n + 1, await ctx.get("count")])
            return Link(tag=ev.tag, n=ev.n + 1, nap=ev.nap)


class Part(Event):
    tag: str
    n: int
    nap: float


class Squared(Event):
    tag: str
    n: int
    square: int


class KillFan(Workflow):
    """Squares 0 .. size-1 in parallel and adds the squares: each must be there once."""

    @step
    async def split(self, ctx: Context, ev: Tagged) -> Part | None:
        with body(ev.tag, "split"):
            await ctx.set("size", ev.size)
            for n in range(ev.size):
                ctx.send_event(Part(tag=ev.tag, n=n, nap=ev.nap))
                if n % 5 == 2:
                    await asyncio.sleep(ev.nap)

    @step(num_workers=6)
    async def square(self, ev: Part) -> Squared:
        with body(ev.tag, "square", ev.n):
            await asyncio.sleep(ev.nap)
            return Squared(tag=ev.tag, n=ev.n, square=ev.n * ev.n)

    @step(num_workers=3)
    async def total(self, ctx: Context, ev: Squared) -> StopEvent | None:
        with body(ev.tag, "total", ev.n):
            squares = ctx.collect_events(ev, [Squared] * await ctx.get("size"))
            return StopEvent(result=sum(square.square for square in squares)) if squares else None


class Question(InputRequiredEvent):
    tag: str
    n: int


class Reply(HumanResponseEvent):
    tag: str
    n: int


class KillPrompt(Workflow):
    """Asks `size` times and returns all the answers, in order."""

    @step
    async def ask(self, ctx: Context, ev: Tagged) -> Question:
        with body(ev.tag, "ask"):
            await ctx.set("size", ev.size)
            await ctx.set("answers", [])
            return Question(prefix="Which number?", tag=ev.tag, n=0)

    @step
    async def hear(self, ctx: Context, ev: Reply) -> Question | StopEvent:
        with body(ev.tag, "hear", ev.n):
            answers = [*await ctx.get("answers"), ev.response]
            await ctx.set("answers", answers)
            if ev.n + 1 >= await ctx.get("size"):
                return StopEvent(result=answers)
            return Question(prefix="And which now?", tag=ev.tag, n=ev.n + 1)
