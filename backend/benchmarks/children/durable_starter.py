"""The web process's part in `durable_treadle.py`: accepts as many runs as a line on stdin says, and prints their ids.

It gets what it needs to know as JSON in its first argument.
"""

from __future__ import annotations

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
    requests = Requests(database, nudge=lambda run_id: workers.send([run_id]))
    for line in sys.stdin:
        ids = [requests.start(job["workflow"], job["fields"]).run_id for _ in range(int(line))]
        print(json.dumps(ids), flush=True)
    database.close()
    workers.close()


if __name__ == "__main__":
    accept(json.loads(sys.argv[1]))
