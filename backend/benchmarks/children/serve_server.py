"""llama-agents-server over HTTP on its SQLite store, until it is ended: the peer of `treadle serve`."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import types
from pathlib import Path

from llama_agents.server import SqliteWorkflowStore, WorkflowServer


async def serve(folder: Path, port: int) -> None:
    """Serve the class named in `job.json`."""
    job = json.loads((folder / "job.json").read_text())
    module = types.ModuleType("measured")
    sys.modules["measured"] = module
    exec(compile(job["text"], "measured.py", "exec", dont_inherit=True), module.__dict__)
    server = WorkflowServer(workflow_store=SqliteWorkflowStore(str(folder / "server.db")))
    server.add_workflow(job["workflow"], getattr(module, job["workflow"])(timeout=None))
    await server.serve("127.0.0.1", port, {"log_level": "warning"})


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
