"""The journal of a run: the port the loop writes through, and its form in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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


class MemoryJournal:
    """Keeps the ticks in a list: for tests, replay and drawings."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []

    def append(self, seq: int, tick: Tick, commands: Sequence[Command]) -> None:
        self.ticks.append(tick)
