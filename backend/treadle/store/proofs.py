"""Proofs: what must be true of one run as it is stored. Each yields what is not, as a finding."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from treadle.engine.records import Record, from_record
from treadle.engine.reducer import apply
from treadle.engine.replay import change_version
from treadle.engine.serializers import encode
from treadle.engine.snapshot import to_snapshot
from treadle.engine.state import RunState
from treadle.engine.summary import Summary, counts, summarize
from treadle.engine.ticks import Tick
from treadle.errors import ValueNotStorable
from treadle.store.leases import LIVE
from treadle.store.routing import Routing
from treadle.store.splices import whole
from treadle.store.unloaded import event_parts, plain, readable

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be; `check` names the proof that failed."""

    check: str
    message: str
    run: str | None = None
    entry: int | None = None


@dataclass(slots=True)
class Case:
    """Everything that is stored of one run; `calls` are the entries by which its parent's journal knows of it."""

    run: Row
    records: Sequence[Record]
    prompts: Sequence[Row] = ()
    requests: Sequence[Row] = ()
    snapshot: Row | None = None
    saved: Row | None = None
    """Its saved state, as JSON data."""
    children: Sequence[Row] = ()
    parent: Row | None = None
    calls: Sequence[Record] = ()

    @property
    def id(self) -> str:
        return str(self.run["id"])

    @property
    def reopening(self) -> bool:
        """Whether a person has opened it again, and no worker has told the journal so yet."""
        return any(request["kind"] == "reopening" and request["handled_at"] is None for request in self.requests)

    @property
    def live(self) -> bool:
        return self.run["status"] in LIVE

    @property
    def parked(self) -> bool:
        """Whether a worker that could not go on has stopped it by its row alone; its counts may be a moment old."""
        given_up = bool(self.records) and self.records[-1].kind == "given_up"
        return self.run["status"] == "interrupted" or self.reopening or given_up

    def finding(self, check: str, message: str, entry: int | None = None) -> Finding:
        return Finding(check, message, self.id, entry)

    def count(self, kind: str, cause: int | None = None) -> int:
        """How many entries of this kind there are, of this cause if one is given."""
        return sum(record.kind == kind and cause in (None, record.cause) for record in self.records)


@dataclass(slots=True)
class Folded:
    """A journal folded again; `row` is the summary at the entry the row of the run counts to, `context` the context at
    that of the snapshot, `saved` the state at that of the saved one, `counts` those at every entry of a parked run.
    """

    state: RunState
    routing: Routing
    row: Summary | None = None
    counts: list[dict[str, Any]] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    context: Mapping[str, Any] | None = None
    saved: Mapping[str, Any] | None = None


class NotFolded(Exception):  # noqa: N818 - says how far it got
    """A journal that cannot be folded to its end; `value` if the only reason is a value without an exact form."""

    def __init__(self, entry: int, why: str, *, value: bool) -> None:
        super().__init__(why)
        self.entry = entry
        self.why = why
        self.value = value


def fold_again(case: Case, routing: Routing) -> Folded:
    """The state the journal stands for. Raises NotFolded."""
    routing = routing.with_events(event_parts(case.records, {prompt["id"] for prompt in case.prompts}))
    folded = Folded(RunState(routing.routes), routing)
    at = case.snapshot["seq"] if case.snapshot is not None else None
    saved_at = case.saved["seq"] if case.saved is not None else None
    for record in whole(case.records):
        try:
            tick = from_record(readable(record), routing.types)
            change_version(folded.state, tick, routing.versions.get)
            apply(folded.state, tick)
            folded.state.size += record.size
        except ValueNotStorable as error:
            raise NotFolded(record.seq, str(error), value=True) from error
        except (LookupError, AssertionError, AttributeError, TypeError, ValueError) as error:
            raise NotFolded(record.seq, f"{type(error).__name__}: {error}", value=False) from error
        folded.ticks.append(tick)
        if record.seq == case.run["entries"]:
            folded.row = summarize(folded.state)
        if case.parked:
            folded.counts.append(_at_rest(counts(folded.state)))
        if record.seq == at:
            folded.context = encode(folded.state.context, "context")
        if record.seq == saved_at:
            folded.saved = to_snapshot(folded.state)
    return folded


def journal_is_whole(case: Case) -> Iterator[Finding]:
    """Entries are numbered 1, 2, 3 and so on, as many as the run's row says, and begin with its start.

    While a run goes on its row may be a moment behind: what it says must then have been true at the entry it counts to.
    """
    for expected, record in enumerate(case.records, 1):
        if record.seq != expected:
            yield case.finding("gapless", f"entry {expected} is missing; the next one is {record.seq}", expected)
            return
    counted = case.run["entries"]
    behind = case.run["status"] == "running" and 0 < counted < len(case.records)
    if counted != len(case.records) and not behind:
        yield case.finding(
            "gapless", f"the run counts {counted} entries, and its journal has {len(case.records)}"
        )
    for record in case.records[1:]:
        if record.kind == "run_started":
            yield case.finding("started once", f"entry {record.seq} starts the run again", record.seq)


