"""Saved states, read: what a journal comes to at one entry, so that recovery folds only what came after it."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError

from treadle.engine.holdings import deliveries
from treadle.engine.replay import adopt, fold_records
from treadle.engine.serializers import EventTypes
from treadle.engine.snapshot import from_snapshot
from treadle.engine.state import Routes, RunState
from treadle.errors import TreadleError, ValueNotStorable
from treadle.store.database import Database
from treadle.store.journal import records_after
from treadle.store.routing import described
from treadle.store.splices import whole
from treadle.store.tables import Run, SavedState, Version

_states, _runs, _versions = SavedState.__table__, Run.__table__, Version.__table__  # type: ignore[attr-defined]

log = logging.getLogger("treadle.store")


@dataclass(frozen=True, slots=True)
class Code:
    """The code a run goes on with: its version, its routes, and its event classes by name."""

    version: str
    routes: Routes
    types: EventTypes


@dataclass(frozen=True, slots=True)
class Recovered:
    """A state folded again, and the entry of the saved one it was folded from: 0 for none.

    `version` is that of the code it goes on with, if it went on with another one before.
    """

    state: RunState
    saved_at: int = 0
    version: str | None = None


def recover_all(database: Database, runs: Mapping[str, Code]) -> dict[str, Recovered | Exception]:
    """`recover` for several runs: the state of each, or what stands in its way. Raises what the database raises."""
    found: dict[str, Recovered | Exception] = {}
    with database.read() as connection:
        for run_id, code in runs.items():
            try:
                found[run_id] = recover(connection, run_id, code)
            except DatabaseError:
                raise
            except Exception as error:  # that run is parked for it, and the others go on
                found[run_id] = error
    return found


def recover(connection: Connection, run_id: str, code: Code) -> Recovered:
    """The state of a run: the saved one, and what came after it, each entry by the routes of the code of its time.

    Raises what `fold_records` raises, and KeyError for the step of a pending delivery that the code no longer has. A
    saved state that cannot be read costs the time to fold the whole journal.
    """
    query = select(_runs.c.workflow, _runs.c.fingerprint).where(_runs.c.id == run_id)
    workflow, fingerprint = connection.execute(query).one()

    def routes_of(version: str) -> Routes:
        return code.routes if version == code.version else _recorded(connection, workflow, version, code)

    try:
        saved = read_state(connection, run_id)
    except ValueNotStorable as error:
        log.warning("%s Its journal is folded instead.", error)
        saved = None
    version = (saved.get("version") if saved is not None else None) or fingerprint
    state = _restored(saved, run_id, routes_of(version), code.types) if saved is not None else None
    after = state.seq if state is not None else 0
    records = records_after(connection, run_id, after)
    first = routes_of(version if state is not None else fingerprint)
    state = fold_records(whole(records), first, code.types, state, versions=routes_of)
    changed = (state.version or fingerprint) != code.version
    if changed:
        _refuse_missing(state, code.routes)
        adopt(state, code.routes)
    return Recovered(state, after, code.version if changed else None)


def _recorded(connection: Connection, workflow: str, version: str, code: Code) -> Routes:
    """The routes of a recorded version; today's where it is not remembered, or an earlier Treadle recorded it."""
    query = select(_versions.c.graph).where(_versions.c.workflow == workflow, _versions.c.fingerprint == version)
    graph = json.loads(connection.execute(query).scalar() or "{}")
    return described(graph["routes"], version, code.types).routes if "routes" in graph else code.routes


def _refuse_missing(state: RunState, routes: Routes) -> None:
    if state.outcome is not None and state.outcome.status in ("completed", "cancelled"):
        return
    pending = [delivery.step for delivery in deliveries(state)]
    if state.outcome is not None and state.outcome.delivery is not None:
        pending.append(state.outcome.delivery.step)
    pending += [step for step, queues in state.joining.items() if any(queues)]
    for step in pending:
        if step not in routes.workers:
            raise KeyError(step)


def read_state(connection: Connection, run_id: str) -> Mapping[str, Any] | None:
    """The saved state of a run, as JSON data; None if there is none. Raises ValueNotStorable for a damaged one."""
    packed = connection.execute(select(_states.c.bytes).where(_states.c.run_id == run_id)).scalar()
    try:
        saved: Mapping[str, Any] | None = json.loads(zlib.decompress(packed)) if packed is not None else None
    except (zlib.error, ValueError) as error:
        raise ValueNotStorable(f"The saved state of run {run_id} is damaged: {error}.") from error
    return saved


def _restored(saved: Mapping[str, Any], run_id: str, routes: Routes, types: EventTypes) -> RunState | None:
    try:
        return from_snapshot(saved, routes, types)
    except (TreadleError, LookupError, TypeError, ValueError) as error:
        log.info("Run %s: its saved state does not fit any more (%s); its journal is folded instead.", run_id, error)
        return None
