"""Proofs: what must be true of one run as it is stored. Each yields what is not, as a finding."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from treadle.engine.summary import summarize
from treadle.store.care.cases import Case, Finding, Folded
from treadle.store.care.differences import at_rest, essence, first_difference
from treadle.store.unloaded import plain


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
        if name == "counts" and case.parked and isinstance(stored, dict) and at_rest(stored) in folded.counts:
            continue
        if untold and name == "counts":
            stored, told = at_rest(stored), at_rest(told)
        if isinstance(stored, dict) and isinstance(told, dict) and name != "result":  # an earlier Treadle told less
            told = {key: value for key, value in told.items() if key in stored or (value and name == "counts")}
        if difference := first_difference(plain(stored), plain(told), name):
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
    elif difference := first_difference(essence(case.saved), essence(folded.saved), "state"):
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


def _loads(text: str | None) -> Any:
    return json.loads(text) if text is not None else None
