"""A live run: one that a worker drives right now, with the nested ones inside it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from treadle.engine.events import Event
from treadle.engine.loop import RunLoop
from treadle.engine.ticks import Key
from treadle.engine.workflow import Workflow
from treadle.errors import RunInterrupted, TreadleError
from treadle.runner.nested import NestedHandler
from treadle.store.journal import StoredJournal
from treadle.store.leases import Claim
from treadle.store.lineage import Nested, Place

_INNOCENT = ("stopped", "signal 9", "signal 15", f"exit {os.EX_IOERR}")


@dataclass(slots=True)
class Attempt:
    """An attempt of a step: the nested runs that earlier ones have left, and those of them it has called for."""

    number: int
    left: list[Nested]
    taken: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class LiveRun:
    """A run this worker drives right now; a nested one has its place in the run `around` it, and its handler there."""

    claim: Claim
    workflow: Workflow
    loop: RunLoop
    journal: StoredJournal
    types: dict[str, type[Event]]
    place: Place | None = None
    around: LiveRun | None = None
    version: str | None = None
    """That of its code, if it went on with another one before."""
    handler: NestedHandler | None = None
    inside: dict[str, LiveRun] = field(default_factory=dict)
    attempts: dict[Key, Attempt] = field(default_factory=dict)

    @property
    def on_probation(self) -> bool:
        """Whether a delivery that was there when a worker crashed is being tried again, here and not further inside."""
        inside = {(live.place.seq, live.place.step) for live in self.inside.values() if live.place is not None}
        return any(delivery.deaths and key not in inside for key, delivery in self.loop.state.running.items())


def crashed(claim: Claim) -> bool:
    """Whether a step may have ended the run's last worker: being stopped or killed, or a bad disk, is not its fault."""
    return claim.last_exit is not None and claim.last_exit not in _INNOCENT


def passed_on(run_id: str, workflow: str, error: BaseException) -> BaseException:
    """What stops the run around one that stopped: it goes on when that does."""
    if isinstance(error, RunInterrupted):
        return error
    return TreadleError(f"Its nested run {run_id} of {workflow} is interrupted: {error}")
