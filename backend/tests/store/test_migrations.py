"""The migrations end where the tables are, keep a copy of what was there, and leave a newer database alone."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from treadle.errors import SettingsError
from treadle.resources import MIGRATIONS
from treadle.store import tables
from treadle.store.care.backup import BackupFailed
from treadle.store.database import APPLICATION_ID, Database
from treadle.store.migrations import MigrationFailed, migrate, revisions

FIRST, LAST = revisions(MIGRATIONS)[0], revisions(MIGRATIONS)[-1]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path / 'treadle.db'}")) as made:
        yield made


@pytest.fixture
def old(database: Database) -> Database:
    """A database of the first Treadle, with a run in it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, FIRST)
        connection.exec_driver_sql(
            "INSERT INTO run (id, workflow, fingerprint, status, held, created_at, entries, counts, queue, lease_until,"
            " epoch) VALUES ('r_old', 'Chain', '', 'completed', 0, 1.0, 1, '{}', '[]', 0, 0)"
        )
        connection.exec_driver_sql("INSERT INTO entry (run_id, seq, at, kind) VALUES ('r_old', 1, 1.0, 'run_started')")
    return database


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Migrations whose last one makes a table and then fails."""
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "9999_broken.py").write_text(
        "from alembic import op\n"
        f"revision = '9999'\ndown_revision = '{LAST}'\nbranch_labels = depends_on = None\n"
        "def upgrade():\n    op.execute('CREATE TABLE half (n)')\n    op.execute('ALTER TABLE nowhere ADD COLUMN n')\n"
    )
    return scripts


def copies(database: Database) -> list[Path]:
    assert database.file is not None
    return sorted(path for path in database.file.parent.glob("*.db") if path != database.file)


def schema(file: Path) -> tuple[str, int, set[str]]:
    with closing(sqlite3.connect(file)) as connection:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        (number,) = connection.execute("PRAGMA user_version").fetchone()
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    return revision, number, tables


def test_migrations_come_to_the_tables(database: Database) -> None:
    assert tables
    migrate(database, MIGRATIONS)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    assert migrate(database, MIGRATIONS) == migrate(database, MIGRATIONS)


def test_new_database_is_marked_as_ours_and_copied_nowhere(database: Database) -> None:
    assert migrate(database, MIGRATIONS) == LAST
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA application_id").scalar() == APPLICATION_ID
        assert connection.exec_driver_sql("PRAGMA user_version").scalar() == len(revisions(MIGRATIONS))
    assert copies(database) == []


def test_number_of_the_schema_is_that_of_its_files() -> None:
    """Workers compare it without looking into the files."""
    assert len(list(MIGRATIONS.glob("versions/*.py"))) == len(revisions(MIGRATIONS))


def test_old_database_is_migrated_and_kept_as_it_was(old: Database) -> None:
    assert migrate(old, MIGRATIONS, clock=lambda: 1e9) == LAST
    (copy,) = copies(old)
    assert copy.name == f"treadle.{FIRST}.20010909-014640.db"
    revision, number, _ = schema(copy)
    assert (revision, number) == (FIRST, 0)
    for name in (copy, old.file):
        assert name is not None
        with closing(sqlite3.connect(name)) as connection:
            assert connection.execute("SELECT id, entries FROM run").fetchall() == [("r_old", 1)]
            assert connection.execute("SELECT run_id, seq FROM entry").fetchall() == [("r_old", 1)]
    with old.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_database_that_only_lacks_its_number_is_not_copied(database: Database) -> None:
    """As every one from before there were numbers."""
    migrate(database, MIGRATIONS)
    with database.write() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 0")
    migrate(database, MIGRATIONS)
    assert copies(database) == []
    assert database.file is not None
    assert schema(database.file)[1] == len(revisions(MIGRATIONS))


def test_migration_that_fails_changes_nothing_and_names_the_copy(old: Database, broken: Path) -> None:
    assert old.file is not None
    before = schema(old.file)
    with pytest.raises(MigrationFailed) as failure:
        migrate(old, broken)
    (copy,) = copies(old)
    assert f"from schema {FIRST} to 9999" in str(failure.value)
    assert "no such table: nowhere" in str(failure.value)
    assert f"A copy from before is {copy}." in str(failure.value)
    assert "\n" not in str(failure.value)
    assert schema(old.file) == before
    assert schema(copy)[0] == FIRST


def test_database_that_cannot_be_copied_is_not_migrated(old: Database) -> None:
    assert old.file is not None
    before = schema(old.file)
    (old.file.parent / f"treadle.{FIRST}.20010909-014640.db").write_text("somebody else's")
    with pytest.raises(BackupFailed, match="is there already"):
        migrate(old, MIGRATIONS, clock=lambda: 1e9)
    assert schema(old.file) == before


def test_newer_database_is_refused_and_untouched(database: Database) -> None:
    migrate(database, MIGRATIONS)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from-the-future'")
    with pytest.raises(SettingsError, match=r"schema from-the-future, newer than this Treadle knows \(\d+\)"):
        migrate(database, MIGRATIONS)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "from-the-future"


def test_connections_are_durable_and_distrust_the_schema(database: Database) -> None:
    with database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0}
