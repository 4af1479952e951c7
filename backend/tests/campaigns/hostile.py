"""Workflows that mistreat their worker, each in its own way, and one that only wants to be left alone."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from campaigns.flows import Tagged, body
from treadle import Context, Event, StartEvent, StopEvent, Workflow, step

PRINTED_MIB = 100


class Tick(Event):
    n: int


class Bystander(Workflow):
    """Takes thirty short naps: under way whenever something happens to its worker."""

    @step
    async def begin(self, ev: Tagged) -> Tick:
        with body(ev.tag, "begin"):
            return Tick(n=30)

    @step
    async def nap(self, ev: Tick) -> Tick | StopEvent:
        await asyncio.sleep(0.02)
        return Tick(n=ev.n - 1) if ev.n else StopEvent(result="rested")


class Blocks(Workflow):
    @step
    async def hog(self, ev: StartEvent) -> StopEvent:
        time.sleep(2.0)  # noqa: ASYNC251 - the carelessness under test
        return StopEvent(result="slept")


class Spins(Workflow):
    """Blocks the loop and the interpreter's lock as far as a loop in Python can."""

    @step
    async def hog(self, ev: StartEvent) -> StopEvent:
        until = time.monotonic() + 2.0
        while time.monotonic() < until:
            sum(range(1000))
        return StopEvent(result="dizzy")


class Exits(Workflow):
    @step
    async def leave(self, ev: StartEvent) -> StopEvent:
        sys.exit(3)


class Interrupts(Workflow):
    @step
    async def interrupt(self, ev: StartEvent) -> StopEvent:
        raise KeyboardInterrupt


class Cancels(Workflow):
    @step
    async def cancel(self, ev: StartEvent) -> StopEvent:
        raise asyncio.CancelledError


class Recurses(Workflow):
    @step
    async def recurse(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=_deeper(0))


def _deeper(n: int) -> int:
    return _deeper(n + 1)


class Vanishes(Workflow):
    @step
    async def vanish(self, ev: StartEvent) -> StopEvent:
        os._exit(0)


class Segfaults(Workflow):
    @step
    async def fault(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=ctypes.string_at(0))


class Aborts(Workflow):
    @step
    def abort(self, ev: StartEvent) -> StopEvent:
        os.abort()


class Leaks(Workflow):
    """Leaves tasks and threads behind that never end, one of them not even as a daemon."""

    @step
    async def leak(self, ev: StartEvent) -> StopEvent:
        for _ in range(50):
            asyncio.get_running_loop().create_task(asyncio.sleep(3600))
        for daemon in (True, True, False):
            threading.Thread(target=threading.Event().wait, daemon=daemon).start()
        return StopEvent(result="leaked")


class Shouts(Workflow):
    """Writes 100 MiB to standard output."""

    @step
    def shout(self, ev: StartEvent) -> StopEvent:
        line = "x" * (2**20 - 1)
        for _ in range(PRINTED_MIB):
            print(line)  # noqa: T201 - what it is here for
        return StopEvent(result="hoarse")


class Many(StartEvent):
    count: int


class Grain(Event):
    n: int


class Floods(Workflow):
    """Streams `count` events from one step and sends one in a hundred of them."""

    @step
    async def flood(self, ctx: Context, ev: Many) -> StopEvent | Grain:
        for n in range(ev.count):
            if n % 100:
                ctx.write_event_to_stream(Grain(n=n))
            else:
                ctx.send_event(Grain(n=n))
        return Grain(n=-1)

    @step(num_workers=1)
    async def sink(self, ev: Grain) -> StopEvent | None:
        return StopEvent(result="flooded") if ev.n < 0 else None


class Hoards(Workflow):
    """Takes memory until there is none; the worker has a limit."""

    @step
    async def hoard(self, ev: StartEvent) -> StopEvent:
        taken = []
        while True:
            taken.append(bytearray(64 * 2**20))


class Closes(Workflow):
    """Closes every file descriptor but the first three, the database's among them."""

    @step
    async def close(self, ev: StartEvent) -> StopEvent:
        os.closerange(3, 1024)
        return StopEvent(result="closed")


class Wanders(Workflow):
    """Changes into a folder that is gone the next moment."""

    @step
    async def wander(self, ev: StartEvent) -> StopEvent:
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        Path(folder).rmdir()  # noqa: ASYNC240 - one call
        return StopEvent(result="nowhere")


class Forks(Workflow):
    """Forks, and both of it come back."""

    @step
    async def fork(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result="child" if os.fork() == 0 else "parent")


class ForksInThread(Workflow):
    @step
    def fork(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result="child" if os.fork() == 0 else "parent")


class Clings(Workflow):
    """Does not hear that it is cancelled."""

    @step
    async def cling(self, ev: StartEvent) -> StopEvent:
        for _ in range(100):
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue
        return StopEvent(result="clung")
