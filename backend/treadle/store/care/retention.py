"""Retention: ended runs that nobody wants to keep are deleted, with all that belongs to them, a little at a time."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, or_, select, tuple_

from treadle.store.database import Database
from treadle.store.leases import LIVE
from treadle.store.runs import FINAL
from treadle.store.tables import Blob, Entry, Inbox, Prompt, Run, SavedState, Snapshot, Version, Worker, Workflow

_runs, _entries, _workers = Run.__table__, Entry.__table__, Worker.__table__  # type: ignore[attr-defined]
_versions, _workflows = Version.__table__, Workflow.__table__  # type: ignore[attr-defined]
_prompts, _inbox = Prompt.__table__, Inbox.__table__  # type: ignore[attr-defined]
_snapshots, _blobs = Snapshot.__table__, Blob.__table__  # type: ignore[attr-defined]
_states = SavedState.__table__  # type: ignore[attr-defined]

KEY_LIFE = 86400.0
"""Seconds an idempotency key is remembered at least: its run is kept so long, whatever the rule says."""
WORKER_LIFE = 7 * 86400.0
"""Seconds the row of a worker that has ended, and a version no run was recorded with, are kept."""
HOLD = 0.02
"""Seconds after which a transaction takes no more runs in: others want to write, too."""
TURN = 0.05
"""Seconds others get at least between two transactions: who waits for SQLite looks only so often."""
PIECE = 1000
"""Entries deleted at once."""
BLOBS = 4
"""Blobs deleted at once: each may be many megabytes."""
PAGE = 200
"""Runs found by one query."""

Rest = Callable[[float], object]


@dataclass(frozen=True, slots=True)
class Rule:
    """Which runs may go: ended with one of `statuses`, more than `older_than` seconds ago, not among the newest `keep`.

    None is no condition; a run goes only if every condition lets it.
    """

    older_than: float | None = None
    keep: int | None = None
    statuses: tuple[str, ...] = tuple(sorted(FINAL))


@dataclass(slots=True)
class Pruned:
    """What was deleted, nested runs included; `longest` is the longest transaction in seconds."""

    runs: int = 0
    entries: int = 0
    longest: float = 0.0

    def count(self, family: Sequence[Row[Any]]) -> None:
        self.runs += len(family)
        self.entries += sum(row.entries for row in family)


def would_go(database: Database, rule: Rule, *, now: float) -> Pruned:
    """What `prune` would delete."""
    found = Pruned()
    with database.read() as connection:
        for root in _candidates(connection, rule, now):
            found.count(_going(connection, root, rule, now))
    return found


def prune(database: Database, rule: Rule, *, now: float, rest: Rest = time.sleep) -> Pruned:
    """Delete the runs that `rule` lets go, oldest first; `database` was opened without cascades.

    A run goes with its journal, prompts, requests, snapshot, idempotency key and nested runs. It stays while one of
    these runs goes on, while a new run waits to continue it, and while its key may still be asked for. Between two
    transactions `rest` is called with the seconds the others get; something true from it means: stop here.
    """
    done = Pruned()
    with database.read() as connection:
        roots = deque(_candidates(connection, rule, now))
        pieces = _left_over(connection)
    while roots or pieces:
        began = time.perf_counter()
        with database.write() as connection:
            while roots or pieces:
                if pieces:
                    if not _delete_piece(connection, pieces[-1]):
                        pieces.pop()
                elif family := _going(connection, roots.popleft(), rule, now):
                    done.count(family)
                    pieces += _delete(connection, family)
                if time.perf_counter() - began >= HOLD:
                    break
        seconds = time.perf_counter() - began
        done.longest = max(done.longest, seconds)
        if rest(max(seconds, TURN)):
            return done
    _tidy(database, now)
    return done


def vacuum(file: Path) -> int:
    """Give the free pages of `file` back to the disk; how many bytes that were. Nobody else may have it open."""
    before = file.stat().st_size
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("VACUUM")
    return before - file.stat().st_size


def free_bytes(database: Database) -> int:
    """How much of the file is free for new runs."""
    with database.read() as connection:
        return _pragma(connection, "freelist_count") * _pragma(connection, "page_size")


def _candidates(connection: Connection, rule: Rule, now: float) -> Iterator[str]:
    """Ended runs that no step of another run started and that are old and many enough, oldest first."""
    place = tuple_(_runs.c.created_at, _runs.c.id)
    parents = _runs.alias("parent")
    top = or_(_runs.c.parent_id.is_(None), ~exists().where(parents.c.id == _runs.c.parent_id))
    ended = and_(_runs.c.status.in_(rule.statuses), _runs.c.status.not_in(LIVE), top)
    conditions: list[ColumnElement[bool]] = [ended]
    if rule.older_than is not None:
        conditions.append(_runs.c.created_at < now - rule.older_than)  # ends later than that, but this has an index
        conditions.append(func.coalesce(_runs.c.ended_at, _runs.c.created_at) < now - rule.older_than)
    if rule.keep is not None:
        newest_first = (_runs.c.created_at.desc(), _runs.c.id.desc())
        edge = select(_runs.c.created_at, _runs.c.id).where(ended).order_by(*newest_first).offset(rule.keep).limit(1)
        first = connection.execute(edge).first()
        if first is None:
            return
        conditions.append(place <= tuple(first))
    query = select(_runs.c.created_at, _runs.c.id).where(*conditions).order_by(_runs.c.created_at, _runs.c.id)
    page = connection.execute(query.limit(PAGE)).all()
    while page:
        yield from (row.id for row in page)
        page = connection.execute(query.where(place > tuple(page[-1])).limit(PAGE)).all()


def _going(connection: Connection, root: str, rule: Rule, now: float) -> Sequence[Row[Any]]:
    """The run `root` and those its steps started, and they in turn; none of them if one has to stay."""
    family = select(_runs.c.id).where(_runs.c.id == root).cte("family", recursive=True)
    family = family.union(select(_runs.c.id).join(family, _runs.c.parent_id == family.c.id))
    facts = (_runs.c.id, _runs.c.status, _runs.c.entries, _runs.c.created_at, _runs.c.idempotency_key)
    rows: list[Row[Any]] = [*connection.execute(select(*facts).join(family, _runs.c.id == family.c.id))]
    over = {*FINAL, *rule.statuses} - {*LIVE}
    if any(row.status not in over or (row.idempotency_key and row.created_at > now - KEY_LIFE) for row in rows):
        return []
    continued = select(_runs.c.continued_from).where(_runs.c.status.in_(LIVE), _runs.c.entries == 0)
    wanted = set(connection.execute(continued.where(_runs.c.continued_from.is_not(None))).scalars())
    return [] if wanted & {row.id for row in rows} else rows


def _delete(connection: Connection, family: Sequence[Row[Any]]) -> list[str]:
    """Delete runs and what belongs to them; the ids of those whose journals are left to be deleted in pieces."""
    ids = [row.id for row in family]
    few = sum(row.entries for row in family) <= PIECE and _blobs_of(connection, ids) <= BLOBS
    for some in (ids[at : at + PAGE] for at in range(0, len(ids), PAGE)):
        for table in (_prompts, _inbox, _snapshots, _states, *((_entries, _blobs) if few else ())):
            connection.execute(delete(table).where(table.c.run_id.in_(some)))
        connection.execute(delete(_runs).where(_runs.c.id.in_(some)))
    return [] if few else ids


def _blobs_of(connection: Connection, ids: Sequence[str]) -> int:
    query = select(func.count()).select_from(_blobs)
    return sum(
        int(connection.execute(query.where(_blobs.c.run_id.in_(ids[at : at + PAGE]))).scalar_one())
        for at in range(0, len(ids), PAGE)
    )


def _delete_piece(connection: Connection, run_id: str) -> int:
    """Delete some of the entries of a run that is gone, or of its blobs; how many."""
    for table, key, most in ((_entries, _entries.c.seq, PIECE), (_blobs, _blobs.c.hash, BLOBS)):
        mine = table.c.run_id == run_id
        some = select(key).where(mine).order_by(key).limit(most)
        if deleted := connection.execute(delete(table).where(mine, key.in_(some))).rowcount:
            return deleted
    return 0


def _left_over(connection: Connection) -> list[str]:
    """Runs that are gone while their journals are not: who deleted them was stopped in between."""
    found: list[str] = []
    for table in (_entries, _blobs):
        ids = select(func.min(table.c.run_id).label("run_id")).cte("ids", recursive=True)
        later = select(func.min(table.c.run_id)).where(table.c.run_id > ids.c.run_id).scalar_subquery()
        ids = ids.union_all(select(later).where(ids.c.run_id.is_not(None)))
        gone = select(ids.c.run_id).where(ids.c.run_id.is_not(None), ids.c.run_id.not_in(select(_runs.c.id)))
        found += connection.execute(gone).scalars()
    return found


def _tidy(database: Database, now: float) -> None:
    """Delete workers long gone, and versions that no run was recorded with and nobody would be shown."""
    long_ago = now - WORKER_LIFE
    with database.read() as connection:
        used = {tuple(row) for row in connection.execute(select(_runs.c.workflow, _runs.c.fingerprint).distinct())}
        used |= {tuple(row) for row in connection.execute(select(_workflows.c.name, _workflows.c.fingerprint))}
        known = connection.execute(
            select(_versions.c.workflow, _versions.c.fingerprint, _versions.c.published_at).order_by(
                _versions.c.published_at
            )
        ).all()
    newest = {row.workflow: row.fingerprint for row in known}
    idle = [
        (row.workflow, row.fingerprint)
        for row in known
        if (row.workflow, row.fingerprint) not in used
        and newest[row.workflow] != row.fingerprint
        and row.published_at < long_ago
    ]
    owners = select(_runs.c.lease_owner).where(_runs.c.lease_owner.is_not(None))
    with database.write() as connection:
        connection.execute(delete(_workers).where(_workers.c.ended_at < long_ago, _workers.c.id.not_in(owners)))
        for workflow, fingerprint in idle:
            mine = (_versions.c.workflow == workflow, _versions.c.fingerprint == fingerprint)
            connection.execute(delete(_versions).where(*mine))


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
