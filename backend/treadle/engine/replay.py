"""Replay: a journal folded into the state it stands for."""

from __future__ import annotations

from collections.abc import Iterable

from treadle.engine.records import EventTypes, Record, from_record
from treadle.engine.reducer import apply
from treadle.engine.state import Routes, RunState
from treadle.engine.ticks import Tick


def fold(ticks: Iterable[Tick], routes: Routes) -> RunState:
    """The state after `ticks`; their commands were carried out, or lost with their worker."""
    state = RunState(routes)
    for tick in ticks:
        apply(state, tick)
    return state


def fold_records(records: Iterable[Record], routes: Routes, types: EventTypes) -> RunState:
    """`fold` from stored records. Raises ValueNotStorable when a value or class is no longer to be had."""
    return fold((from_record(record, types) for record in records), routes)
