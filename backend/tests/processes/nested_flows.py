"""A cord of plies of threads: runs inside runs inside runs, and a record of every step beside the database."""

from __future__ import annotations

import asyncio
import json
import os
import time

from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step


def note(log: str, *what: object) -> None:
    """Append one line and have it on disk before anything follows from it."""
    line = json.dumps([*what, time.time()]) + "\n"
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Named(StartEvent):
    log: str
    name: str


class Turn(Event):
    log: str
    name: str
    n: int


class Thread(Workflow):
    """Three turns, one after the other."""

    @step
    async def spin(self, ev: Named) -> Turn:
        note(ev.log, "begin", ev.name, "spin")
        return Turn(log=ev.log, name=ev.name, n=1)

    @step
    async def turn(self, ctx: Context, ev: Turn) -> Turn | StopEvent:
        note(ev.log, "begin", ev.name, f"turn {ev.n}")
        await ctx.set("turns", await ctx.get("turns", default=0) + 1)
        await asyncio.sleep(0.05)
        if ev.n == 3:
            return StopEvent(result=[ev.name, await ctx.get("turns")])
        return Turn(log=ev.log, name=ev.name, n=ev.n + 1)


class Twisted(StopEvent):
    """A ply, as an event of its own class."""

    threads: list[list[object]]


class Ply(Workflow):
    """Two threads one after the other, then two at the same time."""

    @step
    async def twist(self, ev: Named, thread: Workflow = Thread()) -> Twisted:  # noqa: B008 - a default slot
        note(ev.log, "begin", ev.name, "twist")
        threads = [await thread.run(log=ev.log, name=f"{ev.name}.{n}") for n in range(2)]
        threads += await asyncio.gather(*(thread.run(log=ev.log, name=f"{ev.name}.{n}") for n in (2, 3)))
        return Twisted(threads=threads)


class Part(Event):
    log: str
    name: str


class Plied(Event):
    name: str
    threads: list[list[object]]


class Cord(Workflow):
    """Two plies at the same time."""

    @step
    async def lay(self, ctx: Context, ev: Named) -> Part | None:
        note(ev.log, "begin", ev.name, "lay")
        for n in range(2):
            ctx.send_event(Part(log=ev.log, name=f"{ev.name}.{n}"))

    @step
    async def ply(self, ev: Part, ply: Workflow = Ply()) -> Plied:  # noqa: B008 - a default slot
        note(ev.log, "begin", ev.name, "ply")
        twisted = await ply.run(log=ev.log, name=ev.name)
        assert isinstance(twisted, Twisted)
        return Plied(name=ev.name, threads=twisted.threads)

    @step
    async def close(self, ctx: Context, ev: Plied) -> StopEvent | None:
        plies = ctx.collect_events(ev, [Plied, Plied])
        return StopEvent(result=sorted([ply.name, ply.threads] for ply in plies)) if plies else None


class Asks(Workflow):
    @step
    async def ask(self, ev: StartEvent) -> InputRequiredEvent:
        return InputRequiredEvent(prefix="Which colour?")

    @step
    async def hear(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=ev.response)


class Dyes(Workflow):
    """Has somebody asked."""

    @step
    async def dye(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=f"dyed {await Asks().run()}")
