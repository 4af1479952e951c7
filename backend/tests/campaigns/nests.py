"""Runs inside runs, for the campaigns: chains in knots in nests.

Like flows.py, whose side log they share: (tag, step, n) names a delivery, and every step writes its start and its end.
A run inside another has the tag of that one, and what it is in it.
"""

from __future__ import annotations

from campaigns.flows import KillChain, Part, Tagged, body
from treadle import Context, Event, StopEvent, Workflow, step


class Tied(Event):
    tag: str
    n: int
    links: int


class KillKnot(Workflow):
    """Has a chain of `size` links made, and one link more, at the same time."""

    @step
    async def tie(self, ev: Tagged, chain: Workflow = KillChain()) -> StopEvent:  # noqa: B008 - a default slot
        with body(ev.tag, "tie"):
            long = chain.run(tag=f"{ev.tag}/a", size=ev.size, nap=ev.nap)
            short = chain.run(tag=f"{ev.tag}/b", size=1, nap=ev.nap)
            (links, counted), _ = await long, await short
            return StopEvent(result=[links, counted])


class KillNest(Workflow):
    """Has `size` knots tied, three at a time, each a run inside this one with runs inside it, and adds their links."""

    @step
    async def nest(self, ctx: Context, ev: Tagged) -> Part | None:
        with body(ev.tag, "nest"):
            await ctx.set("size", ev.size)
            for n in range(ev.size):
                ctx.send_event(Part(tag=ev.tag, n=n, nap=ev.nap))

    @step(num_workers=3)
    async def knot(self, ev: Part, inner: Workflow = KillKnot()) -> Tied:  # noqa: B008 - a default slot
        with body(ev.tag, "knot", ev.n):
            links, counted = await inner.run(tag=f"{ev.tag}/{ev.n}", size=ev.n + 1, nap=ev.nap)
            return Tied(tag=ev.tag, n=ev.n, links=links if links == counted else -1000)

    @step
    async def sum_up(self, ctx: Context, ev: Tied) -> StopEvent | None:
        with body(ev.tag, "sum_up", ev.n):
            tied = ctx.collect_events(ev, [Tied] * await ctx.get("size"))
            return StopEvent(result=sum(knot.links for knot in tied)) if tied else None
