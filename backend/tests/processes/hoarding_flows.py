"""A workflow that takes more memory than its worker may have, by a limit of the kernel's."""

from __future__ import annotations

import os
from pathlib import Path

from treadle import StartEvent, StopEvent, Workflow, step

TAKEN = 256 * 2**20
"""More than the group may have; should the kernel let us, it ends there."""


class Hoarding(StartEvent):
    group: str


class Hoards(Workflow):
    """Puts its worker into a group with little memory and takes too much; left alone with enough of it, it ends."""

    @step
    async def hoard(self, ev: Hoarding) -> StopEvent:
        (Path(ev.group) / "cgroup.procs").write_text(str(os.getpid()))
        taken = bytearray(TAKEN)
        for page in range(0, TAKEN, 4096):
            taken[page] = 1
        return StopEvent(result=len(taken))


class Naps(Workflow):
    @step
    async def nap(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result="rested")
