"""The summary of a run: what every page shows of it without folding its journal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from treadle.engine.events import StopEvent
from treadle.engine.records import event_payload
from treadle.engine.rules.collecting import join_progress
from treadle.engine.serializers import encode, model_fields, shown
from treadle.engine.state import Outcome, RunState
from treadle.errors import ValueNotStorable

QUEUE_SHOWN = 50
CHILDREN_SHOWN = 50
PAYLOAD_SHOWN = 64 * 1024
"""Characters of a queued event's payload; of a longer one only the beginning is told."""
KNOWN = 4096
"""Names and edges whose JSON is remembered."""


class Summary(NamedTuple):
    """JSON texts beside the plain facts; `result` and `error` only of an ended run."""

    status: str
    held: bool
    entries: int
    started_at: float
    ended_at: float | None
    counts: str
    queue: str
    result: str | None
    error: str | None


def summarize(state: RunState) -> Summary:
    """The summary of `state` as it is now."""
    outcome = state.outcome
    return Summary(
        status=state.status,
        held=state.held,
        entries=state.seq,
        started_at=state.started_at,
        ended_at=state.last_at if outcome is not None and outcome.status != "interrupted" else None,
        counts=_counts(state),
        queue=_dumps(_queue(state)) if state.waiting_leave else "[]",
        result=_result(outcome) if outcome is not None and outcome.status == "completed" else None,
        error=_error(outcome) if outcome is not None and outcome.error is not None else None,
    )


def counts(state: RunState) -> dict[str, Any]:
    """Recorded counts of steps, events and edges, and the progress of joins; edges as "source>target"."""
    told: dict[str, Any] = json.loads(_counts(state))
    return told


def _counts(state: RunState) -> str:
    """`counts` as JSON. Every commit has one: written straight down it takes a quarter of what `json` takes."""
    over = state.outcome is not None
    joins = join_progress(state) if state.buffers or state.joining else {}
    waiting: Mapping[str, int] = {}
    if (joins or state.waits) and not over:
        waiting = Counter([*joins, *(wait.delivery.step for wait in state.waits.values())])
    steps = [
        f'{_name(name)}:{{"started":{c.started},"running":{0 if over else c.running},"done":{c.done}'
        f',"failed":{c.failed},"waiting":{waiting[name] if waiting else 0}}}'
        for name, c in state.steps.items()
    ]
    events = [f"{_name(event)}:{n}" for event, n in state.events.items()]
    edges = [f"{_taken(edge)}:{n}" for edge, n in state.taken.items()]
    edges += [f"{_emitted(edge)}:{n}" for edge, n in state.emitted.items()]
    children = [
        {"step": step, "workflow": child.workflow, "run_id": child.run_id, "status": child.status}
        for (_, step, _), child in list(state.children.items())[-CHILDREN_SHOWN:]
    ]
    return (
        f'{{"steps":{{{",".join(steps)}}},"events":{{{",".join(events)}}},"edges":{{{",".join(edges)}}}'
        f',"joins":{_dumps(joins) if joins else "{}"},"children":{_dumps(children) if children else "[]"}'
        f',"prompts":{0 if over else len(state.prompts)}}}'
    )


@lru_cache(KNOWN)
def _name(name: str) -> str:
    return _dumps(name)


@lru_cache(KNOWN)
def _taken(edge: tuple[str, str]) -> str:
    event, step = edge
    return _dumps(f"event:{event}>step:{step}")


@lru_cache(KNOWN)
def _emitted(edge: tuple[str, str]) -> str:
    step, event = edge
    return _dumps(f"step:{step}>event:{event}")


def _queue(state: RunState) -> list[dict[str, Any]]:
    shown = []
    for delivery in list(state.waiting_leave.values())[:QUEUE_SHOWN]:
        try:
            text = event_payload(delivery.event)
            payload = json.loads(text) if len(text) <= PAYLOAD_SHOWN else {"size": len(text), "shown": text[:1000]}
        except ValueNotStorable as error:
            payload = {"not_stored": str(error)}
        shown.append(
            {
                "id": f"{delivery.seq}:{delivery.step}",
                "step": delivery.step,
                "event_type": type(delivery.event).__name__,
                "payload": payload,
            }
        )
    return shown


def _result(outcome: Outcome) -> str:
    event = outcome.event
    assert event is not None
    value, outer = (event.result, False) if type(event) is StopEvent else (model_fields(event), True)
    try:
        return _dumps(encode(value, "result", outer=outer))
    except ValueNotStorable:
        return _dumps(shown(value))


def _error(outcome: Outcome) -> str:
    facts = outcome.error
    assert facts is not None
    told = {"type": facts.type, "message": facts.message, "step": outcome.step, "traceback": facts.traceback}
    if outcome.status == "interrupted" and outcome.delivery is not None:
        told["delivery"] = f"{outcome.delivery.seq}:{outcome.delivery.step}"
    return _dumps(told)


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
