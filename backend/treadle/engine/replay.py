"""Replay: a journal folded into the state it stands for."""

from __future__ import annotations

from collections.abc import Iterable

from treadle.engine.holdings import still_held
from treadle.engine.readers import read
from treadle.engine.record import Record
from treadle.engine.reducer import apply
from treadle.engine.serializers import EventTypes
from treadle.engine.state import Routes, RunState
from treadle.engine.ticks import Tick
from treadle.engine.values.decoding import Decoder


def fold(ticks: Iterable[Tick], routes: Routes) -> RunState:
    """The state after `ticks`; their commands were carried out, or lost with their worker."""
    state = RunState(routes)
    for tick in ticks:
        apply(state, tick)
    return state


def fold_records(records: Iterable[Record], routes: Routes, types: EventTypes) -> RunState:
    """`fold` from stored records, of what their size is, too.

    Raises ValueNotStorable when a class is no longer what it was, or the run still has a value that was not stored.
    """
    decoder = Decoder(types, spare=True)
    state = RunState(routes)
    for record in records:
        apply(state, read(record, decoder))
        state.size += record.size
    for _, error in still_held(decoder.losses, state) if decoder.losses else ():
        raise error
    return state
