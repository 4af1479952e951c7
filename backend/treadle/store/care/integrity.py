"""Integrity: whether a database file may be served - it is ours, not newer than we are, and whole after a crash."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from treadle.errors import SettingsError, TreadleError
from treadle.store.care.backup import newest_copy
from treadle.store.care.readonly import open_read_only, read_through
from treadle.store.database import APPLICATION_ID, Database, wal_of
from treadle.store.failing import kind_of, reason

TOLD = 3
"""Problems named in one sentence; `treadle fsck` names them all."""


class DatabaseDamaged(TreadleError):  # noqa: N818 - a state, as its neighbours
    """SQLite's own check found the file damaged."""

    code = "database_damaged"

    def __init__(self, file: Path, problems: Sequence[str]) -> None:
        copy = newest_copy(file)
        known = f" The newest copy beside it is {copy}." if copy is not None else ""
        more = f" (and {len(problems) - TOLD} more)" if len(problems) > TOLD else ""
        super().__init__(
            f"The database {file} is damaged: {'; '.join(problems[:TOLD])}{more}. It is not served, so that nothing"
            f" more is lost. Copy it away with its -wal and -shm files first; `treadle fsck --database {file}` names"
            f" the runs that are hit. Then go on with a backup, or with what `sqlite3 {file} .recover` can save.{known}"
        )
        self.problems = tuple(problems)


def examine(file: Path, *, known: Sequence[str], left_open: bool) -> None:
    """Look at `file` before anything is written to it; `known` are the schema revisions of this version, in order.

    With `left_open`, or when SQLite's log is still there, the last server went without closing it, and its pages are
    checked. Raises SettingsError for a file that is not Treadle's or newer, DatabaseDamaged for one that is damaged.
    """
    if not file.exists() or not file.stat().st_size:
        return
    wal = wal_of(file)
    left_open = left_open or (wal.exists() and bool(wal.stat().st_size))
    try:
        with closing(open_read_only(file)) as connection:
            _refuse_foreign(connection, file)
            refuse_newer(file, known, *_schema(connection))
            problems = _quick_check(connection, file) if left_open else []
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB and not left_open:
            raise SettingsError(f"{file} is not a SQLite database; name another file with --database.") from None
        if kind_of(error) == "io":
            raise DatabaseDamaged(file, [reason(error)]) from error
        raise SettingsError(f"The database {file} cannot be opened: {reason(error)}.") from error
    if problems:
        raise DatabaseDamaged(file, problems)


def expect_schema(database: Database, scripts: Path) -> None:
    """Raise SettingsError unless `database` is at the schema of this version; quick, because workers ask."""
    with database.read() as connection:
        number = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    mine = len(list(scripts.glob("versions/*.py")))
    if number != mine:
        remedy = "bring it there with `treadle migrate`" if number < mine else "upgrade Treadle"
        raise SettingsError(
            f"The database {database.file} is at schema {number:04}, and this Treadle works with {mine:04}; {remedy}."
        )


def _quick_check(connection: sqlite3.Connection, file: Path) -> list[str]:
    """What SQLite's `quick_check` finds wrong with the pages; nothing when they are whole."""
    read_through(file)
    found = [str(row[0]) for row in connection.execute("PRAGMA quick_check")]
    return [] if found == ["ok"] else [line for text in found for line in text.splitlines()]


def refuse_newer(name: object, known: Sequence[str], revision: str | None, number: int) -> None:
    """Raise SettingsError when schema `revision`, or the schema's `number`, is not among those this version knows."""
    if (revision is None or revision in known) and number <= len(known):
        return
    raise SettingsError(
        f"The database {name} is at schema {revision if revision not in known else number}, newer than this Treadle"
        f" knows ({known[-1]}). Upgrade Treadle, or name another file with --database."
    )


def _schema(connection: sqlite3.Connection) -> tuple[str | None, int]:
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        row = None
    return (row[0] if row is not None else None), number


def _refuse_foreign(connection: sqlite3.Connection, file: Path) -> None:
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if owner == APPLICATION_ID or (owner == 0 and (not tables or "alembic_version" in tables)):
        return
    raise SettingsError(f"{file} is the database of another program; name another file with --database.")
