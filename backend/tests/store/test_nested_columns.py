"""A database from before nested runs keeps what it has."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from treadle.resources import MIGRATIONS
from treadle.store.database import Database
from treadle.store.migrations import migrate
from treadle.store.runs import entries_after, find_run

RUN = """
INSERT INTO run (id, workflow, fingerprint, status, held, created_at, entries, counts, queue, lease_until, epoch)
VALUES ('r_old', 'Old', 'f', 'completed', 0, 1.0, 2, '{}', '[]', 0, 1)
"""


def test_runs_of_the_first_schema_keep_their_entries(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text(RUN))
        for seq in (1, 2):
            connection.execute(
                text("INSERT INTO entry (run_id, seq, at, kind) VALUES ('r_old', :seq, 1.0, 'held')"), {"seq": seq}
            )
    migrate(database, MIGRATIONS)
    with database.read() as connection:
        run = find_run(connection, "r_old")
        assert run is not None
        assert (run.parent_id, run.nested, run.children) == (None, 0, ())
        assert len(entries_after(connection, "r_old", after=0, limit=10)) == 2
    database.close()
