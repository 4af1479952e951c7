"""Workflows whose steps fork: carelessly, so that a copy of their worker comes back, and as one should."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from processes.marks import mark
from treadle import Context, Event, StartEvent, StopEvent, Workflow, step

FORK = multiprocessing.get_context("fork")


class Forked(Event):
    """`pid` is that of the copy; 0 in the copy."""

    pid: int


class Way(StartEvent):
    way: str = ""


def fork() -> Forked:
    pid = os.fork()
    if pid:
        mark("copies", pid)
    return Forked(pid=pid)


class Forks(Workflow):
    @step
    async def fork(self, ctx: Context, ev: Way) -> Forked:
        forked = fork()
        if forked.pid == 0 and ev.way == "exits":
            sys.exit(0)
        if forked.pid == 0 and ev.way == "sleeps":
            await asyncio.sleep(0)
        if forked.pid == 0 and ev.way == "waits":
            await asyncio.Event().wait()
        if forked.pid == 0 and ev.way == "tells":
            ctx.write_event_to_stream(Forked(pid=0))
        if forked.pid == 0 and ev.way == "raises":
            raise LookupError("no such child")
        return forked

    @step
    async def after(self, ev: Forked) -> StopEvent:
        mark("after", os.getpid())
        return StopEvent(result=ev.pid)


class ForksInThread(Forks):
    @step
    def fork(self, ev: Way) -> Forked:
        return fork()


class Strand(Event):
    n: int


class Done(Event):
    n: int


class ForksAmong(Workflow):
    """Of twenty steps that are ready at the same time the first one forks."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Strand | None:
        for n in range(20):
            ctx.send_event(Strand(n=n))

    @step(num_workers=20)
    async def strand(self, ev: Strand) -> Done:
        mark("strands", os.getpid())
        if ev.n == 0:
            fork()
        return Done(n=ev.n)

    @step
    async def gather(self, ctx: Context, ev: Done) -> StopEvent | None:
        done = ctx.collect_events(ev, [Done] * 20)
        return StopEvent(result=sum(one.n for one in done)) if done else None


def double(n: int) -> int:
    return 2 * n


def tell_double(n: int, end: Connection) -> None:
    end.send(asyncio.run(_double(n)))


async def _double(n: int) -> int:
    await asyncio.sleep(0)
    return 2 * n


def in_process() -> int:
    """21 doubled by a process made with fork, which has an event loop of its own."""
    here, there = FORK.Pipe()
    process = FORK.Process(target=tell_double, args=(21, there))
    process.start()
    doubled: int = here.recv()
    process.join()
    return doubled


def terminated() -> int:
    """How a process ends that is told to, made with fork."""
    process = FORK.Process(target=time.sleep, args=(60,))
    process.start()
    process.terminate()
    process.join()
    return process.exitcode or 0


class Spreads(Workflow):
    """Has its work done by other processes, as one should."""

    @step
    async def spread(self, ev: Way) -> StopEvent:
        if ev.way == "process":
            return StopEvent(result=in_process())
        if ev.way == "terminated":
            return StopEvent(result=terminated())
        if ev.way == "pool":
            with ProcessPoolExecutor(2, mp_context=FORK) as pool:
                doubled = asyncio.get_running_loop().run_in_executor(pool, double, 21)
                return StopEvent(result=await doubled)
        told = subprocess.run(  # noqa: ASYNC221 - a moment
            [sys.executable, "-c", "print(42)"], check=True, capture_output=True, preexec_fn=os.getpid
        )
        return StopEvent(result=int(told.stdout))


class SpreadsInThread(Workflow):
    @step
    def spread(self, ev: Way) -> StopEvent:
        return StopEvent(result=in_process() if ev.way == "process" else terminated())
