"""Workflows whose journals grow long, or whose context grows large."""

from __future__ import annotations

from saving_gate import gate

from treadle import Context, Event, StartEvent, StopEvent, Workflow, step


class Turn(Event):
    n: int


class Grows(Workflow):
    """Adds to its log at every turn; at turn `halt` it goes on only if the file `go` is there."""

    @step
    async def turn(self, ctx: Context, ev: StartEvent | Turn) -> Turn | StopEvent:
        n = ev.n if isinstance(ev, Turn) else 0
        start = ev if isinstance(ev, StartEvent) else await ctx.get("start")
        if n == 0:
            await ctx.set("start", start)
        log = await ctx.get("log", default=[])
        await ctx.set("log", [*log, f"{n} " + "word " * start.words])
        if n == start.halt:
            await gate(start.go)
        return Turn(n=n + 1) if n + 1 < start.turns else StopEvent(result=[len(log) + 1, sum(map(len, log))])


class Fans(Workflow):
    """Many events, some on their way and some collected, for a state with something in every place."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Turn | None:
        await ctx.set("start", ev)
        for n in range(ev.width):
            ctx.send_event(Turn(n=n))

    @step(num_workers=2)
    async def gather(self, ctx: Context, ev: Turn) -> StopEvent | None:
        start = await ctx.get("start")
        if ev.n == start.halt:
            await gate(start.go)
        found = ctx.collect_events(ev, [Turn] * start.width)
        return StopEvent(result=sorted(turn.n for turn in found)) if found else None
