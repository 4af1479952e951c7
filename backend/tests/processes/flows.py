"""Workflows that behave and workflows that do not, for real workers to run."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import time

from pydantic import field_validator

from treadle import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step


class Blocking(StartEvent):
    seconds: float


class Blocks(Workflow):
    """Blocks its worker's loop, as a careless step does."""

    @step
    async def hog(self, ev: Blocking) -> StopEvent:
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


class Vanishing(StartEvent):
    code: int


class Vanishes(Workflow):
    """Takes its process with it, without a word."""

    @step
    async def vanish(self, ev: Vanishing) -> StopEvent:
        os._exit(ev.code)


class Segfaults(Workflow):
    @step
    async def fault(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=ctypes.string_at(0))


class Tick(Event):
    n: int
    seconds: float


class Napping(StartEvent):
    naps: int
    seconds: float = 0.02


class Naps(Workflow):
    """Short naps in a row: a run that is under way whenever something happens to its worker."""

    @step
    async def begin(self, ev: Napping) -> Tick:
        return Tick(n=ev.naps, seconds=ev.seconds)

    @step
    async def nap(self, ev: Tick) -> Tick | StopEvent:
        await asyncio.sleep(ev.seconds)
        return Tick(n=ev.n - 1, seconds=ev.seconds) if ev.n > 1 else StopEvent(result="rested")


class Asks(Workflow):
    """Asks a person for a number."""

    @step
    async def ask(self, ev: StartEvent) -> InputRequiredEvent:
        return InputRequiredEvent(prefix="Which number?")

    @step
    async def hear(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=int(ev.response) + 1)


class Even(HumanResponseEvent):
    """Takes what its JSON schema cannot tell apart from what it refuses."""

    n: int

    @field_validator("n")
    @classmethod
    def is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


class Picky(Workflow):
    """Takes even numbers only."""

    @step
    async def ask(self, ev: StartEvent) -> InputRequiredEvent:
        return InputRequiredEvent(prefix="Which even number?")

    @step
    async def hear(self, ev: Even) -> StopEvent:
        return StopEvent(result=ev.n)


class Shy:
    def __repr__(self) -> str:
        raise RuntimeError("not telling")


class Secretive(Workflow):
    """Ends with a value that can be neither stored nor shown."""

    @step
    async def hide(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=Shy())
