"""Looking at a database file without changing it, whoever else has it open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from treadle.store.database import SQLITE, Database, wal_of

CHUNK = 1 << 20


class ReadOnly(Database):
    """A SQLite file to look at, whoever else has it open; it is never changed. For one thread.

    A `read()` inside another sees the same state, so that what several queries say belongs together.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(f"{SQLITE}{file}")
        self._engine = create_engine("sqlite://", creator=partial(open_read_only, file), poolclass=StaticPool)
        self._current: Connection | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        if self._current is not None:
            yield self._current
            return
        with super().read() as connection:
            self._current = connection
            try:
                yield connection
            finally:
                self._current = None

    def write(self) -> NoReturn:
        raise AssertionError("a database that is only looked at is not written")


def open_read_only(file: Path) -> sqlite3.Connection:
    """A connection that changes nothing: neither the file nor, where nobody has it open, what lies beside it.

    Raises sqlite3.Error for a file that is not there or cannot be read.
    """
    # A read-only connection would leave an empty log behind where there was none; one that might write takes it away
    # again, but would also, as the last to close, move the log of a crash into the file.
    mode = "ro" if wal_of(file).exists() else "rw"
    try:
        return _open(file, f"mode={mode}")
    except sqlite3.OperationalError:
        if mode == "ro":
            raise
        return _open(file, "mode=ro&immutable=1")  # in a folder that cannot be written, nobody else writes either


def read_through(file: Path) -> None:
    """Read `file` once from end to end: a check then finds its pages in memory, and need not seek them one by one."""
    with file.open("rb", buffering=0) as opened:
        while opened.read(CHUNK):
            pass


def _open(file: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(file))}?{how}", uri=True, isolation_level=None, timeout=10.0, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
