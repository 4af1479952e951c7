"""Validation: whether the steps of a workflow fit together, told before anything starts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from treadle.engine.events import (
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StepFailedEvent,
    StopEvent,
)
from treadle.engine.reach import Reach
from treadle.engine.steps import StepSpec
from treadle.engine.table import StepTable
from treadle.errors import WorkflowValidationError

_HUMAN = (InputRequiredEvent, HumanResponseEvent)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that can run but is probably not meant; `step` is where, None for the workflow as a whole.

    `kind` is unreachable, dead_end, no_stop or unused_slot.
    """

    kind: str
    step: str | None
    text: str


def start_class(table: StepTable) -> type[StartEvent]:
    """The one start event class the steps accept. Raises WorkflowValidationError for none or several."""
    found = [kind for kind in table.routes.takers if issubclass(kind, StartEvent)]
    if not found:
        raise WorkflowValidationError("At least one step must accept StartEvent or a subclass of it.")
    if len(found) > 1:
        raise WorkflowValidationError(f"Only one start event class is allowed per workflow, but found {_named(found)}.")
    return found[0]


def validate(table: StepTable, *, strict: bool = False) -> bool:
    """Check that every event has a producer and a consumer; return whether the workflow asks people.

    Raises WorkflowValidationError with the names of what does not fit; when `strict` also for every finding.
    """
    start = start_class(table)
    specs = [step.spec for step in table.steps.values()]
    consumed = set(table.routes.takers)
    produced = {start, *(kind for spec in specs for kind in spec.signature.emits)}
    if not any(issubclass(kind, StopEvent) for kind in produced):
        raise WorkflowValidationError("At least one step must return StopEvent or a subclass of it.")
    caught = {StepFailedEvent} if any(spec.is_catcher for spec in specs) else set()
    _refuse("The following events are consumed but never produced", consumed - produced - caught)
    _refuse("The following events are produced but never consumed", produced - consumed)
    if table.missing:
        raise WorkflowValidationError(f"The following services are not available: {', '.join(table.missing)}")
    _check_catchers(specs)
    _check_state_types(specs)
    if strict and (warnings := warnings_of(table)):
        raise WorkflowValidationError("\n".join(["What a strict workflow may not have:", *warnings]))
    return any(issubclass(kind, _HUMAN) for kind in consumed | produced)


def warnings_of(table: StepTable) -> list[str]:
    """What is probably not meant, as texts for people; see `findings`."""
    return [finding.text for finding in findings(table)]


def findings(table: StepTable) -> list[Finding]:
    """Steps that never start, dead ends, a start that leads to no stop, nested workflows that no step asks for.

    They are told from annotations alone: a step that declares to return nothing may send anything.
    """
    reach = Reach(table)
    found: list[Finding] = []
    for name, step in table.steps.items():
        if name not in reach.steps:
            found.append(Finding("unreachable", name, _unreachable(step.spec, reach)))
        elif name not in reach.ending:
            found.append(Finding("dead_end", name, _dead_end(step.spec, table)))
    if not reach.stops:
        found.append(Finding("no_stop", None, _no_stop(table)))
    for name in table.unused:
        text = f"No step takes the workflow {name} of add_workflows: give one a parameter {name}, or correct the name."
        found.append(Finding("unused_slot", None, text))
    return found


def _refuse(what: str, kinds: Iterable[type[Event]]) -> None:
    wrong = [kind for kind in kinds if not issubclass(kind, (*_HUMAN, StopEvent))]
    if wrong:
        raise WorkflowValidationError(f"{what}: {_named(wrong)}")


def _check_catchers(specs: Collection[StepSpec]) -> None:
    steps = {spec.name: spec for spec in specs}
    by_step: dict[str, str] = {}
    rest: list[str] = []
    for spec in specs:
        if not spec.is_catcher:
            continue
        if spec.catches is None:
            rest.append(spec.name)
        for name in dict.fromkeys(spec.catches or ()):
            if name not in steps:
                others = ", ".join(step.name for step in specs if not step.is_catcher)
                raise WorkflowValidationError(
                    f"@catch_error step {spec.name} is for a step {name}, which does not exist; there are {others}."
                )
            if steps[name].is_catcher:
                which = "itself" if name == spec.name else f"{name}, which catches errors too"
                raise WorkflowValidationError(
                    f"@catch_error step {spec.name} cannot be for {which}; take {name} out of its for_steps."
                )
            if name in by_step:
                raise WorkflowValidationError(
                    f"Step {name} has two @catch_error steps, {by_step[name]} and {spec.name}; "
                    f"leave it in the for_steps of one."
                )
            by_step[name] = spec.name
    if len(rest) > 1:
        raise WorkflowValidationError(
            f"Only one @catch_error step may be for all other steps, but found {', '.join(rest)}; "
            "name steps in for_steps of the others."
        )


def _check_state_types(specs: Iterable[StepSpec]) -> None:
    asked = {spec.signature.state_type: spec.name for spec in reversed(list(specs)) if spec.signature.state_type}
    if asked and not any(all(issubclass(kind, other) for other in asked) for kind in asked):
        told = ", ".join(f"{kind.__name__} (step {name})" for kind, name in reversed(asked.items()))
        raise WorkflowValidationError(
            f"A workflow has one state, but its steps ask for {told}: annotate every Context with the same type, or "
            "with base classes of one."
        )


def _unreachable(spec: StepSpec, reach: Reach) -> str:
    told = f"Step {spec.name} can never start"
    lacking = reach.lacks(spec.name)
    if spec.is_catcher and StepFailedEvent in lacking:
        return f"{told}: it catches the errors of no step that can; correct its for_steps, or remove it."
    if any(issubclass(kind, StopEvent) for kind in lacking):
        return f"{told}: {_named(lacking)} ends the run before a step can take it; let it accept another event."
    return f"{told}: no step that can returns {_named(lacking, ' or ')}; let one return it, or remove this one."


def _dead_end(spec: StepSpec, table: StepTable) -> str:
    told = f"Step {spec.name} is a dead end"
    emits = spec.signature.emits
    answered = any(issubclass(kind, HumanResponseEvent) for kind in table.routes.takers)
    if not answered and all(issubclass(kind, InputRequiredEvent) for kind in emits):
        return f"{told}: no step takes the answer to {_named(emits)}; let one accept HumanResponseEvent."
    return f"{told}: no path leads from {_named(emits, ' or ')} to a StopEvent; let a step on the way return one."


def _no_stop(table: StepTable) -> str:
    able = [
        name
        for name, step in table.steps.items()
        if any(issubclass(kind, StopEvent) for kind in step.spec.signature.emits)
    ]
    remedy = f"lead to {' or '.join(able)}, which would return one" if able else "let a step return one"
    return f"No path leads from the start to a StopEvent, so a run never completes: {remedy}."


def _named(kinds: Iterable[type[Event]], separator: str = ", ") -> str:
    return separator.join(sorted(kind.__name__ for kind in kinds))
