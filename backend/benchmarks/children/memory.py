"""Run by an interpreter that has one library: what its runs keep in memory, bytes per unit, as JSON on stdout.

Measured from outside as the resident set of this fresh process, which is the same question to every library whatever
it allocates with; `traced` asks Python's allocator instead, which is exact but sees Python objects only.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

SETTLED = 0.2
STUCK = 300.0


async def sleeping(
    start: Callable[[], Awaitable[Any]], *, asleep: Callable[[], int], gate: asyncio.Event, size: int
) -> tuple[float, list[Any]]:
    """Bytes per run of `size` runs asleep at once, and all results once the gate is open.

    A fifth as many are asleep before: they use up what the imports have freed.
    """
    runs = [start() for _ in range(max(1, size // 5))]
    await _fell_asleep(asleep, len(runs))
    before = weight()
    runs += [start() for _ in range(size)]
    await _fell_asleep(asleep, len(runs))
    after = weight()
    gate.set()
    return (after - before) / size, [await run for run in runs]


async def retained(start: Callable[[int], Awaitable[Any]], *, size: int) -> tuple[float, list[Any]]:
    """Bytes per event that an ended loop of `size` events leaves behind while its run is held, and the results."""
    runs = [start(max(1, size // 20))]
    results = [await runs[0]]
    await asyncio.sleep(SETTLED)
    before = weight()
    runs.append(start(size))
    results.append(await runs[1])
    await asyncio.sleep(SETTLED)
    return (weight() - before) / size, results


def weight() -> int:
    """Bytes in use after a collection: traced ones when tracing, resident ones otherwise."""
    for _ in range(3):
        gc.collect()
    if tracemalloc.is_tracing():
        return tracemalloc.get_traced_memory()[0]
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(os.getpid())])) * 1024


async def measure(job: dict[str, Any]) -> tuple[float, list[Any]]:
    """What the job asks for, with the library whose imports its text has; without a text, with bare tasks."""
    if job["text"] is None:
        return await _bare(job["size"])
    from engine import load

    workflow = load(job["text"], job["workflow"])(timeout=3600)
    if job["workflow"] == "Loop":
        return await retained(lambda size: workflow.run(size=size), size=job["size"])
    module = sys.modules["measured"]
    return await sleeping(workflow.run, asleep=lambda: module.asleep, gate=module.GATE, size=job["size"])


def answer(measured: Callable[[dict[str, Any]], Coroutine[Any, Any, tuple[float, list[Any]]]]) -> None:
    """Read the job, measure, check the results, print the bytes per unit."""
    job = json.load(sys.stdin)
    if job["traced"]:
        tracemalloc.start()
    value, results = asyncio.run(measured(job))
    if wrong := [result for result in results if result != 1]:
        raise SystemExit(f"{job['workflow']} gave {wrong[0]!r}, not 1")
    print(json.dumps(value))


async def _bare(size: int) -> tuple[float, list[Any]]:
    gate = asyncio.Event()
    started: list[None] = []

    async def sleep() -> int:
        started.append(None)
        await gate.wait()
        return 1

    return await sleeping(lambda: asyncio.create_task(sleep()), asleep=lambda: len(started), gate=gate, size=size)


async def _fell_asleep(asleep: Callable[[], int], count: int) -> None:
    deadline = time.monotonic() + STUCK
    while asleep() < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"{asleep()} of {count} runs are asleep after {STUCK:.0f} s")
        await asyncio.sleep(0.01)
    await asyncio.sleep(SETTLED)


if __name__ == "__main__":
    answer(measure)
