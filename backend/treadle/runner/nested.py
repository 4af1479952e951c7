"""Nested runs: how the run that a step starts is named, found again after a crash, and tied to the run around it."""

from __future__ import annotations

import asyncio
import base64
import builtins
import hashlib
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from treadle.engine.events import Event
from treadle.engine.handler import WorkflowHandler
from treadle.engine.loop import RunLoop
from treadle.engine.readers import read
from treadle.engine.record import Record
from treadle.engine.records import to_record
from treadle.engine.reducer import apply
from treadle.engine.replay import fold
from treadle.engine.serializers import EventTypes
from treadle.engine.state import Outcome, Routes, RunState
from treadle.engine.ticks import ErrorFacts, RunStarted, Tick
from treadle.engine.values.decoding import Decoder
from treadle.errors import RunInterrupted
from treadle.store.blobs import take_out
from treadle.store.lineage import Nested, Place

Start = tuple[str | None, str | None]
"""What a run is started with: the class of the event and its fields as JSON, or the stub of that."""


class NestedHandler(WorkflowHandler):
    """The handler of a nested run, as the step that started it holds it."""

    __slots__ = ("_around", "_callbacks")

    def __init__(self, run_id: str, workflow_name: str, around: RunLoop) -> None:
        super().__init__(run_id, workflow_name)
        self._around = around
        self._callbacks: list[Callable[[WorkflowHandler], object]] = []

    def add_done_callback(self, callback: Callable[[WorkflowHandler], object]) -> None:
        """Call `callback` with this handler when the run ends."""
        if self.done():
            super().add_done_callback(callback)
        else:
            self._callbacks.append(callback)

    def settle(self, outcome: Outcome, error: BaseException | None) -> None:
        """The run ended. The journal of its parent says so before any step goes on that waits for it."""
        super().settle(outcome, error)
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback(self)
            except Exception as problem:
                told = {"message": f"A callback of run {self.run_id} failed.", "exception": problem}
                asyncio.get_running_loop().call_exception_handler(told)

    def stop(self) -> None:
        """Cancel the run now; when the one around it is not at its end but goes on elsewhere, so does this one."""
        around = self._around
        if around.over and (around.state.outcome is None or around.state.outcome.status == "interrupted"):
            self._run.abandon(RunInterrupted(f"Run {around.run_id} around it stopped here."))
        else:
            self._run.cancel()


def nested_id(place: Place, nth: int) -> str:
    """The id of the `nth` run that was started at `place`: the same in every process, sorted beside its parent's."""
    told = f"{place.parent}\n{place.seq}\n{place.step}\n{place.call}\n{nth}"
    return place.parent[:12] + base64.b32encode(hashlib.sha256(told.encode()).digest()[:10]).decode()


def start_of(event: Event, types: EventTypes) -> Start:
    """The start of a run with `event`, as its row would have it, to compare it with those of others."""
    row: dict[str, Any] = {"payload": to_record(1, RunStarted(0.0, event, {}), types).payload}
    take_out("", [row])  # a large one is told by its hash
    return type(event).__name__, row["payload"]


def earlier_run(
    found: Sequence[Nested],
    *,
    call: int | None,
    workflow: str,
    start: Start | None,
    taken: Collection[str],
    spent: Callable[[Nested], bool],
) -> Nested | None:
    """The run that an earlier attempt of a step started by the same call; None if there is none, or it is `spent`.

    What the step itself calls comes in the same order in every attempt and is known by its number, `call`, even if it
    is called with something else. Tasks that the step made may come in another order: with `call` None their runs are
    known by what they were started with, and `taken` are those the attempt has found already.
    """
    mine = [run for run in found if run.workflow == workflow and run.id not in taken]
    if call is not None:
        mine = [run for run in mine if run.place.call == call]
    else:
        mine = [run for run in mine if run.start == start]
    return next((run for run in reversed(mine) if not (run.unsuccessful and spent(run))), None)


def ending_of(records: Iterable[Record], routes: Routes, types: EventTypes) -> tuple[RunState, Tick]:
    """The state of an ended run before its end, and the tick that ended it: it can end once more in memory.

    Raises ValueNotStorable or KeyError when a class or step of it is gone, or its result was never stored.
    """
    decoder = Decoder(types, spare=True)
    state, told, last = RunState(routes), [], 0
    for record in records:
        before = state.outcome
        told.append(read(record, decoder))
        apply(state, told[-1])
        if state.outcome is not None and state.outcome is not before:  # it may have been opened again since
            last = len(told) - 1
    for value, error in decoder.losses:
        if state.outcome is not None and value is state.outcome.event:
            raise error
    return fold(told[:last], routes), told[last]


def raised_again(facts: ErrorFacts, workflow: type) -> Exception | None:
    """An exception of the recorded class, for the `except` of the step that met it before; None if it cannot be made.

    The class is looked for among Python's own and in the modules of `workflow`; nothing is imported.
    """
    modules = [sys.modules.get(base.__module__) for base in workflow.__mro__]
    for place in (builtins, *modules):
        kind = vars(place).get(facts.type) if place is not None else None
        if isinstance(kind, type) and issubclass(kind, Exception):
            try:
                return kind(facts.message)
            except Exception:
                return None
    return None
