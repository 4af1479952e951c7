"""The stream of a run: what steps show to whoever watches, in order, for any number of readers."""

from __future__ import annotations

import asyncio

from treadle.engine.events import Event


class EventStream:
    """Keeps what was published, so that a reader may come at any time and begin at the beginning."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._readers: list[asyncio.Future[None]] = []
        self._closed = False

    def publish(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)
        self._wake()

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._wake()

    async def read(self, cursor: int) -> Event | None:
        """The event number `cursor`, waited for; None when the stream closed before it came."""
        while cursor >= len(self._events):
            if self._closed:
                return None
            reader: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._readers.append(reader)
            await reader
        return self._events[cursor]

    def _wake(self) -> None:
        readers, self._readers = self._readers, []
        for reader in readers:
            if not reader.done():
                reader.set_result(None)
