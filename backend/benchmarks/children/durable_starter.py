"""The web process's part in `durable_treadle.py`: accepts as many runs as a line on stdin says, and prints their ids.

It gets what it needs to know as JSON in its first argument.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from treadle.runner.nudges import Nudger
from treadle.runner.requests import Requests
from treadle.store.database import Database


def accept(job: dict[str, Any]) -> None:
    """Work until stdin is closed."""
    workers = Nudger(Path(job["sockets"]), "worker-*.sock")
    database = Database(f"sqlite:///{job['file']}", full=job["full"])
    requests = Requests(
        database, nudge=lambda topic, worker: workers.send([topic], to=worker), listeners=workers.listeners
    )

    async def start(number: int) -> list[str]:
        wave = (requests.start_soon(job["workflow"], job["fields"]) for _ in range(number))
        return [accepted.run_id for accepted in await asyncio.gather(*wave)]

    with asyncio.Runner() as loop:
        for line in sys.stdin:
            print(json.dumps(loop.run(start(int(line)))), flush=True)
    database.close()
    workers.close()


if __name__ == "__main__":
    accept(json.loads(sys.argv[1]))
