"""The journal of a run: the port the loop writes through, and its form in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from typing import Protocol

from treadle.engine.commands import Command
from treadle.engine.ticks import Tick


class Journal(Protocol):
    """An ordered list of ticks. A tick is kept before anything follows from it."""

    def append(self, seq: int, tick: Tick, commands: Sequence[Command]) -> asyncio.Future[None] | None:
        """Keep `tick` as entry `seq`. None: it is kept. A future: carry the commands out when it is done.

        Futures complete in the order of their appends. A future that fails means the run must stop where it is.
        """
        ...


class Kept(asyncio.Future[None]):
    """A future whose `then` is called as soon as it is settled, and not a turn of the event loop later.

    Every step of a durable run waits for one, and a turn costs as much as the commit of an entry.
    """

    _then: Callable[[asyncio.Future[None]], object] | None = None
    _context: Context

    def then(self, callback: Callable[[asyncio.Future[None]], object]) -> None:
        """Have `callback` called, in the context of now, when this is settled; if it is, in the loop's next turn."""
        if self.done():
            self.get_loop().call_soon(callback, self)
            return
        self._then = callback
        self._context = copy_context()

    def settle(self, error: BaseException | None = None) -> None:
        """It is on disk; with an error: it never will be."""
        if error is None:
            self.set_result(None)
        else:
            self.set_exception(error)
        if self._then is None:
            return
        try:
            self._context.run(self._then, self)
        except Exception as broken:  # noqa: BLE001 - others of the same commit have yet to hear of it
            self.get_loop().call_exception_handler({
                "message": f"Exception in callback {self._then!r}", "exception": broken, "future": self,
            })  # fmt: skip


class MemoryJournal:
    """Keeps the ticks in a list: for tests, replay and drawings."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []

    def append(self, seq: int, tick: Tick, commands: Sequence[Command]) -> None:
        self.ticks.append(tick)
