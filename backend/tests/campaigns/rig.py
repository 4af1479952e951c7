"""The rig: what a campaign does to a forked process from inside, so that the product needs no hooks for it.

A shifted wall clock, shorter leases, and a death before or after its n-th commit. Told by the environment, as JSON.
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLOCK = "CAMPAIGN_CLOCK"
"""A file of eight bytes: how many seconds the wall clock is ahead of the truth, as a double."""
RIG = "CAMPAIGN_RIG"
"""JSON {lease, beat, patience, memory, crash: {at, when, of, mark, armed}}, each of them optional; seconds, MiB."""


def wind_clock() -> None:
    """Let `time.time` follow the file of CLOCK, here and in everything forked from here."""
    if CLOCK not in os.environ:
        return
    with Path(os.environ[CLOCK]).open("rb") as file:
        shift = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)
    truth = time.time
    time.time = lambda: truth() + struct.unpack("d", shift[:8])[0]


def set_clock(file: Path, ahead: float) -> None:
    """Jump: from now on the wall clock of whoever follows `file` is `ahead` seconds ahead of the truth."""
    with file.open("r+b" if file.exists() else "wb") as opened:
        opened.write(struct.pack("d", ahead))


def apply() -> None:
    """Arrange what RIG asks for in this process."""
    asked: dict[str, Any] = json.loads(os.environ.get(RIG, "{}"))
    for name in ("LEASE", "BEAT", "PATIENCE"):
        if name.lower() in asked:
            for module in [module for key, module in sys.modules.items() if key.startswith("treadle.runner.")]:
                if hasattr(module, name):
                    setattr(module, name, asked[name.lower()])
    if "memory" in asked:
        resource.setrlimit(resource.RLIMIT_AS, (asked["memory"] * 2**20,) * 2)
    if "crash" in asked:
        _Crash(**asked["crash"])


class _Crash:
    """Ends the process like `kill -9` at its `at`-th commit of one kind, unless `mark` says that one has died of it.

    With `armed` nothing counts before that file is there.

    `of` is "journal" for the writer's commits, "write" for the others. The heartbeat's do not count: they come by time.
    """

    def __init__(self, *, at: int, when: str, of: str, mark: str, armed: str | None = None) -> None:
        from treadle.store.database import Database

        self._left = at
        self._when = when
        self._mark = Path(mark)
        self._armed = Path(armed) if armed is not None else None
        self._count = self._mark.with_suffix(".count")
        setattr(Database, of, self._around(getattr(Database, of)))

    def _around(self, commit: Any) -> Any:
        @contextmanager
        def counted(database: Any, **how: Any) -> Iterator[Any]:
            heartbeat = threading.current_thread().name == "treadle-heartbeat"
            if heartbeat or (self._armed is not None and not self._armed.exists()):
                with commit(database, **how) as given:
                    yield given
                return
            with commit(database, **how) as given:
                yield given
                self._reach("before")
            self._reach("after")

        return counted

    def _reach(self, when: str) -> None:
        if when == "before":
            self._left -= 1
            with self._count.open("a") as file:
                file.write(".")
        if self._left == 0 and when == self._when:
            try:
                self._mark.touch(exist_ok=False)
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
