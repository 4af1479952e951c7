"""Workflows that change values of their context in place and do not set them."""

from __future__ import annotations

from dataclasses import dataclass, field

from saving_gate import gate

from treadle import ConstantDelayRetryPolicy, Context, Event, StartEvent, StopEvent, Workflow, step


class Turn(Event):
    n: int


@dataclass
class Book:
    title: str = "log"
    lines: list[str] = field(default_factory=list)


class Appends(Workflow):
    """Appends a line to its book at every turn, in place; at turn `halt` it goes on only if the file `go` is there."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Turn:
        await ctx.set("start", ev)
        await ctx.set("book", Book())
        return Turn(n=0)

    @step
    async def turn(self, ctx: Context, ev: Turn) -> Turn | StopEvent:
        start, book = await ctx.get("start"), await ctx.get("book")
        book.lines.append(f"{ev.n} " + "word " * start.words)
        if ev.n == start.halt:
            await gate(start.go)
        return Turn(n=ev.n + 1) if ev.n + 1 < start.turns else StopEvent(result=len(book.lines))


class Stumbles(Workflow):
    """Changes lists in every way and fails the first time: the second attempt finds them as they were."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Turn:
        await ctx.set("plain", ["a"])
        await ctx.set("again", ["a"])
        await ctx.set("other", ["a"])
        await ctx.set("deep", {"tags": ["a"]})
        return Turn(n=0)

    @step(retry_policy=ConstantDelayRetryPolicy(delay=0, maximum_attempts=3))
    async def turn(self, ctx: Context, ev: Turn) -> StopEvent:
        plain, again, other = await ctx.get("plain"), await ctx.get("again"), await ctx.get("other")
        tags = await ctx.store.get("deep.tags")
        for changed in (plain, again, other, tags):
            changed.append("b")
        await ctx.set("again", again)
        await ctx.set("other", [*other, "c"])
        if ctx.attempt < 3:
            raise OSError("not yet")
        return StopEvent(result=[plain, again, await ctx.get("other"), tags])


class Sends(Workflow):
    """Sends twice, and changes its list before and between: each taker sees what had been done by then."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Turn | None:
        await ctx.set("list", [])
        held = await ctx.get("list")
        held.append("first")
        ctx.send_event(Turn(n=1))
        held.append("second")
        ctx.send_event(Turn(n=2))
        held.append("third")

    @step
    async def turn(self, ctx: Context, ev: Turn) -> StopEvent | None:
        found = ctx.collect_events(ev, [Turn, Turn])
        return StopEvent(result=list(await ctx.get("list"))) if found else None
