"""Turns of the event loop: how a test waits for what a run shows but does not signal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LIMIT = 5.0
"""Seconds after which a test that waits has failed."""


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop turn until `condition` holds. Raises TimeoutError when it never does."""
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110 - there is no signal
            await asyncio.sleep(0)


async def turns(times: int = 5) -> None:
    """Let the event loop turn a few times, for what must not happen."""
    for _ in range(times):
        await asyncio.sleep(0)
