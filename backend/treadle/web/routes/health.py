"""Whether the studio is well: answered at once, even while the database is busy."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import APIRouter

from treadle.store.failing import room
from treadle.store.workers import live_workers
from treadle.web.dependencies import InStudio, Studio
from treadle.web.presenting import worker_json

router = APIRouter()
PATIENCE = 0.1
SCARCE = 1 << 20
"""Bytes of room on the disk of the database below which nothing much can be written."""

# A thread of its own: busy pages cannot make a healthy studio look ill.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")


@router.get("/health")
async def health(studio: InStudio) -> dict[str, Any]:
    """The workers as last seen; status is `ok`, `no workers`, `database busy` or `disk full`."""
    file = studio.database.file
    if file is not None and room(file) < SCARCE:
        return {"status": "disk full", "workers": studio.last_workers}
    reading = asyncio.get_running_loop().run_in_executor(_thread, _workers, studio)
    try:
        known = await asyncio.wait_for(asyncio.shield(reading), PATIENCE)
    except TimeoutError:
        return {"status": "database busy", "workers": studio.last_workers}
    studio.last_workers[:] = known
    return {"status": "ok" if known else "no workers", "workers": known}


def _workers(studio: Studio) -> list[dict[str, Any]]:
    with studio.database.read() as db:
        return [worker_json(worker) for worker in live_workers(db, now=time.time())]
