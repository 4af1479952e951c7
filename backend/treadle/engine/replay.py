"""Replay: a journal folded into the state it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from treadle.engine.holdings import deliveries, still_held
from treadle.engine.later import Later
from treadle.engine.readers import read_later
from treadle.engine.record import Record
from treadle.engine.reducer import apply
from treadle.engine.serializers import EventTypes
from treadle.engine.state import Routes, RunState, StepCounts
from treadle.engine.ticks import RunReopened, RunResumed, Tick
from treadle.engine.values.decoding import Decoder


def fold(ticks: Iterable[Tick], routes: Routes) -> RunState:
    """The state after `ticks`; their commands were carried out, or lost with their worker."""
    state = RunState(routes)
    for tick in ticks:
        apply(state, tick)
    return state


def fold_records(
    records: Iterable[Record],
    routes: Routes,
    types: EventTypes,
    state: RunState | None = None,
    *,
    versions: Callable[[str], Routes | None] = lambda version: None,
) -> RunState:
    """`fold` from stored records, of what their size is, too; from `state` on, if one is given.

    `versions` has the routes of the other versions of the code that the run went on with.

    Raises ValueNotStorable when a class is no longer what it was, or the run still has a value that was not stored.
    """
    decoder = Decoder(types, spare=True)
    state = state if state is not None else RunState(routes)
    for record in records:
        tick = read_later(record, decoder)
        change_version(state, tick, versions)
        apply(state, tick)
        state.size += record.size
    _read_at_last(state)
    for _, error in still_held(decoder.losses, state) if decoder.losses else ():
        raise error
    return state


def change_version(state: RunState, tick: Tick, versions: Callable[[str], Routes | None]) -> None:
    """Before `tick` is applied: where it says that the run goes on with other code, so do its routes."""
    if isinstance(tick, RunResumed | RunReopened) and tick.version is not None:
        routes = versions(tick.version)
        if routes is not None:
            adopt(state, routes)


def adopt(state: RunState, routes: Routes) -> None:
    """Go on by other routes; steps that have come since have done nothing yet."""
    state.routes = routes
    for step in routes.workers:
        state.steps.setdefault(step, StepCounts())


def _read_at_last(state: RunState) -> None:
    """Read the large values that the run still has."""
    for key, value in state.context.items():
        if type(value) is Later:
            state.context[key] = value.value
    for delivery in deliveries(state):
        writes = delivery.memo.writes if delivery.memo is not None else {}
        for key, (old, writer) in writes.items():
            if type(old) is Later:
                writes[key] = (old.value, writer)
