"""Workflows that live by the clock, and are killed while they wait for it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from processes.marks import come_in, mark, pass_gate
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

come_in()

HOUR = 3600.0


class Named(StartEvent):
    name: str


class Work(Event):
    name: str


class Never(Event):
    """Nobody sends it."""


class Said(Event):
    nth: int


class Retries(Workflow):
    """Fails once, and is to be tried again an hour later."""

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=1, delay=HOUR))
    async def weave(self, ctx: Context, ev: Named) -> StopEvent:
        mark(ev.name, ctx.attempt)
        if ctx.attempt == 1:
            raise OSError("a thread broke")
        return StopEvent(result=ctx.attempt)


class Rests(Workflow):
    """Rests for an hour, by a wait for what never comes: a sleep that outlives its process."""

    @step
    async def rest(self, ctx: Context, ev: Named) -> StopEvent:
        mark(ev.name, ctx.attempt)
        try:
            await ctx.wait_for_event(Never, timeout=HOUR)
        except TimeoutError:
            return StopEvent(result="rested")
        return StopEvent(result="disturbed")


class Hears(Workflow):
    """Waits an hour at most for another step, gets what it waits for, and is killed later in the same step."""

    @step
    async def hear(self, ctx: Context, ev: Named) -> Work | StopEvent:
        mark(ev.name, "asks")
        ctx.send_event(Work(name=ev.name))
        heard = await ctx.wait_for_event(Said, timeout=HOUR)
        await pass_gate(ev.name)
        return StopEvent(result=heard.nth)

    @step
    async def say(self, ctx: Context, ev: Work) -> None:
        ctx.send_event(Said(nth=mark(f"{ev.name} said", "said")))


class Naps(Workflow):
    """Sleeps by asyncio.sleep, which is code of the step and nothing more; it is killed in an hour's sleep."""

    @step
    async def nap(self, ctx: Context, ev: Named) -> StopEvent:
        mark(ev.name, ctx.attempt)
        await asyncio.sleep(HOUR if ctx.attempt == 1 else 0.1)
        return StopEvent(result="awake")


class Labours(Workflow):
    """Does something, then is in the middle of something else; an hour of work is what it may take."""

    @step
    async def begin(self, ev: Named) -> Work:
        return Work(name=ev.name)

    @step
    async def go_on(self, ev: Work) -> StopEvent:
        await pass_gate(ev.name)
        return StopEvent(result="done")


class Strolls(Workflow):
    """Asks a person, then works; an hour of work is what it may take."""

    @step
    async def ask(self, ev: Named) -> InputRequiredEvent:
        return InputRequiredEvent(prefix=ev.name)

    @step
    async def hear(self, ev: HumanResponseEvent) -> StopEvent:
        await pass_gate(ev.response)
        return StopEvent(result="done")


labours = Labours(timeout=HOUR)
strolls = Strolls(timeout=HOUR)
