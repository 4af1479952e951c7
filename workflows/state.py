"""State: what a run remembers apart from the events.

Events carry data from one step to the next. What many steps need, or what is dear to load, goes into the context:
`await ctx.set(key, value)` puts it there and `await ctx.get(key)` reads it, in any step. `start` finds no yarns the
first time, so it asks `setup` to load them, and `setup` leads back to `start`. When the run is over choose Continue
from its page (in Python: `run(ctx=handler.ctx)`): the next run finds the yarns already there, skips `setup`, and
counts on.
"""

from __future__ import annotations

from pydantic import Field

from treadle import Context, Event, StartEvent, StopEvent, Workflow, step

YARNS = [
    {"name": "wool", "comes from": "sheep", "good for": "blankets"},
    {"name": "linen", "comes from": "flax stems", "good for": "sheets"},
    {"name": "cotton", "comes from": "seed hairs", "good for": "shirts"},
    {"name": "silk", "comes from": "cocoons", "good for": "scarves"},
]


class YarnStartEvent(StartEvent):
    """A yarn to look up."""

    query: str = Field(default="linen", description="The name of a yarn: wool, linen, cotton or silk.")


class SetupEvent(Event):
    """The yarns have to be loaded first."""

    query: str


class StepTwoEvent(Event):
    """The yarns are there; answer the query."""

    query: str


class StatefulFlow(Workflow):
    """Loads its data once, keeps it in the context, and looks things up in it."""

    @step
    async def start(self, ctx: Context, ev: YarnStartEvent) -> SetupEvent | StepTwoEvent:
        """See whether the data is there already."""
        if await ctx.get("yarns", default=None) is None:
            return SetupEvent(query=ev.query)
        return StepTwoEvent(query=ev.query)

    @step
    async def setup(self, ctx: Context, ev: SetupEvent) -> YarnStartEvent:
        """Load the data and go back to the start."""
        await ctx.set("yarns", YARNS)
        await ctx.set("loads", await ctx.get("loads", default=0) + 1)
        return YarnStartEvent(query=ev.query)

    @step
    async def step_two(self, ctx: Context, ev: StepTwoEvent) -> StopEvent:
        """Look the yarn up, and count the questions asked so far."""
        asked = await ctx.get("asked", default=0) + 1
        await ctx.set("asked", asked)
        wanted = ev.query.strip().lower()
        found = next((yarn for yarn in await ctx.get("yarns") if yarn["name"] == wanted), None)
        return StopEvent(result={"yarn": found, "asked": asked, "loads": await ctx.get("loads")})
