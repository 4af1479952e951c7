"""A gate for the steps of test workflows."""

from __future__ import annotations

import asyncio
import os


async def gate(go: str) -> None:
    """Stand still for ever, unless the file is there."""
    if not os.path.exists(go):  # noqa: ASYNC240, PTH110
        await asyncio.Event().wait()
