"""The stream of a run: what steps show to whoever watches, in order, for any number of readers."""

from __future__ import annotations

import asyncio

from treadle.engine.events import Event, StepStateChanged, StopEvent


class EventStream:
    """Keeps what was published, so that a reader may come at any time and begin at the beginning."""

    __slots__ = ("_closed", "_events", "_readers")

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._readers: list[asyncio.Future[None]] = []
        self._closed = False

    def publish(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)
        if self._readers:
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


class StreamReader:
    """One reading of a stream: an async iterator over what is meant for it.

    `cursor` is a list of one place that outlives the reader: where it stopped, -1 once it came to the end.
    """

    __slots__ = ("__weakref__", "_cursor", "_hidden", "_stream")

    def __init__(self, stream: EventStream, cursor: list[int], *, include_stop: bool, expose_internal: bool) -> None:
        self._stream = stream
        self._cursor = cursor
        self._hidden = (
            *(() if include_stop else (StopEvent,)),
            *(() if expose_internal else (StepStateChanged,)),
        )

    def __aiter__(self) -> StreamReader:
        return self

    async def __anext__(self) -> Event:
        cursor = self._cursor
        while cursor[0] >= 0:
            event = await self._stream.read(cursor[0])
            if event is None:
                cursor[0] = -1
            else:
                cursor[0] += 1
                if type(event) not in self._hidden:
                    return event
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop reading here; the handler's next reading goes on from this place."""
