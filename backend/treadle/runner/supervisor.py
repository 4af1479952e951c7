"""The supervisor: keeps the local workers of a web process alive, and passes on what they leave behind."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from treadle.engine.rules.resuming import SHORT
from treadle.runner.shortages import Shortages
from treadle.store.database import Database
from treadle.store.failing import kind_of, reason
from treadle.store.presence import leave

log = logging.getLogger("treadle.supervisor")

GRACE = 5.0
"""Seconds a worker may take to stop."""
NICENESS = 10
"""How far a worker stands back for the web process: neither a busy step nor its own start may slow the pages."""
SHORT_OF_MEMORY = f"signal {signal.SIGKILL:d}, {SHORT}"
"""How a worker ended that the kernel has killed; see runner/live.py."""
LOOK = 2.0
"""Seconds between looks at whether the kernel was short of memory."""


class Supervisor:
    """Runs `count` worker processes, each made by `command(worker id, name)`, and restarts those that die."""

    def __init__(
        self,
        database: Database,
        command: Callable[[str, str], Sequence[str]],
        *,
        count: int,
        changed: Callable[[], None],
        shortages: Shortages | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._command = command
        self._count = count
        self._changed = changed
        self._shortages = shortages or Shortages(None)
        self._clock = clock
        self._stopping = False
        self._keepers: list[asyncio.Task[None]] = []
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._keepers = [loop.create_task(self._keep(f"worker {n + 1}")) for n in range(self._count)]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stopping = True
        for process in self._processes.values():
            if process.stdin is not None:
                process.stdin.close()
        _, late = await asyncio.wait(self._keepers, timeout=GRACE) if self._keepers else (set(), set())
        for process in self._processes.values():
            process.kill()
        for keeper in late:
            await keeper

    async def _keep(self, name: str) -> None:
        pause = 0.0
        while not self._stopping:
            worker = f"w_{secrets.token_hex(6)}"
            began = time.monotonic()
            # Its own group: Ctrl+C is for us, and reaches a worker that still imports as a traceback.
            process = await asyncio.create_subprocess_exec(
                *self._command(worker, name), stdin=asyncio.subprocess.PIPE, process_group=0
            )
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
            self._processes[name] = process
            how = await self._end_of(process)
            self._processes.pop(name, None)
            shown = False
            try:
                # Also for exit 0: a step may have left without a word. A worker that was told to stop has said so.
                shown = await asyncio.to_thread(leave, self._database, worker, now=self._clock(), how=how)
            except Exception as error:
                if kind_of(error) == "other":
                    log.exception("The end of %s could not be written; its runs go on when their leases end.", name)
                else:
                    text = "The end of %s could not be written: %s; its runs go on when their leases end."
                    log.warning(text, name, reason(error))
            self._changed()
            if not self._stopping:
                log.warning("%s (pid %d) ended: %s; starting another.", name, process.pid, how)
                if how == f"exit {os.EX_IOERR}":  # the disk: it may take its time to come back
                    pause = min(30.0, pause * 2 + 1.0)
                else:
                    most = 0.5 if shown else 5.0  # longest for one that dies before it gets to work
                    pause = min(most, pause * 2 + 0.25) if time.monotonic() - began < 2.0 else 0.0
                await asyncio.sleep(pause)

    async def _end_of(self, process: asyncio.subprocess.Process) -> str:
        """How the process ends, once it does."""
        ended = asyncio.get_running_loop().create_task(process.wait())
        while not (await asyncio.wait([ended], timeout=LOOK))[0]:
            self._shortages.look()
        code = ended.result()
        if code == -signal.SIGKILL and self._shortages.explain():
            return SHORT_OF_MEMORY
        return f"signal {-code}" if code < 0 else f"exit {code}"


def python_command(*arguments: str) -> list[str]:
    """The command line of this Python running `treadle` with `arguments`."""
    return [sys.executable, "-m", "treadle", *arguments]
