"""Workflows that stop, for a person to open again; every step leaves a mark on disk for each time it was done."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

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


def mark(folder: str, name: str) -> None:
    """Leave one more mark called `name`."""
    with (Path(folder) / name).open("a") as file:
        file.write("x")


class Begin(StartEvent):
    folder: str


class Dyed(Event):
    folder: str


class Wound(Event):
    folder: str


class Colour(HumanResponseEvent):
    name: str


class TornError(OSError):
    pass


class Warp(Workflow):
    """Dyes, then winds while a person is asked for the colour; winding fails as long as there is a file `torn`."""

    @step
    async def dye(self, ctx: Context, ev: Begin) -> Dyed | Wound:
        mark(ev.folder, "dyed")
        await ctx.set("dyed", await ctx.get("dyed", default=0) + 1)
        ctx.send_event(Wound(folder=ev.folder))
        return Dyed(folder=ev.folder)

    @step
    async def ask(self, ctx: Context, ev: Dyed) -> StopEvent:
        colour = await ctx.wait_for_event(Colour, waiter_event=InputRequiredEvent(prefix="Which colour?"))
        return StopEvent(result=[colour.name, await ctx.get("dyed"), await ctx.get("wound")])

    @step(retry_policy=ConstantDelayRetryPolicy(delay=0, maximum_attempts=2))
    async def wind(self, ctx: Context, ev: Wound) -> None:
        mark(ev.folder, "winding")
        await ctx.set("wound", await ctx.get("wound", default=0) + 1)
        ctx.write_event_to_stream(Wound(folder=f"attempt {ctx.attempt}"))
        if (Path(ev.folder) / "torn").exists():
            raise TornError("the thread is torn")
        mark(ev.folder, "wound")


class Weft(Workflow):
    """Fails as long as there is a file `torn`."""

    @step
    async def throw(self, ev: Begin) -> StopEvent:
        mark(ev.folder, "thrown")
        if (Path(ev.folder) / "torn").exists():
            raise TornError("the thread is torn")
        return StopEvent(result="woven")


class Loom(Workflow):
    """Runs a weft inside itself."""

    @step
    async def weave(self, ev: Begin, weft: Workflow = Weft()) -> StopEvent:  # noqa: B008 - a slot
        return StopEvent(result=await weft.run(start_event=ev))


class Paid(Event):
    folder: str
    receipt: int


class Pays(Workflow):
    """Pays at most once, and waits for `gate` in the middle of it."""

    gate: ClassVar[asyncio.Event]

    @step
    async def order(self, ev: Begin) -> Wound:
        mark(ev.folder, "ordered")
        return Wound(folder=ev.folder)

    @step(at_most_once=True)
    async def pay(self, ctx: Context, ev: Wound) -> Paid | StopEvent | None:
        mark(ev.folder, "paid")
        await ctx.set("paid", await ctx.get("paid", default=0) + 1)
        await self.gate.wait()
        return Paid(folder=ev.folder, receipt=1)

    @step
    async def thank(self, ctx: Context, ev: Paid) -> StopEvent:
        mark(ev.folder, "thanked")
        return StopEvent(result=[ev.receipt, await ctx.get("paid")])


class PaysInside(Workflow):
    """Pays in a run inside itself."""

    @step
    async def shop(self, ev: Begin, pays: Workflow = Pays()) -> StopEvent:  # noqa: B008 - a slot
        mark(ev.folder, "shopped")
        return StopEvent(result=await pays.run(start_event=ev))


class Slow(Workflow):
    """Waits for `gate`, for half a second of active time."""

    gate: ClassVar[asyncio.Event]

    def __init__(self) -> None:
        super().__init__(timeout=0.3)

    @step
    async def crawl(self, ev: Begin) -> StopEvent:
        mark(ev.folder, "crawled")
        await self.gate.wait()
        return StopEvent(result="there")


class Stalls(Workflow):
    @step
    async def stop_short(self, ev: Begin) -> StopEvent | None:
        return None
