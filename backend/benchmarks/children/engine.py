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
from typing import Any


def load(text: str, name: str) -> Any:
    """The class `name` of a module made from `text`."""
    module = types.ModuleType("measured")
    sys.modules["measured"] = module
    exec(compile(text, "measured.py", "exec", dont_inherit=True), module.__dict__)
    return getattr(module, name)


async def measure(job: dict[str, Any]) -> list[float]:
    """Seconds per unit in each repetition; a repetition is as many runs as fill `seconds`."""
    workflow = load(job["text"], job["workflow"])(timeout=3600)
    fields, units = job["fields"], job["units"]

    async def run(count: int) -> float:
        started = time.perf_counter()
        for _ in range(count):
            result = await workflow.run(**fields)
            if result != job["result"]:
                raise SystemExit(f"{job['workflow']} gave {result!r}, not {job['result']!r}")
        return time.perf_counter() - started

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
