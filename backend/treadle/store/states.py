"""Saved states, read: what a journal comes to at one entry, so that recovery folds only what came after it."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from treadle.engine.replay import fold_records
from treadle.engine.serializers import EventTypes
from treadle.engine.snapshot import from_snapshot
from treadle.engine.state import Routes, RunState
from treadle.errors import TreadleError
from treadle.store.database import Database
from treadle.store.journal import records_after
from treadle.store.splices import whole
from treadle.store.tables import SavedState

_states = SavedState.__table__  # type: ignore[attr-defined]

log = logging.getLogger("treadle.store")


@dataclass(frozen=True, slots=True)
class Recovered:
    """A state folded again, and the entry of the saved one it was folded from: 0 for none."""

    state: RunState
    saved_at: int


def recover(database: Database, run_id: str, routes: Routes, types: EventTypes) -> Recovered:
    """The state of a run: the saved one, and what came after it.

    Raises what `fold_records` raises. A saved state that cannot be read costs the time to fold the whole journal.
    """
    with database.read() as connection:
        saved = read_state(connection, run_id)
        state = _restored(saved, run_id, routes, types) if saved is not None else None
        after = state.seq if state is not None else 0
        records = records_after(connection, run_id, after)
    return Recovered(fold_records(whole(records), routes, types, state), after)


def read_state(connection: Connection, run_id: str) -> Mapping[str, Any] | None:
    """The saved state of a run, as JSON data; None if there is none."""
    packed = connection.execute(select(_states.c.bytes).where(_states.c.run_id == run_id)).scalar()
    return json.loads(zlib.decompress(packed)) if packed is not None else None


def _restored(saved: Mapping[str, Any], run_id: str, routes: Routes, types: EventTypes) -> RunState | None:
    try:
        return from_snapshot(saved, routes, types)
    except (TreadleError, LookupError, TypeError, ValueError) as error:
        log.info("Run %s: its saved state does not fit any more (%s); its journal is folded instead.", run_id, error)
        return None
