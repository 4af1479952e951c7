"""llama-agents-server's durable parts in one process: seconds per run of a chain, one at a time.

It does what its route `POST /workflows/{name}/run` does, without HTTP, on its own SQLite store.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
import types
from pathlib import Path
from typing import Any

from llama_agents.server import SqliteWorkflowStore, WorkflowServer


async def measure(job: dict[str, Any]) -> dict[str, list[float]]:
    """Seconds from the request to the result, for each run."""
    module = types.ModuleType("measured")
    sys.modules["measured"] = module
    exec(compile(job["text"], "measured.py", "exec", dont_inherit=True), module.__dict__)
    workflow = getattr(module, job["workflow"])(timeout=3600)
    server = WorkflowServer(workflow_store=SqliteWorkflowStore(str(Path(job["folder"]) / "server.db")))
    server.add_workflow("measured", workflow)
    whole = []
    async with server.contextmanager():
        service = server._service
        for number in range(job["runs"]):
            started = time.perf_counter()
            handler = await service.start_workflow(workflow, f"run-{number}", start_event=workflow.start_event_class())
            ended = await service.await_workflow(handler)
            whole.append(time.perf_counter() - started)
            if ended.status != "completed" or str(job["result"]) not in str(ended.result):
                raise SystemExit(f"run {number} is {ended.status} with {ended.result}")
    return {"whole": whole[job["warm"] :]}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(asyncio.run(measure(json.load(sys.stdin)))))
