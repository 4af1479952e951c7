"""Prepared statements: compiled once for a database, then run on its own cursor, as often as the journal needs them.

SQLAlchemy says what a statement is and how this database writes it; what it does for every execution costs ten times
the execution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ClauseElement
from sqlalchemy.engine import Dialect

Row = dict[str, Any]


class Prepared:
    """A statement with named parameters, `names`, for one kind of database."""

    __slots__ = ("_literals", "_names", "_pick", "_sql")

    def __init__(self, statement: ClauseElement, dialect: Dialect, names: Sequence[str] | None = None) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=names)
        self._sql: str = compiled.string
        self._pick = _picker(compiled.positiontup) if compiled.positional else None
        self._names: tuple[str, ...] = tuple(compiled.positiontup if compiled.positional else compiled.params)
        binds = ((name, compiled.binds[name]) for name in self._names)
        self._literals: Row = {name: bind.value for name, bind in binds if not bind.required and bind.value is not None}

    def one(self, cursor: Any, row: Row) -> int:
        """Run it once; how many rows it touched."""
        cursor.execute(self._sql, self._values(row))
        touched: int = cursor.rowcount
        return touched

    def all(self, cursor: Any, row: Row) -> list[tuple[Any, ...]]:
        """Run a query; what it finds."""
        cursor.execute(self._sql, self._values(row))
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def finds(self, cursor: Any, row: Row) -> bool:
        """Run a query; whether there is anything."""
        cursor.execute(self._sql, self._values(row))
        return cursor.fetchone() is not None

    def many(self, cursor: Any, rows: Sequence[Row]) -> None:
        """Run it for every row."""
        if rows:
            cursor.executemany(self._sql, [self._values(row) for row in rows])

    def in_order(self, cursor: Any, rows: Sequence[Sequence[Any]]) -> int:
        """`many` for rows that are nothing but values, in the order of the statement; how many rows it touched."""
        if not rows:
            return 0
        if self._pick is None:
            cursor.executemany(self._sql, [dict(zip(self._names, row, strict=True)) for row in rows])
        else:
            cursor.executemany(self._sql, rows)
        touched: int = cursor.rowcount
        return touched

    def _values(self, row: Row) -> Any:
        if self._literals:
            row = {**self._literals, **row}
        return row if self._pick is None else self._pick(row)


def _picker(names: Sequence[str]) -> Callable[[Row], Any]:
    """What takes the values of these names out of a row, in this order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda row: tuple(row[name] for name in names)


class Preparing:
    """A statement that is prepared for each database when it is first used there."""

    __slots__ = ("_names", "_prepared", "_statement")

    def __init__(self, statement: ClauseElement, names: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._names = names
        self._prepared: WeakKeyDictionary[Dialect, Prepared] = WeakKeyDictionary()

    def on(self, dialect: Dialect) -> Prepared:
        """The statement as `dialect` writes it."""
        prepared = self._prepared.get(dialect)
        if prepared is None:
            prepared = self._prepared[dialect] = Prepared(self._statement, dialect, self._names)
        return prepared
