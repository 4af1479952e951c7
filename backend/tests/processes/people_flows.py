"""Workflows that people have something to do with: they ask, they are held, they are cancelled."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from processes.marks import come_in, mark, pass_gate
from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step

come_in()


class Named(StartEvent):
    name: str


class Piece(Event):
    name: str
    n: int


class Asks(Workflow):
    """Asks a person by an event."""

    @step
    async def ask(self, ev: Named) -> InputRequiredEvent:
        mark(ev.name, "asks")
        return InputRequiredEvent(prefix=f"Which colour, {ev.name}?")

    @step
    async def hear(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=ev.response)


class Waits(Workflow):
    """Asks a person in the middle of a step."""

    @step
    async def ask(self, ctx: Context, ev: Named) -> StopEvent:
        mark(ev.name, "asks")
        question = InputRequiredEvent(prefix=f"Which colour, {ev.name}?")
        answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=question)
        return StopEvent(result=answer.response)


class Turns(Workflow):
    """Four pieces that are taken one by one, with leave."""

    @step
    async def deal(self, ctx: Context, ev: Named) -> Piece | None:
        for n in range(4):
            ctx.send_event(Piece(name=ev.name, n=n))

    @step
    async def turn(self, ctx: Context, ev: Piece) -> StopEvent | None:
        mark(ev.name, ev.n)
        if ev.n == 1:
            await pass_gate(ev.name)
        pieces = ctx.collect_events(ev, [Piece] * 4)
        return StopEvent(result=[piece.n for piece in pieces]) if pieces else None


class Works(Workflow):
    """Is in the middle of its only step."""

    @step
    async def work(self, ev: Named) -> StopEvent:
        mark(ev.name, "works")
        await pass_gate(ev.name)
        return StopEvent(result="done")
