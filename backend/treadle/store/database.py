"""The database: connections with the durability and the safety every process wants."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from treadle.errors import TreadleError

APPLICATION_ID = 0x54524C45
SQLITE = "sqlite:///"
BRIEF, PATIENCE = 0.05, 10.0
"""Seconds to wait for another writer: for who tries again by himself, and for everybody else."""
SHORTEST, LONGEST = 0.0003, 0.02
"""Seconds between two looks whether he is done."""

_process = os.getpid()
"""Which process this is: to ask the system costs as much as a query, and every commit wants to know."""


def _become_a_copy() -> None:
    global _process  # noqa: PLW0603 - a fact of the process
    _process = os.getpid()


os.register_at_fork(after_in_child=_become_a_copy)


class Database:
    """One SQLite file (or, by URL, another database): `read()` for pages, `write()` for one short transaction.

    `full` waits for the disk at every commit (power cuts); without it a commit survives the death of a process.
    `checkpoints` is False where another process moves the write-ahead log into the file: see store/care/upkeep.py;
    `cascades` is False for who deletes what belongs to a row himself: see store/care/retention.py.
    It belongs to the process that made it: a connection must not be carried across `os.fork()`.
    """

    def __init__(self, url: str, *, full: bool = True, checkpoints: bool = True, cascades: bool = True) -> None:
        self.url = url
        self.full = full
        self._process = _process
        self._writing = threading.Lock()
        self._kept: PoolProxiedConnection | None = None
        self._looking: PoolProxiedConnection | None = None
        self._engine: Engine = create_engine(url, poolclass=QueuePool, pool_size=8, max_overflow=24, future=True)
        self._sqlite = self._engine.dialect.name == "sqlite"
        if self._sqlite:
            synchronous = "FULL" if full else "NORMAL"

            @event.listens_for(self._engine, "connect")
            def prepare(connection: Any, record: Any) -> None:
                connection.isolation_level = None  # transactions begin where we say BEGIN
                cursor = connection.cursor()
                for pragma in (
                    f"busy_timeout={PATIENCE * 1000:.0f}",
                    "journal_mode=WAL",
                    f"synchronous={synchronous}",
                    f"foreign_keys={'ON' if cascades else 'OFF'}",
                    "trusted_schema=OFF",
                    f"wal_autocheckpoint={1000 if checkpoints else 0}",
                ):
                    cursor.execute(f"PRAGMA {pragma}")
                cursor.close()

    @contextmanager
    def journal(self, *, seconds: float = BRIEF) -> Iterator[Any]:
        """A cursor of the one connection kept for the journal, inside a transaction like that of `write`.

        It waits `seconds` for another process that writes; with 0 not for a thread of this one, either. Raises
        TimeoutError then.
        """
        self._refuse_copies()
        if not self._writing.acquire(blocking=seconds > 0.0):
            raise TimeoutError("Another thread writes.")
        try:
            connection = self._kept
            if connection is None:
                connection = self._kept = self._engine.raw_connection()
                if self._sqlite:
                    connection.cursor().execute("PRAGMA busy_timeout=0")  # `_begin` waits
            cursor = connection.cursor()
            try:
                if self._sqlite:
                    _begin(cursor, seconds=seconds)
                yield cursor
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            finally:
                cursor.close()
        finally:
            self._writing.release()

    @contextmanager
    def glance(self) -> Iterator[Any]:
        """A cursor of the one connection kept for quick looks by one thread: each query by itself, fetched whole."""
        self._refuse_copies()
        if self._looking is None:
            self._looking = self._engine.raw_connection()
        cursor = self._looking.cursor()
        try:
            yield cursor
        finally:
            cursor.close()
            if not self._sqlite:
                self._looking.rollback()

    @property
    def dialect(self) -> Dialect:
        """How this kind of database writes its statements."""
        return self._engine.dialect

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a database that is not one."""
        return file_of(self.url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state of the database."""
        self._refuse_copies()
        with self._engine.connect() as connection:
            if self._sqlite:
                connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection inside a transaction that is committed at the end, or rolled back by an exception."""
        self._refuse_copies()
        # SQLite has one writer; threads of this process queue here rather than in its busy handler, which sleeps.
        with self._writing, self._engine.connect() as connection:
            if self._sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def close(self) -> None:
        """Close every connection; in a copy of the process none is its own to close."""
        if self._process != _process:
            return
        for connection in (self._kept, self._looking):
            if connection is not None:
                connection.close()
        self._kept = self._looking = None
        self._engine.dispose()

    def _refuse_copies(self) -> None:
        if self._process != _process:
            raise TreadleError(
                f"Process {_process} is a copy of process {self._process}, which has opened the database; a copy"
                " cannot use its connections. Open the database anew in the child of os.fork()."
            )


def _begin(cursor: Any, *, seconds: float) -> None:
    """Begin to write, `seconds` after who else does at the latest.

    SQLite itself would look again after 1, 2, 5, 10 milliseconds; most have the file for less than one.
    """
    waited, pause = 0.0, SHORTEST
    while True:
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or waited >= seconds:
                raise
            sleep(pause)
            waited += pause
            pause = max(SHORTEST, min(waited / 8, LONGEST))
        else:
            return


def file_of(url: str) -> Path | None:
    """The file of a SQLite URL; None for any other."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def wal_of(file: Path) -> Path:
    """Where SQLite keeps the write-ahead log of `file` while somebody has it open, or left it open."""
    return file.with_name(f"{file.name}-wal")
