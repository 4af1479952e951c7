"""Validation: whether the steps of a workflow fit together, told before anything starts."""

from __future__ import annotations

from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from treadle.engine.table import StepTable
from treadle.errors import WorkflowValidationError

_HUMAN = (InputRequiredEvent, HumanResponseEvent)


def start_class(table: StepTable) -> type[StartEvent]:
    """The one start event class the steps accept. Raises WorkflowValidationError for none or several."""
    found = [kind for kind in table.routes.takers if issubclass(kind, StartEvent)]
    if not found:
        raise WorkflowValidationError("At least one step must accept StartEvent or a subclass of it.")
    if len(found) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in found))
        raise WorkflowValidationError(f"Only one start event class is allowed per workflow, but found {names}.")
    return found[0]


def validate(table: StepTable) -> bool:
    """Check that every event has a producer and a consumer; return whether the workflow asks people.

    Raises WorkflowValidationError with the names of what does not fit.
    """
    start = start_class(table)
    consumed = list(table.routes.takers)
    produced: list[type[Event]] = [start]
    services: list[str] = []
    for step in table.steps.values():
        produced += [kind for kind in step.spec.signature.emits if kind not in produced]
        services += [name for name in step.spec.signature.services if name not in services]
    if services:
        raise WorkflowValidationError(f"The following services are not available: {', '.join(services)}")
    if not any(issubclass(kind, StopEvent) for kind in produced):
        raise WorkflowValidationError("At least one step must return StopEvent or a subclass of it.")
    unproduced = [k for k in consumed if k not in produced and not issubclass(k, (*_HUMAN, StopEvent))]
    if unproduced:
        names = ", ".join(sorted(kind.__name__ for kind in unproduced))
        raise WorkflowValidationError(f"The following events are consumed but never produced: {names}")
    unconsumed = [k for k in produced if k not in consumed and not issubclass(k, (*_HUMAN, StopEvent))]
    if unconsumed:
        names = ", ".join(sorted(kind.__name__ for kind in unconsumed))
        raise WorkflowValidationError(f"The following events are produced but never consumed: {names}")
    return any(issubclass(kind, _HUMAN) for kind in (*consumed, *produced))
