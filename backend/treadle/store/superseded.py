"""Superseded: what an attempt showed in the stream before its step was tried again, told by what came after it.

A step is tried again after a failure that is retried, and when its run went on after a crash, or was opened again by a
person, before the step had ended. A prompt is no such thing: it asks once, however often its step is tried.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, or_, select
from sqlmodel import SQLModel

from treadle.store import tables

_ENTRY = SQLModel.metadata.tables[str(tables.Entry.__tablename__)].c
_RESTARTS = ("resumed", "reopened")
_RETRIED = and_(_ENTRY.kind == "step_failed", _ENTRY.payload.not_like('%"retry_at":null%'))
BACK = 2000
"""Entries a live page keeps: what is older is marked when it is read again."""


def may_be(row: RowMapping) -> bool:
    """Whether an entry is one that a later attempt can supersede."""
    return (
        row["kind"] == "event_streamed" and row["step"] is not None and '"prompt":true' not in (row["detail"] or "")
    )


def superseded(db: Connection, run_id: str, rows: Iterable[RowMapping]) -> frozenset[int]:
    """The seqs of those `rows`, entries of one run in any order, that a later attempt superseded: by one query."""
    shown = sorted((row["seq"], row["cause"], row["step"]) for row in rows if may_be(row))
    if not shown:
        return frozenset()
    query = (
        select(_ENTRY.seq, _ENTRY.kind, _ENTRY.cause, _ENTRY.step)
        .where(_ENTRY.run_id == run_id, _ENTRY.seq > shown[0][0])
        .where(or_(_RETRIED, _ENTRY.kind.in_((*_RESTARTS, "step_finished"))))
        .order_by(_ENTRY.seq)
    )
    return frozenset(_told(iter(shown), db.execute(query)))


def superseded_by(db: Connection, run_id: str, kinds: Collection[str], *, after: int) -> tuple[int, ...]:
    """The seqs up to `after` that are superseded, where entries of these `kinds` have come since; the last of them."""
    if not {"step_failed", *_RESTARTS} & set(kinds):
        return ()
    query = select(_ENTRY.seq, _ENTRY.kind, _ENTRY.cause, _ENTRY.step, _ENTRY.detail).where(
        _ENTRY.run_id == run_id, _ENTRY.kind == "event_streamed", _ENTRY.seq <= after, _ENTRY.seq > after - BACK
    )
    return tuple(sorted(superseded(db, run_id, db.execute(query).mappings())))


def _told(shown: Iterator[tuple[int, Any, Any]], later: Iterable[Any]) -> Iterator[int]:
    open_to_it: dict[tuple[Any, Any], list[int]] = {}
    entry = next(shown, None)
    for seq, kind, cause, step in later:
        while entry is not None and entry[0] < seq:
            open_to_it.setdefault(entry[1:], []).append(entry[0])
            entry = next(shown, None)
        if kind == "step_finished":
            open_to_it.pop((cause, step), None)
        elif kind == "step_failed":
            yield from open_to_it.pop((cause, step), ())
        else:
            for seqs in open_to_it.values():
                yield from seqs
            open_to_it.clear()
