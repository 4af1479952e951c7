"""DBOS as a process of its own: recovers what it finds, starts so many runs, and goes on until it is killed."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from dbos import DBOS
from engine import load

folder = Path(sys.argv[1])
work: Any = load(json.loads((folder / "job.json").read_text())["text"], "work")
steps = len(json.loads((folder / "pauses").read_text()))


@DBOS.step()
async def do(run: int, number: int) -> int:
    """One step of the chain."""
    await work(run, number)
    return number


@DBOS.workflow()
async def working(run: int) -> int:
    """The chain."""
    for number in range(1, steps + 1):
        await do(run, number)
    return run


async def main(runs: int) -> None:
    """Start the runs and stay."""
    for run in range(runs):
        await DBOS.start_workflow_async(working, run)
    await asyncio.Event().wait()


if __name__ == "__main__":
    file = folder / "dbos.db"
    DBOS(config={"name": "measured", "system_database_url": f"sqlite:///{file}", "log_level": "CRITICAL"})
    DBOS.launch()
    asyncio.run(main(int(sys.argv[2])))
