"""Workflows that nest others, and leave a mark on disk for everything they do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)


def mark(folder: str, name: str) -> int:
    """Leave one more mark called `name`; how many there are now."""
    path = Path(folder) / name
    with path.open("a") as file:
        file.write("x")
    return len(path.read_text())


class InnerStart(StartEvent):
    folder: str
    name: str
    pause: bool = False


class Looked(Event):
    folder: str
    name: str


class Found(StopEvent):
    """A result that is an event of its own class."""

    name: str
    length: int


class Inner(Workflow):
    """Two steps; the second waits for `gate` when it is asked to pause."""

    gate: ClassVar[asyncio.Event]
    at_gate: ClassVar[asyncio.Event]

    @step
    async def look(self, ctx: Context, ev: InnerStart) -> Looked:
        mark(ev.folder, f"look {ev.name}")
        await ctx.set("pause", ev.pause)
        return Looked(folder=ev.folder, name=ev.name)

    @step
    async def find(self, ctx: Context, ev: Looked) -> Found:
        times = mark(ev.folder, f"find {ev.name}")
        if await ctx.get("pause") and times == 1:
            Inner.at_gate.set()
            await Inner.gate.wait()
        return Found(name=ev.name, length=len(ev.name))


class OuterStart(StartEvent):
    folder: str
    names: list[str]
    pause: tuple[str, ...] = ()


class Outer(Workflow):
    """Has its inner workflow look for every name, one after the other."""

    @step
    async def ask_around(self, ev: OuterStart, inner: Workflow = Inner()) -> StopEvent:  # noqa: B008 - a default slot
        lengths = []
        for name in ev.names:
            found = await inner.run(folder=ev.folder, name=name, pause=name in ev.pause)
            lengths.append(found.length)
        times = mark(ev.folder, "asked")
        return StopEvent(result=[type(found).__name__, lengths, times])


class Chatty(Workflow):
    """Starts nested runs from tasks of its own, in an order that is another one in every attempt."""

    @step
    async def gather(self, ev: OuterStart, inner: Workflow = Inner()) -> StopEvent:  # noqa: B008
        attempt = mark(ev.folder, "gather")
        turn = asyncio.Event()

        async def look_for(name: str, *, first: bool) -> list[object]:
            if not first:
                await turn.wait()
            running = inner.run(folder=ev.folder, name=name, pause=name in ev.pause)
            turn.set()
            found = await running
            return [name, found.name]

        order = ev.names if attempt == 1 else ev.names[::-1]
        found = await asyncio.gather(*(look_for(name, first=name == order[0]) for name in order))
        return StopEvent(result=sorted(found))


class AskInside(Workflow):
    """Asks a person."""

    @step
    async def ask(self, ev: StartEvent) -> InputRequiredEvent:
        mark(ev.folder, "ask")
        return InputRequiredEvent(prefix="How many?")

    @step
    async def hear(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=int(ev.response))


class AskOutside(Workflow):
    @step
    async def delegate(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=1 + await AskInside().run(folder=ev.folder))


class Shaky(Workflow):
    """Fails the first time."""

    @step
    async def shake(self, ev: StartEvent) -> StopEvent:
        if mark(ev.folder, "shake") == 1:
            raise RuntimeError("not yet")
        return StopEvent(result="steady")


class Stubborn(Workflow):
    """Tries again what failed inside, with a nested run that is not the failed one."""

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=2, delay=0))
    async def insist(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=await Shaky().run(folder=ev.folder))


class Impatient(Workflow):
    """Fails while a nested run goes on, and tries again: with the workflow of its slot, or with one made anew."""

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=2, delay=0))
    async def hurry(self, ev: StartEvent, inner: Workflow = Inner()) -> StopEvent:  # noqa: B008
        workflow = Inner() if ev.anew else inner
        running = workflow.run(folder=ev.folder, name="slow", pause=True)
        if mark(ev.folder, "hurry") == 1:
            await Inner.at_gate.wait()
            raise RuntimeError("too slow")
        Inner.gate.set()
        return StopEvent(result=(await running).name)


class Catching(Workflow):
    """Lives with what failed inside."""

    gate: ClassVar[asyncio.Event]

    @step
    async def manage(self, ev: StartEvent) -> StopEvent:
        try:
            await Shaky().run(folder=ev.folder)
        except RuntimeError as error:
            if mark(ev.folder, "caught") == 1:
                await Catching.gate.wait()
            return StopEvent(result=f"managed without: {error}")
        return StopEvent(result="steady")


class Later(Event):
    folder: str


class Behind(Workflow):
    """A nested run goes on behind the step that started it."""

    gate: ClassVar[asyncio.Event]

    @step
    async def start(self, ev: StartEvent, inner: Workflow = Inner()) -> Later:  # noqa: B008
        inner.run(folder=ev.folder, name="behind", pause=True)
        return Later(folder=ev.folder)

    @step
    async def wait(self, ev: Later) -> StopEvent:
        mark(ev.folder, "wait")
        await Behind.gate.wait()
        return StopEvent(result="over")


class Deep(Workflow):
    @step
    async def descend(self, ev: StartEvent) -> StopEvent:
        if not ev.depth:
            mark(ev.folder, "bottom")
            await Inner.gate.wait()
            return StopEvent(result=0)
        return StopEvent(result=1 + await Deep().run(folder=ev.folder, depth=ev.depth - 1))


class Thing:
    """Nothing that could be stored."""


class HandsOver(Workflow):
    """Is given what cannot be stored, and finishes, or pauses on the way."""

    @step
    async def take(self, ev: StartEvent) -> Looked:
        mark(ev.folder, f"take {ev.name}")
        return Looked(folder=ev.folder, name=ev.name, thing=ev.thing)

    @step
    async def give(self, ev: Looked) -> StopEvent:
        if ev.name == "paused":
            await Inner.gate.wait()
        return StopEvent(result=ev.name)


class Passes(Workflow):
    """Passes on what cannot be stored."""

    @step
    async def hand(self, ev: StartEvent) -> StopEvent:
        given = [await HandsOver().run(folder=ev.folder, name=name, thing=Thing()) for name in ev.names]
        if mark(ev.folder, "given") == 1:
            await Inner.gate.wait()
        return StopEvent(result=given)


def hidden() -> Workflow:
    class Hidden(Workflow):
        """Not in any catalog."""

        @step
        async def hide(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result="hidden")

    return Hidden()


class Finds(Workflow):
    """Runs a workflow of its slot that no catalog has, and one that is made on the spot."""

    @step
    async def search(self, ev: StartEvent, slot: Workflow = hidden()) -> StopEvent:  # noqa: B008
        class Made(Workflow):
            @step
            async def make(self, ev: StartEvent) -> StopEvent:
                return StopEvent(result="made")

        return StopEvent(result=[await slot.run(), await Made().run()])


class Stepping(Workflow):
    """Runs its inner workflow step by step, every event in its hand before it goes on."""

    @step
    async def drive(self, ev: StartEvent, inner: Workflow = Inner()) -> StopEvent:  # noqa: B008
        handler = inner.run(folder=ev.folder, name="slowly")
        while (event := await handler.run_step()) is not None:
            if mark(ev.folder, f"handed {type(event).__name__}") == 1:
                await Inner.gate.wait()
            handler.ctx.send_event(event)
        return StopEvent(result=(await handler).name)


class FromAThread(Workflow):
    """Its step is not async, and cannot start a run."""

    @step
    def block(self, ev: StartEvent, inner: Workflow = Inner()) -> StopEvent:  # noqa: B008
        inner.run(folder=ev.folder, name="blocked")
        return StopEvent()


class Few(Workflow):
    """Two at a time."""

    gate: ClassVar[asyncio.Event]

    def __init__(self) -> None:
        super().__init__(num_concurrent_runs=2)

    @step
    async def work(self, ev: StartEvent) -> StopEvent:
        mark(ev.folder, "few")
        await Few.gate.wait()
        return StopEvent(result="done")


class Crowded(Workflow):
    """Starts more than its inner workflow does at a time."""

    @step
    async def push(self, ev: StartEvent, few: Workflow = Few()) -> StopEvent:  # noqa: B008
        running = [few.run(folder=ev.folder, n=n) for n in range(5)]
        return StopEvent(result=[await one for one in running])
