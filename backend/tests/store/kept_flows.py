"""Workflows whose runs leave something of every kind in a database."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pydantic import BaseModel

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    Workflow,
    catch_error,
    step,
)


class Colour(enum.Enum):
    RED = 1


@dataclass
class Point:
    x: int
    y: int


class Box(BaseModel):
    at: Point
    colour: Colour


class Link(Event):
    n: int


class Boxed(StopEvent):
    """A result that is an event of its own class, with values of classes in it."""

    box: Box


class Chain(Workflow):
    """Counts in the event and in the context, and keeps values that only their classes can make."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Link:
        await ctx.set("box", Box(at=Point(1, 2), colour=Colour.RED))
        await ctx.set("pairs", {(1, 2): b"three"})
        return Link(n=ev.get("links", 3))

    @step
    async def go_on(self, ctx: Context, ev: Link) -> Link | Boxed:
        await ctx.set("count", await ctx.get("count", default=0) + 1)
        ctx.write_event_to_stream(Event(note=ev.n))
        return Link(n=ev.n - 1) if ev.n > 1 else Boxed(box=await ctx.get("box"))


class Part(Event):
    n: int


class Rest(Event):
    n: int


class Fan(Workflow):
    """One step takes events of two classes, one by one."""

    @step
    async def split(self, ctx: Context, ev: StartEvent) -> Part | Rest | None:
        for n in range(3):
            ctx.send_event(Part(n=n))
        return Rest(n=3)

    @step(num_workers=2)
    async def gather(self, ctx: Context, ev: Part | Rest) -> StopEvent | None:
        found = ctx.collect_events(ev, [Part, Part, Part, Rest])
        return StopEvent(result=sorted(event.n for event in found)) if found else None


class Left(Event):
    n: int


class Right(Event):
    n: int


class Joined(Workflow):
    """One step takes events of two classes together."""

    @step
    async def split(self, ctx: Context, ev: StartEvent) -> Left | Right:
        ctx.send_event(Left(n=1))
        return Right(n=2)

    @step
    async def join(self, left: Left, right: Right) -> StopEvent:
        return StopEvent(result=left.n + right.n)


class Caught(Workflow):
    """Fails twice, is tried again once, and caught."""

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=2, delay=0.01))
    async def trip(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await ctx.set("tripped", True)
        raise LookupError("no such thread")

    @catch_error
    async def mend(self, ev: StepFailedEvent) -> StopEvent:
        return StopEvent(result=f"{ev.step} after {ev.attempts}")


class Fails(Workflow):
    @step
    async def trip(self, ev: StartEvent) -> StopEvent:
        raise LookupError("no such thread")


class Asks(Workflow):
    """Asks a person by returning the question."""

    @step
    async def ask(self, ev: StartEvent) -> InputRequiredEvent:
        return InputRequiredEvent(prefix="Which number?")

    @step
    async def hear(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=int(ev.response) + 1)


class Wanted(InputRequiredEvent):
    """No signature names it."""

    what: str


class Waits(Workflow):
    """Asks a person from the middle of a step."""

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await ctx.set("asked", "once")
        answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=Wanted(prefix="What?", what="that"))
        return StopEvent(result=answer.response)


class Outside(Workflow):
    """Has a question asked inside, and another answered."""

    @step
    async def delegate(self, ev: StartEvent) -> StopEvent:
        boxed = await Chain().run(links=2)
        return StopEvent(result=[boxed.box.at.x, await Asks().run()])


class Page(Event):
    text: str


class Large(Workflow):
    """Sends and keeps more than an entry holds."""

    @step
    async def write(self, ctx: Context, ev: StartEvent) -> Page:
        await ctx.set("page", "p" * 1_500_000)
        return Page(text="q" * 1_500_000)

    @step
    async def read(self, ev: Page) -> StopEvent:
        return StopEvent(result=ev.text)


class Handle:
    """Has no form on disk."""


class Unkept(Workflow):
    @step
    async def keep(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await ctx.set("handle", Handle())
        return StopEvent(result="kept in memory")
