"""The catalog as rows: what the workers can run, published for a web process that never imports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, update
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
    """Add `publications` to the catalog, in place of what they were before.

    Of a file that was mended the card about its fault goes; of one that broke what it had is marked with the fault.
    """
    with database.write() as connection:
        for publication in publications:
            for table, values in ((_workflows, publication.card), (_versions, publication.version)):
                if values is not None:
                    statement = insert(table).values(values)
                    keys = [column.name for column in table.primary_key]
                    changes = {name: value for name, value in values.items() if name not in keys}
                    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))
        cards = [publication.card for publication in publications if publication.card is not None]
        for file in {card["file"] for card in cards}:
            told = {card["name"]: card["error"] for card in cards if card["file"] == file}
            others = (_workflows.c.file == file, _workflows.c.name.not_in(told))
            if None in told.values():
                connection.execute(delete(_workflows).where(*others, _workflows.c.error.is_not(None)))
            else:
                connection.execute(update(_workflows).where(*others).values(error=next(iter(told.values()))))
