"""The heartbeat: a thread that keeps a worker's leases while its loop is blocked, and names the step that blocks it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from treadle.runner.host import Host
from treadle.store.database import Database
from treadle.store.failing import Kind, kind_of, reason
from treadle.store.leases import LEASE
from treadle.store.presence import heartbeat

log = logging.getLogger("treadle.heartbeat")

BEAT = 2.0
"""Seconds between heartbeats."""
BLOCKED = 1.0
"""Seconds without a turn of the loop after which the worker shows as busy."""


class Heartbeat:
    """Beats for the worker `worker` until stopped; `shown` is told when it starts or stops being busy."""

    def __init__(
        self,
        database: Database,
        host: Host,
        *,
        worker: str,
        shown: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._host = host
        self._worker = worker
        self._shown = shown
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._turn = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="treadle-heartbeat", daemon=True)

    def start(self) -> None:
        self._take_turn()
        self._host.renewed(time.monotonic())
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _take_turn(self) -> None:
        self._turn = time.monotonic()
        if not self._stop.is_set():
            self._loop.call_later(0.1, self._take_turn)

    def _run(self) -> None:
        last = 0.0
        was_busy = False
        trouble: Kind | None = None
        while not self._stop.wait(0.25):
            now = time.monotonic()
            blocked = now - self._turn
            busy = blocked > BLOCKED
            if busy == was_busy and now - last < BEAT:
                continue
            wall = self._clock()
            try:
                heartbeat(
                    self._database,
                    self._worker,
                    now=wall,
                    lease=LEASE,
                    busy=(wall - blocked, *self._blocker()) if busy else None,
                )
            except Exception as error:
                self._host.doubt()
                if (kind := kind_of(error)) == "full":
                    self._host.renewed(now)  # nobody can write that a run is his, either
                if kind != trouble:
                    trouble = kind
                    log.warning("The heartbeat could not be written: %s; trying again.", reason(error))
                continue
            last, trouble = now, None
            self._host.renewed(now)
            if busy != was_busy:
                was_busy = busy
                self._shown()

    def _blocker(self) -> tuple[str | None, str | None]:
        task = asyncio.current_task(self._loop)
        if task is not None:
            for run_id, live in list(self._host.runs.items()):
                step = live.loop.step_of(task)
                if step is not None:
                    return run_id, step
        return None, None
