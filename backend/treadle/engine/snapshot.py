"""Snapshots: the state of a run as plain JSON data, and back, to continue from or to shorten replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from treadle.engine.events import Event
from treadle.engine.later import read_now
from treadle.engine.records import EventTypes
from treadle.engine.serializers import decode, decode_event, encode, encode_event
from treadle.engine.state import MISSING, Buffer, Child, Delivery, Memo, Outcome, Routes, RunState, StepCounts, Wait
from treadle.engine.ticks import ErrorFacts
from treadle.engine.values.classes import class_ref, loaded_class
from treadle.errors import ValueNotStorable

FORM = 1
"""The form of the data; a later Treadle reads the earlier ones."""


def to_snapshot(state: RunState, *, context: bool = True) -> dict[str, Any]:
    """`state` as JSON data, without its context where the caller has that.

    Raises ValueNotStorable naming the event or key that has no exact form.
    """
    return {
        "form": FORM,
        "steps": {name: asdict(counts) for name, counts in state.steps.items()},
        "seq": state.seq,
        "held": state.held,
        "outcome": _outcome(state.outcome),
        **({"context": encode(state.context, outer=True)} if context else {}),
        "writers": encode(state.writers),
        "running": [_delivery(delivery) for delivery in state.running.values()],
        "queued": {step: [_delivery(delivery) for delivery in queue] for step, queue in state.queued.items()},
        "waiting_leave": [_delivery(delivery) for delivery in state.waiting_leave.values()],
        "delayed": [[_delivery(delivery), due] for delivery, due in state.delayed.values()],
        "waits": [
            [
                _delivery(wait.delivery), wait.expected, encode(wait.requirements, outer=True), wait.due, wait.prompt,
                wait.human,
            ]
            for wait in state.waits.values()
        ],
        "joining": {
            step: [[[seq, _event(event)] for seq, event in queue] for queue in queues]
            for step, queues in state.joining.items()
        },
        "buffers": {
            step: [[[seq, _event(event)] for seq, event in b.events.items()], [[*run] for run in b.expected], b.need]
            for step, b in state.buffers.items()
        },
        "carried": [[seq, dict(recovered)] for seq, recovered in state.carried.items()],
        "handed": [[seq, step, _event(event)] for (seq, step), event in state.handed.items()],
        "children": [[*key, child.workflow, child.run_id, child.status] for key, child in state.children.items()],
        "prompts": [[number, _event(event)] for number, event in state.prompts.items()],
        "untaken": [[*nobody] for nobody in state.untaken],
        "events": dict(state.events),
        "emitted": [[*edge, count] for edge, count in state.emitted.items()],
        "taken": [[*edge, count] for edge, count in state.taken.items()],
        "times": [state.started_at, state.last_at, state.active],
        "deadline": state.deadline,
        "size": state.size,
        "version": state.version,
    }


def from_snapshot(data: Mapping[str, Any], routes: Routes, types: EventTypes) -> RunState:
    """The state `to_snapshot` was given; `types` are the event classes by name.

    Raises ValueNotStorable when a class or step of it is no longer there, or the data is not a snapshot.
    """
    if data.get("form") != FORM:
        raise ValueNotStorable(
            "This is not a context saved by to_dict() of this version of Treadle; save it again with this version."
        )
    if gone := sorted(_steps_used(data) - set(routes.workers)):
        raise ValueNotStorable(f"The saved run has steps that its workflow no longer has: {', '.join(gone)}.")
    read = _Reader(types)
    state = RunState(routes)
    state.steps.update({name: StepCounts(**counts) for name, counts in data["steps"].items() if name in state.steps})
    state.seq, state.held = data["seq"], data["held"]
    state.outcome = read.outcome(data["outcome"])
    state.context = decode(data["context"])
    state.writers = decode(data["writers"])
    state.running = _by_key(map(read.delivery, data["running"]))
    state.queued = {step: deque(map(read.delivery, queue)) for step, queue in data["queued"].items()}
    state.waiting_leave = _by_key(map(read.delivery, data["waiting_leave"]))
    for item, due in data["delayed"]:
        delivery = read.delivery(item)
        state.delayed[delivery.key] = (delivery, due)
    for item, expected, requirements, due, prompt, human in data["waits"]:
        delivery = read.delivery(item)
        state.waits[delivery.key] = Wait(delivery, expected, decode(requirements), due, prompt, human)
    for step, queues in data["joining"].items():
        state.joining[step] = [deque((seq, read.event(event)) for seq, event in queue) for queue in queues]
    for step, (events, expected, need) in data["buffers"].items():
        buffer = state.buffers[step] = Buffer(expected=[(name, count) for name, count in expected], need=need)
        for seq, event in events:
            buffer.add(seq, read.event(event))
    state.carried = dict(data.get("carried", ()))
    state.handed = {(seq, step): read.event(event) for seq, step, event in data["handed"]}
    state.children = {(seq, step, call): Child(*child) for seq, step, call, *child in data["children"]}
    for (seq, step, _), child in state.children.items():
        state.count_child((seq, step), child, 1)
    state.prompts = {number: read.event(event) for number, event in data["prompts"]}
    state.untaken = [(name, source) for name, source in data["untaken"]]
    state.events = dict(data["events"])
    state.emitted = {(source, target): count for source, target, count in data["emitted"]}
    state.taken = {(source, target): count for source, target, count in data["taken"]}
    state.started_at, state.last_at, state.active = data["times"]
    state.deadline = data.get("deadline")
    state.size = data.get("size", 0)
    state.version = data.get("version")
    return state


def _steps_used(data: Mapping[str, Any]) -> set[str]:
    """The steps something happened in or is to happen in; one the run never came to may be gone."""
    begun = {name for name, counts in data["steps"].items() if any(counts.values())}
    waiting = {delivery["step"] for delivery in data["waiting_leave"]}
    return begun | waiting | {*data["queued"]} | {*data["joining"]}


def _by_key(deliveries: Iterable[Delivery]) -> dict[tuple[int, str], Delivery]:
    return {delivery.key: delivery for delivery in deliveries}


def _event(event: Event) -> list[Any]:
    parts = encode_event(event)
    fields = parts.pop("v")
    return [type(event).__name__, class_ref(type(event)), fields, *([parts] if parts else [])]


def _delivery(delivery: Delivery) -> dict[str, Any]:
    data: dict[str, Any] = {"seq": delivery.seq, "step": delivery.step, "event": _event(delivery.event)}
    if delivery.inputs is not None:
        data["inputs"] = [_event(event) for event in delivery.inputs]
    for name in ("attempt", "failures", "started_at", "first_failed_at", "deaths", "paused", "cleared", "recovered"):
        if (value := getattr(delivery, name)) is not None:
            data[name] = value
    if (memo := delivery.memo) is not None:
        data["memo"] = {
            "sent": memo.sent,
            "asked": memo.asked,
            "writes": {key: [_known(read_now(old), key), _known(writer)] for key, (old, writer) in memo.writes.items()},
            "batches": [[_event(event) for event in batch] for batch in memo.batches],
            "waited": [None if event is None else _event(event) for event in memo.waited],
            "results": encode(memo.results, outer=True),
        }
    return data


def _known(value: Any, path: str = "") -> list[Any]:
    return [] if value is MISSING else [encode(value, path)]


def _outcome(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    event = _event(outcome.event) if outcome.event is not None else None
    error = asdict(outcome.error) if outcome.error is not None else None
    return {
        "status": outcome.status,
        "event": event,
        "error": error,
        "step": outcome.step,
        "attempts": outcome.attempts,
        "delivery": _delivery(outcome.delivery) if outcome.delivery is not None else None,
    }


class _Reader:
    """Reads the parts of a snapshot, with the event classes it may mention."""

    def __init__(self, types: EventTypes) -> None:
        self._types = types

    def event(self, data: list[Any]) -> Event:
        name, ref, fields, *parts = data
        kind: Any = loaded_class(ref) if ref is not None else None
        if kind is None or not issubclass(kind, Event):  # another module may have it now
            kind = self._types.get(name)
        if kind is None:
            raise ValueNotStorable(f"The saved run has a {name}, and no such event class is loaded.")
        event: Event = decode_event(kind, fields, parts[0] if parts else {}, types=self._types)
        return event

    def delivery(self, data: dict[str, Any]) -> Delivery:
        rest = {name: data[name] for name in data.keys() - {"event", "inputs", "memo"}}
        delivery = Delivery(event=self.event(data["event"]), **rest)
        if "inputs" in data:
            delivery.inputs = tuple(self.event(event) for event in data["inputs"])
        if "memo" in data:
            memo = data["memo"]
            delivery.memo = Memo(
                memo["sent"],
                memo["asked"],
                {key: (_if_known(old), _if_known(writer)) for key, (old, writer) in memo["writes"].items()},
                [[self.event(event) for event in batch] for batch in memo["batches"]],
                [None if event is None else self.event(event) for event in memo["waited"]],
                decode(memo["results"]),
            )
        return delivery

    def outcome(self, data: dict[str, Any] | None) -> Outcome | None:
        if data is None:
            return None
        event = self.event(data["event"]) if data["event"] is not None else None
        error = ErrorFacts(**data["error"]) if data["error"] is not None else None
        delivery = self.delivery(data["delivery"]) if data.get("delivery") is not None else None
        return Outcome(data["status"], event, error, data["step"], data["attempts"], delivery)


def _if_known(known: list[Any]) -> Any:
    return decode(known[0]) if known else MISSING
