"""The workflows that are measured: one text for every library, with only the imports filled in."""

from __future__ import annotations

STEPS = 10

# No `from __future__ import annotations`: core 0.12 cannot read annotations that are strings.
_HEAD = """\
{imports}
"""

_TRIVIAL = """

class Trivial(Workflow):
    @step
    async def only(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=1)
"""

_LOOP = """

class Next(Event):
    left: int


class Loop(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> Next:
        return Next(left=ev.size)

    @step
    async def turn(self, ev: Next) -> Next | StopEvent:
        if ev.left == 1:
            return StopEvent(result=1)
        return Next(left=ev.left - 1)
"""

# The list of expected events is made once: building it anew in every call would measure the list.
_FAN_OUT = """

class Work(Event):
    number: int


class Done(Event):
    number: int


EXPECTED = [Done] * {size}


class FanOut(Workflow):
    @step
    async def spread(self, ctx: Context, ev: StartEvent) -> Work | None:
        for number in range({size}):
            ctx.send_event(Work(number=number))
        return None

    @step
    async def work(self, ev: Work) -> Done:
        return Done(number=ev.number)

    @step
    async def gather(self, ctx: Context, ev: Done) -> StopEvent | None:
        done = ctx.collect_events(ev, EXPECTED)
        return None if done is None else StopEvent(result=len(done))
"""

_STREAM = """

class Note(Event):
    number: int


class Stream(Workflow):
    @step
    async def tell(self, ctx: Context, ev: StartEvent) -> StopEvent:
        for number in range(ev.size):
            ctx.write_event_to_stream(Note(number=number))
        return StopEvent(result=1)
"""

# The gate and the count are the measurement's: it must know that all runs sleep, and be able to wake them.
_SLEEP = """
import asyncio

GATE = asyncio.Event()
asleep = 0


class Sleep(Workflow):
    @step
    async def only(self, ev: StartEvent) -> StopEvent:
        global asleep
        asleep += 1
        await GATE.wait()
        return StopEvent(result=1)
"""

# When each quarter of the loop was reached is the measurement's too.
_COUNTED = """
import time

MARKS = []


class Next(Event):
    left: int


class Counted(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> Next:
        return Next(left=ev.size)

    @step
    async def turn(self, ev: Next) -> Next | StopEvent:
        if ev.left % {quarter} == 0 or ev.left == 1:
            MARKS.append(time.perf_counter())
        if ev.left == 1:
            return StopEvent(result=1)
        return Next(left=ev.left - 1)
"""

_GROWING = """

class Next(Event):
    left: int


class Growing(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> Next:
        return Next(left=ev.size)

    @step
    async def turn(self, ctx: Context, ev: Next) -> Next | StopEvent:
        {grow}
        if ev.left == 1:
            return StopEvent(result=1)
        return Next(left=ev.left - 1)
"""

_GROW_LIST = """notes = await ctx.store.get("notes", default=[])
        await ctx.store.set("notes", [*notes, f"{ev.left:1024}"])"""

_GROW_KEYS = 'await ctx.store.set(f"note{ev.left}", f"{ev.left:1024}")'

# Each step says when it begins, so that the measurement sees from outside what is done, and what is done again.
_WORK = """
import asyncio
import json
import os
import time
from pathlib import Path

FOLDER = Path({folder!r})
SEEN = os.open(FOLDER / "seen", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
PAUSES = json.loads((FOLDER / "pauses").read_text())


async def work(run, number):
    os.write(SEEN, f"{{time.time()}} {{run}} {{number}}\\n".encode())
    await asyncio.sleep(PAUSES[number - 1])
"""

_BEGIN = """

class Begin(StartEvent):
    run: int
"""


def chain_text(imports: str) -> str:
    """Ten steps in a row, each with an event class of its own: the class `Chain`."""
    events = [f"\n\nclass Link{n}(Event):\n    number: int\n" for n in range(1, STEPS)]
    steps = [_chain_step(n) for n in range(1, STEPS + 1)]
    return "".join([_HEAD.format(imports=imports), *events, "\n\nclass Chain(Workflow):\n", "\n".join(steps)])


def trivial_text(imports: str) -> str:
    """One step: the class `Trivial`."""
    return _HEAD.format(imports=imports) + _TRIVIAL


def loop_text(imports: str) -> str:
    """A step that returns its own event `size` times: the class `Loop`."""
    return _HEAD.format(imports=imports) + _LOOP


def fan_out_text(imports: str, *, size: int) -> str:
    """`size` events at once, a step for each, and one that gathers them all: the class `FanOut`."""
    return _HEAD.format(imports=imports) + _FAN_OUT.format(size=size)


def stream_text(imports: str) -> str:
    """One step that writes `size` events to the stream: the class `Stream`."""
    return _HEAD.format(imports=imports) + _STREAM


def sleep_text(imports: str) -> str:
    """One step that sleeps until `GATE` is set and counts itself in `asleep`: the class `Sleep`."""
    return _HEAD.format(imports=imports) + _SLEEP


def counted_text(imports: str, *, size: int) -> str:
    """The loop, which keeps the time at each quarter of `size` and at its end in `MARKS`: the class `Counted`."""
    return _HEAD.format(imports=imports) + _COUNTED.format(quarter=max(1, size // 4))


def growing_text(imports: str, *, keys: bool) -> str:
    """A loop whose context grows by 1 KiB a step, one list or (`keys`) one more key: the class `Growing`."""
    return _HEAD.format(imports=imports) + _GROWING.format(grow=_GROW_KEYS if keys else _GROW_LIST)


def work_text(folder: str) -> str:
    """The function `work`, which writes to the file `seen` in `folder` and pauses as the file `pauses` says."""
    return _WORK.format(folder=folder)


def working_text(imports: str, folder: str, *, steps: int) -> str:
    """A chain of steps that each do `work`, for a start event with the number of the run: the class `Working`."""
    events = [f"\n\nclass Link{n}(Event):\n    run: int\n" for n in range(1, steps)]
    body = [_working_step(n, last=n == steps) for n in range(1, steps + 1)]
    head = _HEAD.format(imports=imports) + work_text(folder) + _BEGIN
    return "".join([head, *events, "\n\nclass Working(Workflow):\n", "\n".join(body)])


def _working_step(number: int, *, last: bool) -> str:
    takes = "Begin" if number == 1 else f"Link{number - 1}"
    gives, makes = ("StopEvent", "StopEvent(result=ev.run)") if last else (f"Link{number}", f"Link{number}(run=ev.run)")
    return (
        f"    @step\n    async def step{number}(self, ev: {takes}) -> {gives}:\n"
        f"        await work(ev.run, {number})\n        return {makes}\n"
    )


def _chain_step(number: int) -> str:
    takes = "StartEvent" if number == 1 else f"Link{number - 1}"
    gives, makes = f"Link{number}", f"Link{number}(number={number})"
    if number == STEPS:
        gives, makes = "StopEvent", "StopEvent(result=ev.number + 1)"
    return f"    @step\n    async def step{number}(self, ev: {takes}) -> {gives}:\n        return {makes}\n"
