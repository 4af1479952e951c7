"""Questions on the pages: was a step done that may be done at most once, and with which event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from treadle.registry.schema import NOTHING
from treadle.store.runs import RunDetail
from treadle.store.workflows import VersionRow
from treadle.web.forms import Form, blank_form
from treadle.web.templating import segment

Outcomes = dict[str, dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Question:
    """What a run asks: the step, the entry of the event it was given, and a form for each event it may return."""

    step: str
    given: int | None
    forms: tuple[tuple[str, Form], ...]
    nothing: bool
    """Whether the step may return no event."""


def question_of(
    run: RunDetail, *versions: VersionRow | None, refused: tuple[str, Form] | None = None
) -> Question | None:
    """What the run asks, None if it asks nothing; `refused` is a form that came back, with its messages."""
    if not run.asks or run.error is None:
        return None
    step, seq = str(run.error.get("step") or ""), str(run.error.get("delivery") or "").partition(":")[0]
    outcomes = outcomes_of(run, *versions)
    forms = [(name, blank_form(schema)) for name, schema in outcomes.items() if schema is not None]
    if refused is not None:
        forms = [refused if name == refused[0] else (name, form) for name, form in forms]
    return Question(step, int(seq) if seq.isdigit() else None, tuple(forms), NOTHING in outcomes)


def outcomes_of(run: RunDetail, *versions: VersionRow | None) -> Outcomes:
    """What the step it asks about may return, by the first of the versions that knows the step."""
    step = run.error.get("step") if run.error is not None else None
    for version in versions:
        if version is not None and step in (known := version.graph.get("outcomes", {})):
            found: Outcomes = known[step]
            return found
    return {}


def question_json(run: RunDetail, outcomes: Outcomes) -> dict[str, Any] | None:
    """The question as JSON, with the schemas of the events the step may return; None is for no event."""
    if not run.asks or run.error is None:
        return None
    return {
        "run": run.id,
        "workflow": run.workflow,
        "step": run.error.get("step"),
        "delivery": run.error.get("delivery"),
        "epoch": run.epoch,
        "url": f"/runs/{segment(run.id)}/question",
        "verdicts": ["done", "again", "fail"],
        "outcomes": outcomes,
    }
