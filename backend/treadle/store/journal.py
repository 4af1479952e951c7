"""The journal on disk: the engine's port, written through the worker's one writer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic

from sqlalchemy import Connection, select

from treadle.engine.commands import Command
from treadle.engine.journal import Kept
from treadle.engine.lending import Lending
from treadle.engine.limits import LIMITS, Limits
from treadle.engine.record import Record
from treadle.engine.serializers import EventTypes
from treadle.engine.state import RunState
from treadle.engine.summary import Summary, summarize
from treadle.engine.ticks import StepFinished, Tick, WaitStarted
from treadle.errors import ValueNotStorable
from treadle.store.blobs import record_of
from treadle.store.database import Database
from treadle.store.lineage import Birth
from treadle.store.saving import Saving
from treadle.store.scales import Scales
from treadle.store.share import Share
from treadle.store.tables import Entry
from treadle.store.texts import ContextTexts
from treadle.store.writer import LAG, Writer

_entries = Entry.__table__  # type: ignore[attr-defined]


class StoredJournal:
    """The journal of one run, under the epoch its worker holds; `state` is read when a group is put together.

    `birth` is what a nested run's first commit adds, `expects` says what a waiting step's prompt is answered with,
    `types` are the event classes its reader will know by name, `saved_at` is the entry of the state that is saved,
    `nested` says that a step of another run started this one, `owned` whether the lease still holds.
    """

    def __init__(
        self,
        writer: Writer,
        run_id: str,
        *,
        epoch: int,
        owner: str,
        birth: Birth | None = None,
        expects: Callable[[WaitStarted], str | None] | None = None,
        types: EventTypes | None = None,
        limits: Limits = LIMITS,
        saved_at: int = 0,
        nested: bool = False,
        owned: Callable[[], bool] | None = None,
    ) -> None:
        self.state: RunState
        self._writer = writer
        self._run_id = run_id
        self._epoch = epoch
        self._owner = owner
        self._birth = birth
        self._expects = expects
        self._share: Share | None = None
        self._handled: list[dict[str, object]] = []
        self._texts = ContextTexts(types, limits)
        self.lending = Lending(self._texts)
        self._scales = Scales(types, limits, self._texts)
        self._saving = Saving(saved_at)
        self._nested = nested
        self.owned = owned
        self._told: Summary | None = None
        self._told_at = 0.0
        self._lags = False

    def acknowledge(self, inbox_id: int, *, at: float) -> None:
        """Mark a request as handled, in the same commit as the entry it leads to."""
        self._handled.append({"inbox": inbox_id, "at": at})

    def flush_acknowledged(self) -> None:
        """Commit acknowledgements that led to no entry (the run has ended)."""
        if self._handled:
            self._open().handled += self._take_handled()

    def admit(self, tick: Tick) -> None:
        """Make the entry of `tick`, before anything follows from it. Raises LimitExceeded when it cannot be kept."""
        self._scales.admit(self.state, tick)

    def append(self, seq: int, tick: Tick, commands: Sequence[Command]) -> asyncio.Future[None] | None:
        share = self._open()
        share.late = False
        expects = self._expects(tick) if self._expects is not None and type(tick) is WaitStarted else None
        share.add(self._scales.record(self.state, seq, tick), commands, expects=expects)
        if self._handled:
            share.handled += self._take_handled()
        kept = share.kept
        if kept is None:
            kept = share.kept = Kept()
        if type(tick) is StepFinished and len(self.state.running) <= 1:  # nothing else of this run could come with it
            self._writer.commit_alone(self._close_share)
        return None if kept.done() and kept.exception() is None else kept

    def _take_handled(self) -> list[dict[str, object]]:
        handled, self._handled = self._handled, []
        return handled

    def _open(self) -> Share:
        if self._share is None:
            self._share = Share(self._run_id, self._epoch, self._birth)
            self._birth = None
            self._writer.submit(self._close_share)
        return self._share

    def _close_share(self) -> Share:
        share, self._share = self._share, None
        assert share is not None
        state = self.state
        share.seq = state.seq
        if not self._may_lag(state):
            share.summary = summarize(state)
            self._told, self._told_at = share.summary, monotonic()
        elif not self._lags:
            self._lags = True
            self._writer.call_later(self._catch_up)
        share.remarks = self._scales.remarks(state)
        over = state.outcome is not None
        share.owner = None if over else self._owner
        if over and self._saving.any:
            share.state = ""
        elif not over and self._saving.due(state) and (text := self._saving.text(state, self._context())) is not None:
            share.state = text
            self._scales.splicer.forget()
        if over or state.status == "waiting":
            share.context = self._context() or ""
        return share

    def _context(self) -> str | None:
        """The context as JSON text; None of one that cannot be stored."""
        try:
            return self._texts.context(self.state)
        except ValueNotStorable:
            return None

    def _may_lag(self, state: RunState) -> bool:
        """Whether the row may stay as it is for a moment: the run goes on, and the row has said so just now.

        Not that of a nested run: should nobody go on with it, it is ended by what its row says.
        """
        told = self._told
        return (
            told is not None
            and told.status == state.status == "running"
            and not told.held
            and not state.held
            and not self._nested
            and monotonic() - self._told_at < LAG
        )

    def _catch_up(self) -> None:
        self._lags = False
        if self._told is not None and self._told.entries < self.state.seq:
            self._told = None
            if self._share is None:
                self._open().late = True


def read_records(database: Database, run_id: str) -> list[Record]:
    """The whole journal of a run, in order; of some entries the splices, see store/splices.py."""
    with database.read() as connection:
        return records_after(connection, run_id, 0)


def records_after(connection: Connection, run_id: str, seq: int) -> list[Record]:
    """The entries after `seq`, in order, like `read_records`."""
    query = select(_entries).where(_entries.c.run_id == run_id, _entries.c.seq > seq).order_by(_entries.c.seq)
    return [record_of(connection, run_id, row) for row in connection.execute(query).all()]