def steps_finish_once(case: Case) -> Iterator[Finding]:
    """A delivery is finished at most once."""
    seen: dict[tuple[int | None, str | None], int] = {}
    for record in case.records:
        if record.kind == "step_finished":
            first = seen.setdefault((record.cause, record.step), record.seq)
            if first != record.seq:
                message = f"step {record.step} finished with event {record.cause} at entry {first} and again here"
                yield case.finding("finished once", message, record.seq)


def requests_are_handled_once(case: Case) -> Iterator[Finding]:
    """What was asked of the run is in its journal just when it counts as handled."""
    for request in case.requests:
        kind, handled = request["kind"], request["handled_at"] is not None
        body = json.loads(request["body"])
        told = f"request {request['id']} ({kind})"
        if kind == "start":
            done = bool(case.records)
        elif kind == "response" and request["dedupe"] is not None:
            told += f" to prompt {body['prompt']}"
            done = bool(case.count("response_received", body["prompt"]))
        elif kind == "cancellation" and handled and request["dedupe"] is not None:
            done = bool(case.count("run_cancelled"))
        else:
            continue
        if done and not handled:
            yield case.finding("handled once", f"{told} is in the journal, and would be handled once more")
        elif handled and not done and case.live:
            yield case.finding("handled once", f"{told} counts as handled, and the journal does not have it")
    answered = Counter(record.cause for record in case.records if record.kind == "response_received")
    for prompt, times in answered.items():
        if prompt is not None and times > 1:
            yield case.finding("answered once", f"prompt {prompt} was answered {times} times", prompt)
    reopened = sum(
        request["kind"] == "reopening" and request["handled_at"] is not None and request["dedupe"] is not None
        for request in case.requests
    )
    if reopened != (told_of := case.count("reopened")):
        yield case.finding(
            "handled once", f"{reopened} requests to reopen it count as handled, and its journal has {told_of} of them"
        )
    if sum(request["kind"] == "start" for request in case.requests) > 1:
        yield case.finding("handled once", "there is more than one request to start it")


def row_says_the_same(case: Case, folded: Folded) -> Iterator[Finding]:
    """The summary every page shows is the one its journal comes to."""
    summary = summarize(folded.state)
    if summary.status == "running" and folded.row is not None:  # what comes to rest or ends is told at once
        summary = folded.row
    run = case.run
    # A worker that cannot go on parks a run by its row alone: the journal then still says what it was about to do.
    parked = run["status"] == "interrupted" and (folded.state.outcome is None or case.reopening)
    # Nor does it say that a person has opened it again, until a worker takes it up.
    reopening = run["status"] == "running" and case.reopening
    untold = ("status", "ended_at", "error") if parked or reopening else ()
    if parked and run["error"] is None:
        yield case.finding("summary", "it is interrupted, and nothing says why")
    for name in ("status", "held", "entries", "started_at", "ended_at"):
        if name not in untold and run[name] != getattr(summary, name):
            yield case.finding(
                "summary", f"{name} is {run[name]!r} in its row and {getattr(summary, name)!r} by its journal"
            )
    for name in ("counts", "queue", "result", "error"):
        if name in untold:
            continue
        stored, told = _loads(run[name]), _loads(getattr(summary, name))
        if name == "counts" and case.parked and isinstance(stored, dict) and _at_rest(stored) in folded.counts:
            continue
        if untold and name == "counts":
            stored, told = _at_rest(stored), _at_rest(told)
        if isinstance(stored, dict) and isinstance(told, dict) and name != "result":  # an earlier Treadle told less
            told = {key: value for key, value in told.items() if key in stored or (value and name == "counts")}
        if difference := first_difference(plain(stored), told, name):
            yield case.finding("summary", difference)


def context_is_kept(case: Case, folded: Folded) -> Iterator[Finding]:
    """The saved context is the one its journal comes to at that entry."""
    if case.snapshot is None:
        return
    if case.snapshot["seq"] > len(case.records):
        yield case.finding("context", f"the context is saved as of entry {case.snapshot['seq']}, which is not there")
    elif difference := first_difference(plain(_loads(case.snapshot["context"])), folded.context, "context"):
        yield case.finding("context", difference, case.snapshot["seq"])


def saved_state_is_folded(case: Case, folded: Folded) -> Iterator[Finding]:
    """The saved state, from which recovery goes on, is the one its journal comes to at that entry."""
    if case.saved is None:
        return
    seq = case.saved["seq"]
    if folded.saved is None:
        yield case.finding("saved state", f"it is saved as of entry {seq}, which is not there")
    elif difference := first_difference(_essence(case.saved), _essence(folded.saved), "state"):
        yield case.finding("saved state", difference, seq)


def prompts_belong_to_waits(case: Case, folded: Folded) -> Iterator[Finding]:
    """A prompt is open just when its journal waits for the answer."""
    waiting = set(folded.state.prompts) if folded.state.outcome is None else set()
    on_its_way = {
        json.loads(request["body"])["prompt"]
        for request in case.requests
        if request["kind"] == "response" and request["handled_at"] is None
    }
    status = {prompt["id"]: prompt["status"] for prompt in case.prompts}
    for number in sorted(waiting):
        if status.get(number) != "open" and number not in on_its_way:
            is_now = status.get(number, "not there")
            yield case.finding("prompts", f"prompt {number} is waited for by its journal, and is {is_now}", number)
    for number in sorted(number for number, now in status.items() if now == "open" and number not in waiting):
        yield case.finding("prompts", f"prompt {number} is open, and nothing waits for its answer", number)


