"""Failing: what an error of the database means for whoever meets it - wait, make room, or leave - and how to say so."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from treadle.errors import TreadleError
from treadle.store.database import Database

Kind = Literal["busy", "full", "io", "other"]

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_IO = frozenset({
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM,
})  # fmt: skip
# The index of the WAL is allocated before it is written: what stops that is a full disk, whatever it is called.
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})


class DatabaseBusy(TreadleError):  # noqa: N818 - a state, as its neighbours
    """Others had the database for longer than one waits: asking again is right."""

    code = "database_busy"
    status = 503

    def __init__(self) -> None:
        super().__init__("The database is busy and took nothing; nothing was lost, ask again in a moment.")


class DatabaseFull(TreadleError):  # noqa: N818
    """No room on the disk."""

    code = "database_full"
    status = 507

    def __init__(self) -> None:
        super().__init__(
            "The disk of the database is full, so nothing new is accepted; what was accepted goes on once there is"
            " room. Make some: delete files beside it, or old runs with `treadle prune`."
        )


class DatabaseFailed(TreadleError):  # noqa: N818
    """The disk, or what lies on it, cannot be relied on."""

    code = "database_failed"
    status = 503

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            f"The database cannot be written: {reason(error)}. Look at the disk and its log, then at the database"
            " with `treadle fsck`; nothing was acknowledged that is not kept."
        )


def kind_of(error: BaseException) -> Kind:
    """What `error` asks for: `busy` patience, `full` room, `io` to stop here; `other` is not the database's doing.

    Damage counts as `io`: nothing more may be written to such a file.
    """
    cause = _driver_error(error)
    code = getattr(cause, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return "other"
    if code in _FULL or code & 0xFF in _FULL:
        return "full"
    if code & 0xFF in _BUSY:
        return "busy"
    return "io" if code & 0xFF in _IO else "other"


def reason(error: BaseException) -> str:
    """The driver's own words on one line, with the name of its code, without the statement that met it."""
    cause = _driver_error(error)
    name = getattr(cause, "sqlite_errorname", None)
    text = " ".join(str(cause).split())
    return f"{text} ({name})" if name else text


def told(error: BaseException) -> TreadleError | None:
    """The error to show instead of one of the database's; None for any other."""
    kind = kind_of(error)
    if kind == "busy":
        return DatabaseBusy()
    if kind == "full":
        return DatabaseFull()
    return DatabaseFailed(error) if kind == "io" else None


def room(file: Path) -> int:
    """Bytes the disk under `file` has left for who may not use what is reserved."""
    return shutil.disk_usage(file.parent).free


@contextmanager
def accepting(database: Database) -> Iterator[Connection]:
    """`database.write()` for who answers a person."""
    with answering(), database.write() as connection:
        yield connection


@contextmanager
def answering() -> Iterator[None]:
    """For who answers a person: a database that takes nothing is a 503 or 507 with a reason."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        if (instead := told(error)) is None:
            raise
        raise instead from error


def _driver_error(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
