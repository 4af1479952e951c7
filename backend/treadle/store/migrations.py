"""Migrations: bring a database to the schema of this version, or refuse it when it is newer."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from treadle.errors import TreadleError
from treadle.store.care.backup import keep_copy
from treadle.store.care.integrity import refuse_newer
from treadle.store.database import APPLICATION_ID, Database
from treadle.store.failing import reason


class MigrationFailed(TreadleError):  # noqa: N818
    """The schema is what it was before."""

    code = "migration_failed"


def migrate(database: Database, scripts: Path, *, clock: Callable[[], float] = time.time) -> str:
    """Apply what is missing, in one transaction; return the revision the database is at.

    A file that has something in it is copied first. Raises SettingsError when a newer Treadle has written the database,
    which is not touched then, BackupFailed when it cannot be copied, and MigrationFailed.
    """
    known = revisions(scripts)
    with database.read() as connection:
        current, number = _position(connection)
    refuse_newer(database.file or database.url, known, current, number)
    if (current, number) == (known[-1], len(known)):
        return known[-1]
    file, older = database.file, current is not None and current != known[-1]
    copy = keep_copy(file, str(current), now=clock()) if file is not None and older else None
    try:
        with database.write() as connection:
            config = _config(scripts)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.exec_driver_sql(f"PRAGMA user_version = {len(known)}")
    except Exception as error:
        why = reason(error) if isinstance(error, DBAPIError) else f"{type(error).__name__}: {reason(error)}"
        kept = f" A copy from before is {copy.path}." if copy is not None else ""
        raise MigrationFailed(
            f"The database {file or database.url} could not be brought from schema {current} to {known[-1]}: {why}."
            f" Nothing of it was changed; the Treadle it comes from still reads it.{kept}"
        ) from error
    return known[-1]


def revisions(scripts: Path) -> tuple[str, ...]:
    """The schema revisions of this version, oldest first."""
    found = ScriptDirectory.from_config(_config(scripts)).walk_revisions()
    return tuple(script.revision for script in found)[::-1]


def _position(connection: Connection) -> tuple[str | None, int]:
    """The revision the database is at, and its number."""
    current = MigrationContext.configure(connection).get_current_revision()
    if connection.dialect.name != "sqlite":
        return current, 0
    return current, int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _config(scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts))
    return config
