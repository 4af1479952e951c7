"""Run by an interpreter that has one library: times its runs in memory, seconds per unit of work, as JSON on stdout.

Needs nothing but the standard library and the one that is measured.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import types
from collections.abc import Awaitable, Callable
from typing import Any


def load(text: str, name: str) -> Any:
    """The class `name` of a module made from `text`."""
    module = types.ModuleType("measured")
    sys.modules["measured"] = module
    exec(compile(text, "measured.py", "exec", dont_inherit=True), module.__dict__)
    return getattr(module, name)


def runs(job: dict[str, Any]) -> Callable[[int], Awaitable[float]]:
    """A function that runs the job's workflow so many times, one after the other, and says how many seconds it took.

    Where `reads` is not 0, one reader reads the stream of every run to its end: so many events, and maybe the last one.
    """
    workflow = load(job["text"], job["workflow"])(timeout=3600)
    fields, reads = job["fields"], job["reads"]

    async def run(count: int) -> float:
        started = time.perf_counter()
        for _ in range(count):
            handler = workflow.run(**fields)
            if reads:
                seen = 0
                async for _event in handler.stream_events():
                    seen += 1
                if seen not in {reads, reads + 1}:
                    raise SystemExit(f"{job['workflow']} streamed {seen} events, not {reads}")
            result = await handler
            if result != job["result"]:
                raise SystemExit(f"{job['workflow']} gave {result!r}, not {job['result']!r}")
        return time.perf_counter() - started

    return run


async def measure(job: dict[str, Any]) -> list[float]:
    """Seconds per unit in each repetition; a repetition is as many runs as fill `seconds`."""
    run, units = runs(job), job["units"]
    one = await run(1)
    if one < 1.0:
        one = min(await run(1), await run(1))
    count = max(1, min(5000, int(job["seconds"] / one)))
    found = []
    for _ in range(job["repetitions"]):
        gc.collect()
        found.append(await run(count) / count / units)
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(json.load(sys.stdin)))))
