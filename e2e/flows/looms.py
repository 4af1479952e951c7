"""Work that is done very often: a loop of a thousand iterations, and a thread for each of five hundred colours."""

from __future__ import annotations

from treadle import Context, Event, StartEvent, StopEvent, Workflow, step


class ThrowEvent(Event):
    """One throw of the shuttle."""

    left: int


class WovenEvent(Event):
    """The cloth, done."""


class DyeEvent(Event):
    """One thread to be dyed."""

    thread: int


class DyedEvent(Event):
    """One thread, dyed."""


class BusyLoom(Workflow):
    """Throws the shuttle `throws` times, then dyes `threads` threads at once."""

    @step
    async def warp(self, ctx: Context, ev: StartEvent) -> ThrowEvent:
        """Set up."""
        await ctx.set("threads", ev.get("threads", 500))
        return ThrowEvent(left=ev.get("throws", 1000))

    @step
    async def throw(self, ev: ThrowEvent) -> ThrowEvent | WovenEvent:
        """Throw once more, or stop."""
        return ThrowEvent(left=ev.left - 1) if ev.left > 1 else WovenEvent()

    @step
    async def unravel(self, ctx: Context, ev: WovenEvent) -> DyeEvent | None:
        """Hand out every thread."""
        for thread in range(await ctx.get("threads")):
            ctx.send_event(DyeEvent(thread=thread))
        return None

    @step(num_workers=8)
    async def dye(self, ev: DyeEvent) -> DyedEvent:
        """Dye one thread."""
        return DyedEvent()

    @step
    async def gather(self, ctx: Context, ev: DyedEvent) -> StopEvent | None:
        """Wait for all of them."""
        found = ctx.collect_events(ev, [DyedEvent] * await ctx.get("threads"))
        return StopEvent(result=len(found)) if found else None


def warp_of(length: int) -> type[Workflow]:
    """A workflow with a chain of `length` steps, each with its own event."""
    events = [type(f"Thread{n}Event", (Event,), {"__module__": __name__}) for n in range(length)]
    sources = [StartEvent, *events]
    goals = [*events, StopEvent]

    def link(n: int) -> object:
        async def pull(self: Workflow, ev: Event) -> Event:
            return goals[n]()

        pull.__name__, pull.__qualname__ = f"pull_{n}", f"BigWarp.pull_{n}"
        pull.__annotations__ = {"ev": sources[n], "return": goals[n]}
        return step(pull)

    members = {f"pull_{n}": link(n) for n in range(length + 1)}
    return type("BigWarp", (Workflow,), {**members, "__module__": __name__, "__doc__": "Many threads in a row."})


BigWarp = warp_of(48)
