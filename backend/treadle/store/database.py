"""The database: connections with the durability and the safety every process wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

APPLICATION_ID = 0x54524C45


class Database:
    """One SQLite file (or, by URL, another database): `read()` for pages, `write()` for one short transaction.

    `full` waits for the disk at every commit (power cuts); without it a commit survives the death of a process.
    """

    def __init__(self, url: str, *, full: bool = True) -> None:
        self.url = url
        self._writing = threading.Lock()
        self._engine: Engine = create_engine(url, poolclass=QueuePool, pool_size=8, max_overflow=24, future=True)
        if self._engine.dialect.name == "sqlite":
            synchronous = "FULL" if full else "NORMAL"

            @event.listens_for(self._engine, "connect")
            def prepare(connection: Any, record: Any) -> None:
                connection.isolation_level = None  # transactions begin where we say BEGIN
                cursor = connection.cursor()
                for pragma in (
                    "busy_timeout=10000",
                    "journal_mode=WAL",
                    f"synchronous={synchronous}",
                    "foreign_keys=ON",
                    "trusted_schema=OFF",
                ):
                    cursor.execute(f"PRAGMA {pragma}")
                cursor.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state of the database."""
        with self._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection inside a transaction that is committed at the end, or rolled back by an exception."""
        # SQLite has one writer; threads of this process queue here rather than in its busy handler, which sleeps.
        with self._writing, self._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
