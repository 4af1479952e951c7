"""A record: one entry of a journal as rows keep it."""

from __future__ import annotations

from typing import NamedTuple


class Record(NamedTuple):
    """One entry of a journal as stored; `cause` is the seq of the entry whose event led to it.

    What a person reads is in `payload`, the rest in `detail`, both as JSON text. `stored` is what they take on disk if
    that is less than they are long.
    """

    seq: int
    at: float
    kind: str
    step: str | None = None
    event_type: str | None = None
    payload: str | None = None
    cause: int | None = None
    detail: str | None = None
    stored: int | None = None

    @property
    def size(self) -> int:
        """What its texts take, in bytes: they are ASCII."""
        if self.stored is not None:
            return self.stored
        return len(self.payload or "") + len(self.detail or "")
