"""Branches: a step chooses what happens next by the event it returns.

There is no `if` in the graph. The step `start` promises two kinds of event, `BranchA1Event | BranchB1Event`, and
returns one of them. Each kind has its own reader, so the event that is returned decides which branch runs and the
other branch stays dark. Try it: start it with side A, look at the picture, then start it with side B.
"""

from __future__ import annotations

import random
from typing import Literal

from pydantic import Field

from treadle import Event, StartEvent, StopEvent, Workflow, step


class BranchStartEvent(StartEvent):
    """Which way to go."""

    side: Literal["A", "B", "either"] = Field(
        default="either", description="The branch to take; either lets the workflow toss a coin."
    )
    payload: str = Field(default="a ball of yarn", description="Something to carry along the branch.")


class BranchA1Event(Event):
    """Into branch A."""

    payload: str


class BranchA2Event(Event):
    """Further along branch A."""

    payload: str


class BranchB1Event(Event):
    """Into branch B."""

    payload: str


class BranchB2Event(Event):
    """Further along branch B."""

    payload: str


class BranchWorkflow(Workflow):
    """Goes down branch A or branch B, never both."""

    @step
    async def start(self, ev: BranchStartEvent) -> BranchA1Event | BranchB1Event:
        """Choose a branch."""
        side = random.choice("AB") if ev.side == "either" else ev.side
        if side == "A":
            return BranchA1Event(payload=ev.payload)
        return BranchB1Event(payload=ev.payload)

    @step
    async def step_a1(self, ev: BranchA1Event) -> BranchA2Event:
        """The first half of branch A: wind it."""
        return BranchA2Event(payload=f"{ev.payload}, wound on a bobbin")

    @step
    async def step_b1(self, ev: BranchB1Event) -> BranchB2Event:
        """The first half of branch B: dye it."""
        return BranchB2Event(payload=f"{ev.payload}, dyed blue")

    @step
    async def step_a2(self, ev: BranchA2Event) -> StopEvent:
        """The end of branch A."""
        return StopEvent(result=f"Branch A complete: {ev.payload}.")

    @step
    async def step_b2(self, ev: BranchB2Event) -> StopEvent:
        """The end of branch B."""
        return StopEvent(result=f"Branch B complete: {ev.payload}.")
