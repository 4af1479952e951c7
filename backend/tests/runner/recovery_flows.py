"""Workflows that are in the middle of something when their worker ends: a wait, a half full join, a batch."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step


def mark(folder: str, name: str) -> int:
    """Leave one more mark called `name`; how many there are now."""
    path = Path(folder) / name
    with path.open("a") as file:
        file.write("x")
    return len(path.read_text())


class Begin(StartEvent):
    folder: str
    patience: float | None = None


class Pick(Event):
    folder: str
    n: int


class Name(HumanResponseEvent):
    """A name, and for which thread."""

    thread: str
    name: str


class Heard(Event):
    text: str


class Waits(Workflow):
    """Collects two picks, says so once, then asks a person for the name of the thread."""

    @step
    async def send(self, ctx: Context, ev: Begin) -> Pick:
        await ctx.set("patience", ev.patience)
        ctx.send_event(Pick(folder=ev.folder, n=1))
        return Pick(folder=ev.folder, n=2)

    @step(num_workers=1)
    async def weave(self, ctx: Context, ev: Pick) -> Heard | None:
        picks = ctx.collect_events(ev, [Pick, Pick])
        if picks is None:
            return None
        mark(ev.folder, "top")
        await ctx.set("tops", await ctx.get("tops", default=0) + 1)
        ctx.send_event(Heard(text=f"{[pick.n for pick in picks]}"))
        paid = await ctx.run_once("pay", mark, ev.folder, "paid")
        try:
            answer = await ctx.wait_for_event(
                Name,
                waiter_event=InputRequiredEvent(prefix="What is its name?"),
                requirements={"thread": "red"},
                timeout=await ctx.get("patience"),
            )
        except TimeoutError:
            return Heard(text="nobody")
        return Heard(text=f"{answer.name} {paid} {await ctx.get('tops')}")

    @step
    async def hear(self, ctx: Context, ev: Heard) -> StopEvent | None:
        heard = ctx.collect_events(ev, [Heard, Heard])
        return StopEvent(result=[event.text for event in heard]) if heard else None


class Warp(Event):
    n: int


class Weft(Event):
    n: int


class Joins(Workflow):
    """One side of the join is there; the other is in the middle of its step."""

    gate: ClassVar[asyncio.Event]

    @step
    async def stretch(self, ev: Begin) -> Warp:
        mark(ev.folder, "warp")
        return Warp(n=1)

    @step
    async def wind(self, ev: Begin) -> Weft:
        if mark(ev.folder, "weft") == 1:
            await Joins.gate.wait()
        return Weft(n=2)

    @step
    async def weave(self, warp: Warp, weft: Weft) -> StopEvent:
        return StopEvent(result=[warp.n, weft.n])


class Count(BaseModel):
    times: int = 7


class Typed(Workflow):
    """Reads its state, which has a value before anybody has set one."""

    @step
    async def read(self, ctx: Context[Count], ev: StartEvent) -> StopEvent:
        async with ctx.store.edit_state() as state:
            state.times += 1
        return StopEvent(result=await ctx.store.get("times"))
