"""Run by an interpreter that has DBOS: the same work as its workflows and steps on SQLite, in waves, each timed.

One run alone goes without asyncio, which is quicker for it; many at once need it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from dbos import DBOS
from storage import weight

STEPS = 10

marks: list[float] = []


@DBOS.step()
def link(number: int) -> int:
    """One step of the chain and of the loop."""
    return number


@DBOS.step()
async def awaited_link(number: int) -> int:
    """The same for asyncio."""
    return number


@DBOS.workflow()
def chain() -> int:
    """Ten steps."""
    number = 0
    for _ in range(STEPS):
        number = link(number + 1)
    return number


@DBOS.workflow()
async def awaited_chain() -> int:
    """Ten steps for asyncio."""
    number = 0
    for _ in range(STEPS):
        number = await awaited_link(number + 1)
    return number


@DBOS.workflow()
def counted(size: int) -> int:
    """`size` steps, which keep the time at each quarter."""
    quarter = max(1, size // 4)
    for left in range(size, 0, -1):
        if left % quarter == 0 or left == 1:
            marks.append(time.perf_counter())
        link(left)
    return 1


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Seconds of each wave, and the bytes that all of them left."""
    file = Path(job["folder"]) / "dbos.db"
    DBOS(config={"name": "measured", "system_database_url": f"sqlite:///{file}", "log_level": "CRITICAL"})
    DBOS.launch()
    before = weight(file)
    whole = asyncio.run(_many(job)) if job["at_once"] > 1 else _alone(job)
    DBOS.destroy()
    return {"whole": whole[job["warm"] :], "marks": marks, "bytes": weight(file) - before}


def _alone(job: dict[str, Any]) -> list[float]:
    whole = []
    for _ in range(job["warm"] + job["waves"]):
        started = time.perf_counter()
        _check(job, chain() if job["workflow"] == "Chain" else counted(job["fields"]["size"]))
        whole.append(time.perf_counter() - started)
    return whole


async def _many(job: dict[str, Any]) -> list[float]:
    async def run() -> None:
        handle = await DBOS.start_workflow_async(awaited_chain)
        _check(job, await handle.get_result())

    whole = []
    for _ in range(job["warm"] + job["waves"]):
        started = time.perf_counter()
        await asyncio.gather(*(run() for _ in range(job["at_once"])))
        whole.append(time.perf_counter() - started)
    return whole


def _check(job: dict[str, Any], found: int) -> None:
    if found != job["result"]:
        raise SystemExit(f"DBOS gave {found}, not {job['result']!r}")


if __name__ == "__main__":
    print(json.dumps(measure(json.load(sys.stdin))))
