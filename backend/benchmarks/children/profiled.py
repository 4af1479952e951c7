"""Run by an interpreter that has one library: a job of `engine.py` under cProfile, its dump in the job's `file`."""

from __future__ import annotations

import asyncio
import cProfile
import gc
import json
import sys
from typing import Any

from engine import runs


async def profile(job: dict[str, Any]) -> int:
    """How many runs were profiled: as many as fill `seconds` unprofiled, after one that warms up."""
    run = runs(job)
    await run(1)
    count = max(1, int(job["seconds"] / await run(1)))
    gc.collect()
    profiler = cProfile.Profile()
    profiler.enable()
    await run(count)
    profiler.disable()
    profiler.dump_stats(job["file"])
    return count


if __name__ == "__main__":
    print(json.dumps(asyncio.run(profile(json.load(sys.stdin)))))
