"""Reach: which steps of a workflow can start, and from which the run can end, as far as annotations tell."""

from __future__ import annotations

from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from treadle.engine.signature import Signature
from treadle.engine.table import StepTable


class Reach:
    """What can happen in a workflow.

    `events` are the types that can come to a step, `steps` the steps that can start; answers of people come from
    outside at any time. `ending` are the steps from which a StopEvent can follow: by what they emit, by what a person
    answers to it, or because they declare nothing and may send anything. `stops` says whether one of `steps` may end
    the run.
    """

    def __init__(self, table: StepTable) -> None:
        self._table = table
        self._signatures = {name: step.spec.signature for name, step in table.steps.items()}
        self._answers = {kind for kind in table.routes.takers if issubclass(kind, HumanResponseEvent)}
        self.events: set[type[Event]] = {kind for kind in table.routes.takers if issubclass(kind, StartEvent)}
        self.events |= self._answers
        self.steps: set[str] = set()
        self.ending: set[str] = set()
        while self._start_more() or self._end_more():
            pass
        self.stops = any(_ends(self._signatures[name]) for name in self.steps)

    def lacks(self, step: str) -> tuple[type[Event], ...]:
        """The events that `step` waits for and that never come."""
        events = self._signatures[step].events
        return tuple(kind for _, kinds in events if self.events.isdisjoint(kinds) for kind in kinds)

    def _start_more(self) -> bool:
        more = {name for name in self._signatures if name not in self.steps and self._can_start(name)}
        self.steps |= more
        for name in more:
            self.events |= {kind for kind in self._signatures[name].emits if not issubclass(kind, StopEvent)}
        return bool(more)

    def _end_more(self) -> bool:
        more = {name for name in self._signatures if name not in self.ending and self._can_end(name)}
        self.ending |= more
        return bool(more)

    def _can_start(self, step: str) -> bool:
        if not self.lacks(step):
            return True
        return any(self._table.routes.catchers.get(failing) == step for failing in self.steps)

    def _can_end(self, step: str) -> bool:
        signature = self._signatures[step]
        return _ends(signature) or any(self._leads_on(kind) for kind in signature.emits)

    def _leads_on(self, kind: type[Event]) -> bool:
        takers = self._table.routes.takers
        following = {kind} | (self._answers if issubclass(kind, InputRequiredEvent) else set())
        return any(name in self.ending and name in self.steps for event in following for name in takers.get(event, ()))


def _ends(signature: Signature) -> bool:
    return not signature.emits or any(issubclass(kind, StopEvent) for kind in signature.emits)
