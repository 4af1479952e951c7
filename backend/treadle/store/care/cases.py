"""Cases: everything that is stored of one run, gathered to be proved, and its journal folded again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from treadle.store.care.differences import at_rest
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
            folded.counts.append(at_rest(counts(folded.state)))
        if record.seq == at:
            folded.context = plain(encode(folded.state.context, "context"))
        if record.seq == saved_at:
            folded.saved = to_snapshot(folded.state)
    return folded
