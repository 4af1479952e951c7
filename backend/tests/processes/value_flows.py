"""Workflows that carry strange values through the death of their worker."""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, PrivateAttr

from treadle import Context, Event, Resource, StartEvent, StopEvent, Workflow, step
from treadle.engine.serializers import from_json

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from storable import same


class Colour(Enum):
    RED = "red"


class Point(BaseModel):
    x: int
    more: Any = None
    _seen: int = PrivateAttr(default=0)


@dataclass(frozen=True)
class Pair:
    left: Any
    right: Any


class Strange(Event):
    gate: str
    value: Any


async def opened(gate: str) -> None:
    """Wait in the middle of a step until the file is there; whoever is killed has waited here."""
    Path(f"{gate}.reached").write_text(str(os.getpid()))  # noqa: ASYNC240
    while not Path(gate).exists():  # noqa: ASYNC110, ASYNC240 - another process opens it
        await asyncio.sleep(0.02)


def strange() -> Iterator[tuple[str, Any]]:
    """Values that JSON has no form for, made anew each time."""
    point = Point(x=1, more={1: (2,)})
    point._seen = 7
    yield "two mebibytes", "".join(chr(33 + n % 90) for n in range(1024)) * 2048
    yield "nan", math.nan
    yield "minus zero", -0.0
    yield "infinity", [math.inf, -math.inf]
    yield "lone surrogate", "\ud800"
    yield "pair of surrogates", "\ud83d\ude00"
    yield "key that is no text", {1: "a", None: {(1, 2): b"\x00"}}
    yield "dollar", {"$": "tuple", "v": []}
    yield "decimal", Decimal("1.10")
    yield "signalling", Decimal("sNaN")
    yield "aware", datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)
    yield "utc", datetime(2026, 11, 22, 12, tzinfo=UTC)
    yield "long", 10**5000
    yield "sets", ({1, 2}, frozenset("ab"))
    yield "path", Path("a/b")
    yield "enum", Colour.RED
    yield "model", point
    yield "dataclass", Pair(Point(x=2), [point])
    yield "depth", deep(98)


def deep(levels: int) -> Any:
    value: Any = ()
    for _ in range(levels):
        value = [value]
    return value


def differing(expected: dict[str, Any], found: Any) -> list[str]:
    """The names of the values that are not what they were."""
    if not isinstance(found, dict) or list(found) != list(expected):
        return ["all of them"]
    return [name for name, value in expected.items() if not same(value, found[name])]


class Begins(StartEvent):
    gate: str


class Carries(Workflow):
    """Puts every strange value into the context, an event, a collected batch and a kept result, and is killed."""

    @step
    async def put(self, ctx: Context, ev: Begins) -> Strange:
        values = dict(strange())
        await ctx.set("values", values)
        for name, value in values.items():
            await ctx.set(name, value)
        ctx.write_event_to_stream(Strange(gate="", value=values))
        return Strange(gate=ev.gate, value=values)

    @step
    async def hold(self, ctx: Context, ev: Strange) -> StopEvent:
        kept = await ctx.run_once("values", lambda: dict(strange()))
        await opened(ev.gate)
        expected = dict(strange())
        context = {name: await ctx.get(name) for name in expected}
        return StopEvent(
            result={
                "event": differing(expected, ev.value),
                "context": differing(expected, context),
                "whole": differing(expected, await ctx.get("values")),
                "kept": differing(expected, kept),
                "attempt": ctx.attempt,
            }
        )


class Told(StartEvent):
    gate: str
    texts: list[str]


class CarriesAny(Workflow):
    """The same for values it is told as text."""

    @step
    async def put(self, ctx: Context, ev: Told) -> Strange:
        values = [from_json(text) for text in ev.texts]
        await ctx.set("values", values)
        await ctx.set("texts", ev.texts)
        return Strange(gate=ev.gate, value=values)

    @step
    async def hold(self, ctx: Context, ev: Strange) -> StopEvent:
        await opened(ev.gate)
        expected = [from_json(text) for text in await ctx.get("texts")]
        found = zip(expected, ev.value, await ctx.get("values"), strict=True)
        wrong = [n for n, (value, *others) in enumerate(found) if not all(same(value, other) for other in others)]
        return StopEvent(result={"wrong": wrong, "attempt": ctx.attempt})


class Limited(StartEvent):
    what: str


class Exceeds(Workflow):
    """Makes what is too deep or too large."""

    @step
    async def make(self, ctx: Context, ev: Limited) -> Strange | StopEvent:
        match ev.what:
            case "deep event":
                return Strange(gate="", value={"a": deep(200)})
            case "deep context":
                await ctx.set("tree", Point(x=1, more=deep(200)))
            case "large event":
                return Strange(gate="", value={"rows": [{"n": 1}, {"text": "x" * (65 << 20)}]})
            case "large context":
                await ctx.set("text", "x" * (17 << 20))
        return StopEvent(result="kept")

    @step
    async def take(self, ev: Strange) -> StopEvent:
        return StopEvent(result="taken")


class Client:
    """A connection, an index: nothing that could be written down."""

    def answer(self) -> int:
        return 42


class Connects(Workflow):
    """Has a client in its context, and is killed."""

    @step
    async def connect(self, ctx: Context, ev: Begins) -> Strange:
        await ctx.set("client", Client())
        return Strange(gate=ev.gate, value=None)

    @step
    async def use(self, ctx: Context, ev: Strange) -> StopEvent:
        await opened(ev.gate)
        return StopEvent(result=(await ctx.get("client")).answer())


class ConnectsWell(Workflow):
    """Has it as a resource."""

    @step
    async def connect(self, ev: Begins) -> Strange:
        return Strange(gate=ev.gate, value=None)

    @step
    async def use(self, ev: Strange, client: Annotated[Client, Resource(Client)]) -> StopEvent:
        await opened(ev.gate)
        return StopEvent(result=client.answer())
