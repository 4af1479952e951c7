"""Sabotage: a promise broken on purpose in every process a campaign forks. A campaign that is kept then proves nothing.

Each saboteur takes away what keeps one promise, in a process that is otherwise the product.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

SABOTAGE = "CAMPAIGN_SABOTAGE"
"""Which one; studios and workshops hand it on to whoever they fork."""


def inherited() -> dict[str, str]:
    """What the environment of a forked process has of it."""
    return {SABOTAGE: os.environ[SABOTAGE]} if SABOTAGE in os.environ else {}


def apply() -> None:
    """Break what SABOTAGE names in this process."""
    if SABOTAGE in os.environ:
        SABOTEURS[os.environ[SABOTAGE]]()


def _write_over_others() -> None:
    """A worker that has lost a run does not see it, and writes to it all the same, over what its heir has written."""
    from treadle.runner.host import Host
    from treadle.store import writer, writing

    class Careless(writing.Writing):
        def __init__(self, dialect: Any) -> None:
            super().__init__(dialect)
            for statement in (self.insert_entry, self.insert_if_mine):
                statement._sql = statement._sql.replace("INSERT", "INSERT OR REPLACE", 1)

        def write(self, cursor: Any, group: list[writing.Share]) -> set[writing.Mark]:
            for share in group:
                cursor.execute("SELECT epoch FROM run WHERE id = ?", (share.run_id,))
                if (found := cursor.fetchone()) is not None:
                    share.epoch = found[0]
            return super().write(cursor, group)

    writer.Writing = Careless  # type: ignore[misc]
    assert Host.tenure
    Host.tenure = lambda host: 0  # type: ignore[method-assign]


def _go_on_at_once() -> None:
    """What follows from an entry does not wait until that is on disk, and every commit takes its time."""
    from treadle.store.journal import StoredJournal
    from treadle.store.writer import Writer

    append = StoredJournal.append

    def hasty(journal: Any, *arguments: Any) -> None:
        append(journal, *arguments)

    StoredJournal.append = hasty  # type: ignore[assignment,method-assign]
    assert Writer._may_commit
    Writer._may_commit = lambda writer, group: False  # type: ignore[method-assign]


def _undo_nothing() -> None:
    """What an attempt has written into the context before its worker died stays there."""
    from treadle.engine.rules import resuming

    assert resuming.undo_writes
    resuming.undo_writes = lambda state, delivery: None


def _believe_the_clock() -> None:
    """Time is what the wall clock says."""
    from treadle.runner.clock import Clock

    Clock.__call__ = lambda clock: time.time()  # type: ignore[method-assign]
    Clock.after = lambda clock, at: clock  # type: ignore[assignment,method-assign]
    Clock.for_leases = lambda clock, patience: time.time()  # type: ignore[method-assign]


def _forget_keys() -> None:
    """An idempotency key is not looked at."""
    from treadle.store.starting import Start

    row = Start.row

    def forgetful(start: Start) -> Any:
        return row(start) | {"idempotency_key": None}

    Start.row = forgetful  # type: ignore[method-assign]


def _lose_what_has_no_room() -> None:
    """A commit that a full disk refuses counts as done."""
    from treadle.store.failing import kind_of
    from treadle.store.writer import Writer

    attempt = Writer._attempt

    def careless(writer: Writer, group: Any, **how: Any) -> Any:
        try:
            return attempt(writer, group, **how)
        except Exception as error:
            if kind_of(error) == "full":
                return set()
            raise

    Writer._attempt = careless  # type: ignore[method-assign]


def _go_on_after_a_loss() -> None:
    """When a commit of a run was given up, what comes after it is written all the same."""
    from treadle.store.writer import Writer

    assert Writer._still_written
    Writer._still_written = lambda writer, group: group  # type: ignore[method-assign]


SABOTEURS: dict[str, Callable[[], None]] = {
    "write over others": _write_over_others,
    "go on at once": _go_on_at_once,
    "go on after a loss": _go_on_after_a_loss,
    "undo nothing": _undo_nothing,
    "believe the clock": _believe_the_clock,
    "forget keys": _forget_keys,
    "lose what has no room": _lose_what_has_no_room,
}
