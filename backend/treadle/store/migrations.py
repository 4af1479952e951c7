"""Migrations: bring a database to the schema of this version, or refuse it when it is newer."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from treadle.errors import SettingsError
from treadle.store.database import APPLICATION_ID, Database


def migrate(database: Database, scripts: Path) -> str:
    """Apply what is missing, in one transaction; return the revision the database is at.

    Raises SettingsError when a newer Treadle has written the database; it is not touched then.
    """
    config = _config(scripts)
    with database.write() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        try:
            ScriptDirectory.from_config(config).get_revision(current or "head")
        except CommandError:
            raise SettingsError(
                f"The database {database.url} is at schema {current}, newer than this Treadle knows."
                " Upgrade Treadle, or name another file with --database."
            ) from None
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        revision = MigrationContext.configure(connection).get_current_revision()
    assert revision is not None
    return revision


def _config(scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts))
    return config
