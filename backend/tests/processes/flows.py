"""Workflows that behave and workflows that do not, for real workers to run."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import time

from treadle import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step


class Blocks(Workflow):
    """Blocks its worker's loop, as a careless step does."""

    @step
    async def hog(self, ev: StartEvent) -> StopEvent:
        time.sleep(ev.seconds)  # noqa: ASYNC251 - the carelessness under test
        return StopEvent(result="slept")


class Exits(Workflow):
    @step
    async def leave(self, ev: StartEvent) -> StopEvent:
        sys.exit(3)


class Raises(Workflow):
    @step
    async def trip(self, ev: StartEvent) -> StopEvent:
        raise LookupError("no such thread")


class Vanishes(Workflow):
    """Takes its process with it, without a word."""

    @step
    async def vanish(self, ev: StartEvent) -> StopEvent:
        os._exit(ev.code)


class Segfaults(Workflow):
    @step
    async def fault(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=ctypes.string_at(0))


class Tick(Event):
    n: int


class Naps(Workflow):
    """Short naps in a row: a run that is under way whenever something happens to its worker."""

    @step
    async def begin(self, ev: StartEvent) -> Tick:
        return Tick(n=ev.naps)

    @step
    async def nap(self, ev: Tick) -> Tick | StopEvent:
        await asyncio.sleep(0.02)
        return Tick(n=ev.n - 1) if ev.n > 1 else StopEvent(result="rested")


class Asks(Workflow):
    """Asks a person for a number."""

    @step
    async def ask(self, ev: StartEvent) -> InputRequiredEvent:
        return InputRequiredEvent(prefix="Which number?")

    @step
    async def hear(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=int(ev.response) + 1)
