"""Workflows that fail or never end, for the tests to watch."""

from __future__ import annotations

import asyncio

from treadle import Event, StartEvent, StopEvent, Workflow, step


class SnapStartEvent(StartEvent):
    """A warp and how hard it is pulled."""

    tension: int = 9


class PulledEvent(Event):
    """The warp was pulled."""

    tension: int


class SnappingWarp(Workflow):
    """Pulls until the warp snaps."""

    @step
    async def pull(self, ev: SnapStartEvent) -> PulledEvent:
        """Pull."""
        return PulledEvent(tension=ev.tension)

    @step
    async def weave(self, ev: PulledEvent) -> StopEvent:
        """Weave, if the warp holds."""
        if ev.tension > 5:
            raise ValueError(f"the warp snapped at tension {ev.tension}")
        return StopEvent(result="cloth")


class EndlessCloth(Workflow):
    """Weaves until somebody cancels it."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @step
    async def weave(self, ev: StartEvent) -> StopEvent:
        """Never done."""
        await asyncio.Event().wait()
        return StopEvent()
