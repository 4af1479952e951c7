"""Workflows that stop at their first attempt, for a person to open again."""

from __future__ import annotations

import os
import signal

from treadle import Context, Event, StartEvent, StopEvent, Workflow, step


class MeasuredEvent(Event):
    """The cloth was measured."""

    ells: int


class ShearsSlip(Workflow):
    """Fails at its first attempt to cut."""

    @step
    async def measure(self, ctx: Context, ev: StartEvent) -> MeasuredEvent:
        """Measure."""
        return MeasuredEvent(ells=3)

    @step
    async def cut(self, ctx: Context, ev: MeasuredEvent) -> StopEvent:
        """Cut, unless the shears slip."""
        ctx.write_event_to_stream(MeasuredEvent(ells=ctx.attempt))
        if ctx.attempt == 1:
            raise ValueError("the shears slipped")
        return StopEvent(result=f"cut at attempt {ctx.attempt}")


class PaidEvent(Event):
    """A payment went out."""

    receipt: int
    note: str = ""


class LostReceipt(Workflow):
    """Its worker ends in the middle of a payment, the first time."""

    @step
    async def order(self, ev: StartEvent) -> MeasuredEvent:
        """Order."""
        return MeasuredEvent(ells=5)

    @step(at_most_once=True)
    async def pay(self, ctx: Context, ev: MeasuredEvent) -> PaidEvent:
        """Pay, at most once."""
        if ctx.attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return PaidEvent(receipt=ctx.attempt)

    @step
    async def thank(self, ev: PaidEvent) -> StopEvent:
        """Thank."""
        return StopEvent(result=f"receipt {ev.receipt}")


class MothHole(Workflow):
    """Takes its worker with it, three times."""

    @step
    async def mend(self, ctx: Context, ev: StartEvent) -> StopEvent:
        """Mend the hole."""
        if ctx.attempt <= 3:
            os._exit(9)
        return StopEvent(result="mended")
