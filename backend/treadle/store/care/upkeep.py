"""Upkeep: what a served database needs by the way, in a thread of the one process that serves it.

It alone moves the write-ahead log into the file: SQLite before 3.51.3 may damage a log that several connections
checkpoint at the same moment, and a worker does not wait for that in the middle of its commits.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from treadle.store.care.retention import Rule, prune
from treadle.store.database import Database, wal_of
from treadle.store.failing import kind_of, reason

log = logging.getLogger("treadle.upkeep")

BEAT = 1.0
"""Seconds between looks at the log."""
SMALL = 4 << 20
"""Bytes up to which the log is left alone."""
LARGE = 16_000
"""Pages in the log (64 MiB) from which on writers wait a moment, so that it can begin anew."""
PATIENCE = 0.1
"""Seconds that moment may take."""
PRUNED_EVERY = 3600.0
FIRST_PRUNED = 60.0
"""Seconds after its start at which a studio prunes first: whoever starts it has other things in mind."""


class Upkeep:
    """Keeps `file` until stopped: its log short and, if there is a `rule`, its old runs away."""

    def __init__(
        self, file: Path, *, full: bool = True, rule: Rule | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._file = file
        self._full = full
        self._rule = rule
        self._clock = clock
        self._told: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="treadle-upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop, once the transaction in hand is over."""
        self._stop.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        due = time.monotonic() + FIRST_PRUNED
        while not self._stop.wait(BEAT):
            try:
                checkpoint(self._file)
                if self._rule is not None and time.monotonic() >= due:
                    due = time.monotonic() + PRUNED_EVERY
                    self._prune(self._rule)
                self._told = None
            except Exception as error:
                self._tell(error)

    def _prune(self, rule: Rule) -> None:
        with closing(Database(f"sqlite:///{self._file}", full=self._full, checkpoints=False, cascades=False)) as own:
            done = prune(own, rule, now=self._clock(), rest=self._stop.wait)
        if done.runs:
            log.info("Pruned %d runs with %d entries.", done.runs, done.entries)

    def _tell(self, error: Exception) -> None:
        """Say once what goes wrong: it is tried again every second, and who writes finds out by himself."""
        kind = kind_of(error)
        if kind in ("busy", self._told):
            return
        self._told = kind
        if kind == "other":
            log.error("The upkeep of the database failed; trying again.", exc_info=error)
        else:
            log.error("The upkeep of %s failed: %s; trying again.", self._file, reason(error))


def checkpoint(file: Path) -> None:
    """Move what stands in the write-ahead log of `file` into it, if that has become long. Raises sqlite3.Error."""
    wal = wal_of(file)
    if not wal.exists() or wal.stat().st_size < SMALL:
        return
    with closing(sqlite3.connect(file, isolation_level=None, timeout=PATIENCE)) as connection:
        _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages >= LARGE:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
