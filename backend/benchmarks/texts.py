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


def _chain_step(number: int) -> str:
    takes = "StartEvent" if number == 1 else f"Link{number - 1}"
    gives, makes = f"Link{number}", f"Link{number}(number={number})"
    if number == STEPS:
        gives, makes = "StopEvent", "StopEvent(result=ev.number + 1)"
    return f"    @step\n    async def step{number}(self, ev: {takes}) -> {gives}:\n        return {makes}\n"
