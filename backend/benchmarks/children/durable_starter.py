"""The web process's part in `durable_treadle.py`: accepts as many runs as a line on stdin says, and prints their ids.

It gets what it needs to know as JSON in its first argument.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from treadle.runner.nudges import Nudger
from treadle.runner.requests import Requests
from treadle.store.database import Database

THREADS = 40
"""As many requests as the web process serves at a time."""


def accept(job: dict[str, Any]) -> None:
    """Work until stdin is closed."""
    workers = Nudger(Path(job["sockets"]), "worker-*.sock")
    database = Database(f"sqlite:///{job['file']}", full=job["full"])
    requests = Requests(
        database, nudge=lambda topic, worker: workers.send([topic], to=worker), listeners=workers.listeners
    )

    def start(_: int) -> str:
        return requests.start(job["workflow"], job["fields"]).run_id

    with ThreadPoolExecutor(THREADS) as threads:
        for line in sys.stdin:
            print(json.dumps(list(threads.map(start, range(int(line))))), flush=True)
    database.close()
    workers.close()


if __name__ == "__main__":
    accept(json.loads(sys.argv[1]))
