"""Workflows that are in the middle of work when their worker is killed: queues, batches, joins, attempts, contexts."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

sys.path.insert(0, str(Path(__file__).parents[1]))

from processes.marks import come_in, mark, pass_gate
from treadle import Context, Event, Resource, StartEvent, StopEvent, Workflow, step

come_in()


class Named(StartEvent):
    name: str


class Piece(Event):
    name: str
    n: int


class Woven(Event):
    name: str
    n: int


class Queues(Workflow):
    """Six pieces for two workers of a step; the first two are in their middle, the others queued."""

    @step
    async def deal(self, ctx: Context, ev: Named) -> Piece | None:
        for n in range(6):
            ctx.send_event(Piece(name=ev.name, n=n))

    @step(num_workers=2)
    async def weave(self, ev: Piece) -> Woven:
        mark(ev.name, ev.n)
        if ev.n < 2:
            await pass_gate(ev.name)
        return Woven(name=ev.name, n=ev.n)

    @step
    async def fold(self, ctx: Context, ev: Woven) -> StopEvent | None:
        pieces = ctx.collect_events(ev, [Woven] * 6)
        return StopEvent(result=sorted(piece.n for piece in pieces)) if pieces else None


class Gathers(Workflow):
    """Two of three are gathered when the third is in the middle of its step; then the batch is in its own."""

    @step
    async def deal(self, ctx: Context, ev: Named) -> Piece | None:
        for n in range(3):
            ctx.send_event(Piece(name=ev.name, n=n))

    @step(num_workers=1)
    async def weave(self, ev: Piece) -> Woven:
        if ev.n == 2:
            await pass_gate(f"{ev.name} third")
        return Woven(name=ev.name, n=ev.n)

    @step
    async def fold(self, ctx: Context, ev: Woven) -> StopEvent | None:
        mark(ev.name, ev.n)
        pieces = ctx.collect_events(ev, [Woven] * 3)
        if pieces is None:
            return None
        await pass_gate(f"{ev.name} batch")
        return StopEvent(result=[piece.n for piece in pieces])


class Warp(Event):
    name: str


class Weft(Event):
    name: str
    n: int


class Joins(Workflow):
    """One side of a join is there, of the other the first of two is in the middle of its step; then the join is."""

    @step
    async def stretch(self, ev: Named) -> Warp:
        mark(ev.name, "warp")
        return Warp(name=ev.name)

    @step
    async def wind(self, ev: Named) -> Weft:
        await pass_gate(f"{ev.name} weft")
        return Weft(name=ev.name, n=2)

    @step
    async def weave(self, warp: Warp, weft: Weft) -> StopEvent:
        mark(warp.name, f"weft {weft.n}")
        await pass_gate(f"{warp.name} join")
        return StopEvent(result=weft.n)


class Counts(Workflow):
    """A finished step has counted to ten; another has read that, counted on, and is in its middle."""

    @step
    async def begin(self, ctx: Context, ev: Named) -> Piece:
        await ctx.set("count", 10)
        return Piece(name=ev.name, n=1)

    @step
    async def count(self, ctx: Context, ev: Piece) -> StopEvent:
        await ctx.set("count", await ctx.get("count") + 1)
        await ctx.set(f"attempt {ctx.attempt}", "was here")
        await pass_gate(ev.name)
        return StopEvent(result=[await ctx.get("count"), await ctx.get("attempt 1", default="taken back")])


class Repeats(Workflow):
    """Sends, shows, pays and keeps its key, all before the middle in which it is killed."""

    @step
    async def send(self, ctx: Context, ev: Named) -> Piece:
        mark(f"{ev.name} keys", ctx.idempotency_key)
        ctx.write_event_to_stream(Event(says=f"attempt {ctx.attempt}"))
        for n in range(3):
            ctx.send_event(Piece(name=ev.name, n=n))
        receipt = await ctx.run_once("pay", self._pay, ev.name)
        await pass_gate(f"{ev.name} gate")
        ctx.send_event(Piece(name=ev.name, n=3))
        return Piece(name=receipt, n=4)

    def _pay(self, name: str) -> str:
        receipt = f"{name} {secrets.token_hex(4)}"
        mark(f"{name} paid", receipt)
        return receipt

    @step(num_workers=1)
    async def take(self, ctx: Context, ev: Piece) -> StopEvent | None:
        taken = [*await ctx.get("taken", default=[]), [ev.name, ev.n]]
        await ctx.set("taken", taken)
        return StopEvent(result=taken) if ev.n == 4 else None


class Loom:
    """What cannot be written down, and knows in which process it was made."""

    def __init__(self) -> None:
        self.made_in = os.getpid()
        mark("looms", self.made_in)


class Equipped(Workflow):
    """Works with a loom."""

    @step
    async def weave(self, ev: Named, loom: Annotated[Loom, Resource(Loom)]) -> StopEvent:
        await pass_gate(ev.name)
        return StopEvent(result=loom.made_in == os.getpid())


class Continues(Workflow):
    """Counts its runs in the context that one hands to the next."""

    @step
    async def count(self, ctx: Context, ev: Named) -> StopEvent:
        runs = [*await ctx.get("runs", default=[]), ev.name]
        await ctx.set("runs", runs)
        await pass_gate(ev.name)
        return StopEvent(result=runs)
