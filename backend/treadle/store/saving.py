"""Saving: when the state of a run is worth saving beside its journal.

Once as many entries, and as many bytes, have come since the last time as make it worth its size: what all of them cost
together grows with the journal, and what recovery has to fold does not.
"""

from __future__ import annotations

import json

from treadle.engine.snapshot import to_snapshot
from treadle.engine.state import RunState
from treadle.errors import TreadleError


class Saving:
    """Says when the state of a run is worth saving; `saved_at` is the entry of the one that is saved."""

    EVERY = 300
    """Entries between two saved states, at least."""

    __slots__ = ("_seq", "_size", "_weight", "any")

    def __init__(self, saved_at: int = 0) -> None:
        self._seq = saved_at
        self._size: int | None = None
        self._weight = 0
        self.any = saved_at > 0

    def due(self, state: RunState) -> bool:
        """Whether it is time."""
        if self._size is None:
            self._size = state.size
        # Twice: the first change of a large context value after it is kept whole, and weighs as much once more.
        return state.seq - self._seq >= self.EVERY and state.size - self._size >= 2 * self._weight

    def text(self, state: RunState, context: str | None) -> str | None:
        """The state as JSON text, with its context as such; None if it cannot be saved now: then it is tried again as
        much later.
        """
        self._seq, self._size = state.seq, state.size
        if context is None:
            return None
        try:
            rest = json.dumps(to_snapshot(state, context=False), separators=(",", ":"))
        except TreadleError:
            return None
        text = f'{{"context":{context},{rest[1:]}'
        self._weight = len(text)
        self.any = True
        return text
