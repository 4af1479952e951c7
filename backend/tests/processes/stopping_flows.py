"""Workflows that stop and that a person opens again; every step leaves a mark on disk for each time it was done."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from treadle import ConstantDelayRetryPolicy, Event, StartEvent, StopEvent, Workflow, step

HERE = Path(__file__).parent


def mark(name: str) -> int:
    """Leave one more mark called `name`; how many there are now."""
    path = HERE / name
    with path.open("a") as file:
        file.write("x")
    return len(path.read_text())


class Ordered(Event):
    """What was ordered."""

    amount: int


class Paid(Event):
    """A payment went out."""

    receipt: int


class Pays(Workflow):
    """Pays at most once, which never ends as long as there is no file `go`."""

    @step
    async def order(self, ev: StartEvent) -> Ordered:
        mark("ordered")
        return Ordered(amount=3)

    @step(at_most_once=True)
    async def pay(self, ev: Ordered) -> Paid:
        mark("paid")
        if not (HERE / "go").exists():
            await asyncio.Event().wait()
        return Paid(receipt=1)

    @step
    async def thank(self, ev: Paid) -> StopEvent:
        mark("thanked")
        return StopEvent(result=ev.receipt)


class Fragile(Workflow):
    """Takes its worker with it until it is mended."""

    @step
    async def wind(self, ev: StartEvent) -> Ordered:
        mark("wound")
        return Ordered(amount=1)

    @step
    async def weave(self, ev: Ordered) -> StopEvent:
        os._exit(3)  # the fault


class Short(Workflow):
    """Fails until it is mended."""

    @step
    async def measure(self, ev: StartEvent) -> Ordered:
        mark("measured")
        return Ordered(amount=2)

    @step
    async def cut(self, ev: Ordered) -> StopEvent:
        mark("cut")
        raise ValueError("too short")  # the fault


class Knots(Workflow):
    """Tries again and again, as long as there is no file `go`."""

    @step
    async def order(self, ev: StartEvent) -> Ordered:
        mark("ordered")
        return Ordered(amount=3)

    @step(retry_policy=ConstantDelayRetryPolicy(delay=0.5, maximum_attempts=1000))
    async def knot(self, ev: Ordered) -> StopEvent:
        mark("knotted")
        if not (HERE / "go").exists():
            raise ValueError("slipped")
        return StopEvent(result="knotted")
