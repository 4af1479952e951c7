"""llama-agents-server's durable parts in one process: runs in waves, each timed, as JSON on stdout.

It does what its route `POST /workflows/{name}/run` does, without HTTP, on its own SQLite store.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from engine import load
from llama_agents.server import SqliteWorkflowStore, WorkflowServer
from storage import weight


async def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Seconds from a wave's first request to its last result, and the bytes that all of them left."""
    workflow = load(job["text"], job["workflow"])(timeout=None)
    file = Path(job["folder"]) / "server.db"
    server = WorkflowServer(workflow_store=SqliteWorkflowStore(str(file)))
    server.add_workflow("measured", workflow)
    before = weight(file)

    async def run(name: str) -> None:
        event = workflow.start_event_class(**job["fields"])
        handler = await server._service.start_workflow(workflow, name, start_event=event)
        ended = await server._service.await_workflow(handler)
        if ended.status != "completed" or str(job["result"]) not in str(ended.result):
            raise SystemExit(f"run {name} is {ended.status} with {ended.result}")

    whole = []
    async with server.contextmanager():
        for wave in range(job["warm"] + job["waves"]):
            started = time.perf_counter()
            await asyncio.gather(*(run(f"{wave}-{number}") for number in range(job["at_once"])))
            whole.append(time.perf_counter() - started)
    marks = getattr(sys.modules["measured"], "MARKS", [])
    return {"whole": whole[job["warm"] :], "marks": marks, "bytes": weight(file) - before}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(asyncio.run(measure(json.load(sys.stdin)))))
