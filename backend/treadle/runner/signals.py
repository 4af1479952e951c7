"""Signals: "look again". They carry no facts and may be lost; whoever waits looks by itself after a while."""

from __future__ import annotations

import asyncio


class Signals:
    """Wakes those who wait for a topic: a run id when its journal grew, "*" when anything changed."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def notify(self, topic: str) -> None:
        """Wake everybody who waits for `topic`, on the loop's own thread."""
        for waiter in self._waiting.pop(topic, ()):
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, topic: str, *, timeout: float) -> bool:
        """Wait for `topic`, at most `timeout` seconds; whether it was notified."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(topic, set()).add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return False
        finally:
            if (waiting := self._waiting.get(topic)) is not None:
                waiting.discard(waiter)
                if not waiting:
                    del self._waiting[topic]
        return True
