"""A share: what one run adds to the group of entries that is committed next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from treadle.engine.commands import ClosePrompt, Command, OpenPrompt
from treadle.engine.journal import Kept
from treadle.engine.limits import LIMITS
from treadle.engine.record import Record
from treadle.engine.records import event_payload
from treadle.engine.summary import Summary
from treadle.errors import ValueNotStorable
from treadle.store.blobs import take_out
from treadle.store.lineage import Birth

Mark = tuple[str, int]
"""A run under one epoch: the same worker may have lost a run and own it again."""


@dataclass(slots=True)
class Share:
    """What one run adds to a group: its entries and what goes with them, under the epoch it holds.

    The first one of a nested run has its `birth`. An empty `context` or `state` takes the saved one away.
    """

    run_id: str
    epoch: int
    birth: Birth | None = None
    entries: list[Record] = field(default_factory=list)
    opened: list[dict[str, Any]] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)
    handled: list[dict[str, Any]] = field(default_factory=list)
    seq: int = 0
    summary: Summary | None = None
    late: bool = False
    owner: str | None = None
    context: str | None = None
    state: str | None = None
    remarks: str | None = None
    large: bool = False
    blobs: list[dict[str, Any]] = field(default_factory=list)
    kept: Kept | None = None

    @property
    def mark(self) -> Mark:
        return (self.run_id, self.epoch)

    def add(self, record: Record, commands: Sequence[Command], *, expects: str | None = None) -> None:
        """Take one entry and the prompts its commands open and close; `expects` is what such a prompt waits for."""
        self.large |= record.size > LIMITS.inline
        self.entries.append(record)
        for command in commands:
            if type(command) is OpenPrompt:
                self.opened.append({
                    "run_id": self.run_id, "id": command.prompt, "event_type": type(command.event).__name__,
                    "prefix": str(command.event.get("prefix", "")).encode(errors="replace").decode(),
                    "payload": record.payload or "{}",
                    "status": "open", "created_at": record.at, "expects": expects,
                })  # fmt: skip
            elif type(command) is ClosePrompt:
                self.closed.append({
                    "run": self.run_id, "prompt": command.prompt, "at": record.at,
                    "new_status": "answered" if command.response is not None else "withdrawn",
                    "new_response": _shown(command.response),
                    "kind": type(command.response).__name__ if command.response is not None else None,
                })  # fmt: skip

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Its entries, each as the columns of its table."""
        return ((self.run_id, *record[:8]) for record in self.entries)

    def take_out_blobs(self) -> None:
        """Set apart what is too large for its row; done where there is time for it, and once."""
        if self.large:
            self.large = False
            entries = [record._asdict() for record in self.entries]
            self.blobs = take_out(self.run_id, [*entries, *self.opened])
            self.entries = [Record(**entry) for entry in entries]


def _shown(response: Any) -> str | None:
    if response is None:
        return None
    try:
        return event_payload(response)
    except ValueNotStorable:
        return "{}"
