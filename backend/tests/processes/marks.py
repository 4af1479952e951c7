"""Marks that steps leave in the folder of their studio; gates they wait at, and a door at which their workers do."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

DOOR = "closed"
"""While this file is there, no worker comes to life."""


def mark(name: str, what: object) -> int:
    """Add a line to the marks called `name`; how many there are now."""
    path = Path(f"{name}.marks")
    with path.open("a") as file:
        file.write(f"{what}\n")
    return len(path.read_text().splitlines())


async def pass_gate(name: str) -> None:
    """Wait in the middle of a step until the test opens the gate; whoever is killed is killed here."""
    mark(name, f"waits in {os.getpid()}")
    while not Path(f"{name}.open").exists():  # noqa: ASYNC110, ASYNC240 - another process opens it
        await asyncio.sleep(0.02)


def come_in() -> None:
    """Called where a workflow file is imported: workers wait here while the door is closed."""
    while Path(DOOR).exists():
        time.sleep(0.02)
