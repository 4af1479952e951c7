"""Workflows that live by the clock: delays, timeouts of waits and of whole runs. Their side log is that of flows.py."""

from __future__ import annotations

import asyncio
import time

from campaigns.flows import Question, Reply, Tagged, body, note
from treadle import ConstantDelayRetryPolicy, Context, Event, StopEvent, Workflow, step

DELAY = 0.5
FAILURES = 3


class Never(Event):
    pass


class KillDelay(Workflow):
    """Fails three times, half a second apart; says how long it was really kept waiting."""

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=FAILURES, delay=DELAY))
    async def begin(self, ctx: Context, ev: Tagged) -> StopEvent:
        with body(ev.tag, "begin"):
            note(ev.tag, "moment", 0, str(time.monotonic()))
            if ctx.attempt <= FAILURES:
                raise RuntimeError("not yet")
            return StopEvent(result="at last")


class KillPatience(Workflow):
    """Waits `size` times for nobody, half a second each."""

    @step
    async def begin(self, ctx: Context, ev: Tagged) -> StopEvent:
        with body(ev.tag, "begin"):
            gave_up = 0
            for _ in range(ev.size):
                try:
                    await ctx.wait_for_event(Never, timeout=DELAY)
                except TimeoutError:
                    gave_up += 1
            return StopEvent(result=gave_up)


class KillLimit(Workflow):
    """Is busy for about a second of the five it may be, and waits for a person, which does not count."""

    @step
    async def begin(self, ctx: Context, ev: Tagged) -> StopEvent:
        with body(ev.tag, "begin"):
            await asyncio.sleep(0.5)
            question = Question(prefix="Now?", tag=ev.tag, n=0)
            reply = await ctx.wait_for_event(Reply, waiter_event=question, requirements={"n": 0})
            await asyncio.sleep(0.5)
            return StopEvent(result=reply.response)


class KillEndless(Workflow):
    """Never ends by itself: its timeout must end it, after a second and a half of work."""

    @step
    async def begin(self, ev: Tagged) -> StopEvent:
        with body(ev.tag, "begin"):
            await asyncio.sleep(3600)
            return StopEvent()


limited = KillLimit(timeout=5.0)
endless = KillEndless(timeout=1.5)
