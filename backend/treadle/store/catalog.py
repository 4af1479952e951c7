"""The catalog as rows: what the workers can run, published for a web process that never imports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.sqlite import insert

from treadle.store.database import Database
from treadle.store.tables import Version, Workflow

_workflows, _versions = Workflow.__table__, Version.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Publication:
    """One workflow: its card, unless it only runs nested, and its version, unless its file could not be loaded.

    JSON texts as in the tables.
    """

    card: dict[str, Any] | None
    version: dict[str, Any] | None


def clear(database: Database) -> None:
    """Forget what was published before this server started; versions of old runs stay."""
    with database.write() as connection:
        connection.execute(delete(_workflows))


def publish(database: Database, publications: Sequence[Publication]) -> None:
    """Add `publications` to the catalog, in place of what they were before."""
    with database.write() as connection:
        for publication in publications:
            for table, values in ((_workflows, publication.card), (_versions, publication.version)):
                if values is not None:
                    statement = insert(table).values(values)
                    keys = [column.name for column in table.primary_key]
                    changes = {name: value for name, value in values.items() if name not in keys}
                    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))
