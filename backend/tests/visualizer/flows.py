"""Workflows that the drawing calls are tried on."""

from __future__ import annotations

from typing import Annotated, Any

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    Resource,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    Workflow,
    catch_error,
    step,
)


class Leg(Event):
    n: int = 0


class Unsaid(Event):
    pass


class Secret(Event):
    pass


class Walk(Workflow):
    """Goes round `legs` times."""

    def __init__(self, legs: int, **options: Any) -> None:
        super().__init__(**options)
        self.legs = legs

    @step
    async def set_out(self, ev: StartEvent) -> Leg:
        return Leg()

    @step
    async def walk(self, ctx: Context, ev: Leg) -> Leg | Secret | StopEvent:
        if ev.n == self.legs:
            return StopEvent(result=ev.n)
        return Leg(n=ev.n + 1)

    @step
    async def hide(self, ev: Secret) -> StopEvent:
        return StopEvent()


class Asking(Workflow):
    @step
    async def ask(self, ev: StartEvent) -> InputRequiredEvent:
        return InputRequiredEvent(prefix="How far?")

    @step
    async def hear(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=ev.response)


class Question(InputRequiredEvent):
    pass


class Answer(HumanResponseEvent):
    pass


class Waiting(Workflow):
    """Asks and hears in one step: no signature names the question or the answer."""

    @step
    async def talk(self, ctx: Context, ev: StartEvent) -> StopEvent:
        answer = await ctx.wait_for_event(Answer, waiter_event=Question(prefix="How far?"))
        return StopEvent(result=answer.response)


class Reflection(Workflow):
    @step
    async def reflect(self, ev: StartEvent) -> StopEvent:
        if ev.get("fail"):
            raise ValueError("nothing to see")
        return StopEvent(result="better")


class Outer(Workflow):
    @step
    async def start(self, ev: StartEvent, reflection: Workflow = Reflection()) -> Leg:  # noqa: B008 - the seed's slot
        await reflection.run()
        try:
            await reflection.run(fail=True)
        except ValueError:
            return Leg()
        raise AssertionError

    @step
    async def finish(self, ev: Leg) -> StopEvent:
        return StopEvent()


class Caught(Workflow):
    @step
    async def risky(self, ev: StartEvent) -> StopEvent:
        raise ValueError("no")

    @catch_error(for_steps=["risky"])
    async def rescue(self, ev: StepFailedEvent) -> StopEvent:
        return StopEvent(result="rescued")


def make_llm() -> str:
    return "llm"


class Equipped(Workflow):
    """Steps that ask for things and are tried again, or never twice."""

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=3, delay=2))
    async def write(self, ev: StartEvent, llm: Annotated[str, Resource(make_llm)]) -> Leg:
        return Leg()

    @step(at_most_once=True)
    async def send(self, ev: Leg) -> StopEvent:
        return StopEvent()


class Gathering(Workflow):
    """One step collects by hand, one is a join."""

    @step
    async def set_out(self, ev: StartEvent) -> Leg | Secret:
        return Leg()

    @step
    async def gather(self, ctx: Context, ev: Leg) -> Unsaid | None:
        return Unsaid() if ctx.collect_events(ev, [Leg] * 3) else None

    @step
    async def join(self, one: Unsaid, other: Secret) -> StopEvent:
        return StopEvent()


class Odd(Workflow):
    """What is probably not meant: an event nobody takes, a step nothing reaches, steps that lead nowhere."""

    @step
    async def begin(self, ev: StartEvent) -> Leg | Unsaid | StopEvent:
        return StopEvent()

    @step
    async def wander(self, ev: Leg) -> Leg:
        return Leg()

    @step
    async def never(self, ev: Secret) -> StopEvent:
        return StopEvent()


class Outermost(Workflow):
    """A workflow in a workflow in a workflow."""

    @step
    async def begin(self, ev: StartEvent, outer: Workflow = Outer()) -> StopEvent:  # noqa: B008 - a slot
        await outer.run()
        return StopEvent()