def live_run_has_a_reason(case: Case, folded: Folded | None) -> Iterator[Finding]:
    """A run that has not ended waits for something, or does something."""
    if not case.live or any(request["handled_at"] is None for request in case.requests):
        return
    if not case.records:
        yield case.finding("reason to wait", f"it is {case.run['status']}, has not started, and nothing asks it to")
    elif folded is not None and folded.state.outcome is None:
        state = folded.state
        doing = (state.running, state.delayed, state.waiting_leave, state.handed, state.prompts, state.waits)
        if not any(doing) and not any(state.queued.values()):
            yield case.finding("reason to wait", f"it is {case.run['status']}, and does nothing and waits for nothing")


def family_holds_together(case: Case, folded: Folded | None) -> Iterator[Finding]:
    """A nested run belongs to a call of its parent, and to one call belongs one run that came to something."""
    if case.run["parent_id"] is not None:
        place = (case.run["parent_seq"], case.run["parent_step"])
        if case.parent is None:
            yield case.finding("family", f"its parent {case.run['parent_id']} is not there")
        elif not any((call.cause, call.step) == place for call in case.calls):
            yield case.finding("family", f"the journal of {case.run['parent_id']}, its parent, does not know of it")
    good = Counter(
        (child["parent_seq"], child["parent_step"], child["parent_call"])
        for child in case.children
        if child["status"] not in ("failed", "cancelled", "timed_out")
    )
    for (seq, step, call), times in good.items():
        if times > 1:
            yield case.finding("family", f"call {call} of step {step} for event {seq} has {times} nested runs", seq)
    if folded is not None:
        status = {child["id"]: child["status"] for child in case.children}
        for (seq, step, _), child in folded.state.children.items():
            if child.status not in ("running", "waiting", status.get(child.run_id)):
                is_now = status.get(child.run_id, "not there")
                message = f"its nested run {child.run_id} of step {step} is {child.status} by its journal, and {is_now}"
                yield case.finding("family", message, seq)


def first_difference(stored: Any, told: Any, path: str) -> str | None:
    """Where two pieces of JSON data differ first, in words; None where they do not."""
    if isinstance(stored, dict) and isinstance(told, dict):
        keys: Iterable[str] = dict.fromkeys([*stored, *told])
        pairs = [(f"{path}.{key}", stored.get(key, _NOTHING), told.get(key, _NOTHING)) for key in keys]
    elif isinstance(stored, list) and isinstance(told, list) and len(stored) == len(told):
        pairs = [(f"{path}[{n}]", a, b) for n, (a, b) in enumerate(zip(stored, told, strict=True))]
    elif type(stored) is type(told) and stored == told:
        return None
    else:
        return f"{path} is {_short(stored)} as stored and {_short(told)} by its journal"
    return next((found for name, a, b in pairs if (found := first_difference(a, b, name))), None)


class _Nothing:
    def __repr__(self) -> str:
        return "not there"


_NOTHING: Any = _Nothing()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _at_rest(counts: dict[str, Any] | None) -> dict[str, Any]:
    steps = {name: {**told, "running": 0, "waiting": 0} for name, told in (counts or {}).get("steps", {}).items()}
    return {**(counts or {}), "steps": steps, "prompts": 0}


def _essence(saved: Mapping[str, Any]) -> dict[str, Any]:
    """A saved state without the events, which name classes that only their file has; with where each of them is."""

    def known(delivery: Mapping[str, Any]) -> list[Any]:
        return [delivery.get(name) for name in ("seq", "step", "attempt", "failures", "deaths", "paused")]

    return {
        **{name: plain(saved[name]) for name in _COMPARED},
        "running": [known(delivery) for delivery in saved["running"]],
        "queued": {step: [known(delivery) for delivery in queue] for step, queue in saved["queued"].items() if queue},
        "waiting_leave": [known(delivery) for delivery in saved["waiting_leave"]],
        "delayed": [[known(delivery), due] for delivery, due in saved["delayed"]],
        "waits": [[known(delivery), expected, due] for delivery, expected, _, due, *_ in saved["waits"]],
        "joining": {step: [[seq for seq, _ in queue] for queue in queues] for step, queues in saved["joining"].items()},
        "buffers": {step: [seq for seq, _ in events] for step, (events, *_) in saved["buffers"].items()},
        "handed": [[seq, step] for seq, step, _ in saved["handed"]],
        "prompts": [number for number, _ in saved["prompts"]],
    }


_COMPARED = (
    "seq", "held", "steps", "context", "writers", "children", "untaken", "events", "emitted", "taken", "times", "size"
)  # fmt: skip


def _loads(text: str | None) -> Any:
    return json.loads(text) if text is not None else None
