"""Workflows whose runs are saved in their middle by one process and finished by another; see test_saved.py."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    Workflow,
    catch_error,
    step,
)


class Part(Event):
    n: int


class Done(Event):
    n: int


class Order(StartEvent):
    parts: int = 4


class Total(StopEvent):
    parts: list[int] = Field(default_factory=list)


class Ledger(BaseModel):
    done: int = 0


class Barred(Workflow):
    """In the process that saves it nothing gets past its bar, but what `passes` says."""

    barred: ClassVar[bool] = False
    passes: ClassVar[tuple[int, ...]] = ()

    async def bar(self, n: int = -1) -> None:
        if self.barred and n not in self.passes:
            await asyncio.Event().wait()


class Parts(Barred):
    """Splits, works on each part, and joins; counts in its state what it did."""

    @step
    async def split(self, ctx: Context[Ledger], ev: Order) -> Part:
        for n in range(ev.parts):
            ctx.send_event(Part(n=n))
        return None

    @step(num_workers=3)
    async def work(self, ctx: Context[Ledger], ev: Part) -> Done:
        async with ctx.store.edit_state() as state:
            state.done += 1
        await self.bar(ev.n)
        return Done(n=ev.n)

    @step
    async def join(self, ctx: Context[Ledger], ev: Done) -> Total | None:
        batch = ctx.collect_events(ev, [Done] * 4)
        if batch is None:
            return None
        return Total(parts=sorted(event.n for event in batch), result=(await ctx.store.get_state()).done)


class Tail(Parts):
    passes = (0, 1)


class Pair(Barred):
    """Waits for one of each with one in hand."""

    @step
    async def begin(self, ctx: Context, ev: Order) -> Part | Done:
        ctx.send_event(Part(n=1))
        ctx.send_event(Part(n=2))
        await self.bar()
        return Done(n=3)

    @step
    async def join(self, first: Part, second: Done) -> StopEvent:
        return StopEvent(result=[first.n, second.n])


class Asks(Barred):
    """Asks in the middle of a step, after things that must not be done twice."""

    @step
    async def ask(self, ctx: Context, ev: Order) -> Part:
        once = await ctx.run_once("once", lambda: "first" if self.barred else "second")
        await ctx.set("asked", await ctx.get("asked", default=0) + 1)
        ctx.send_event(Part(n=1))
        answer = await ctx.wait_for_event(
            HumanResponseEvent, waiter_event=InputRequiredEvent(prefix="Name?"), requirements={"n": 2}
        )
        await ctx.set("answer", [once, answer.response, await ctx.get("asked")])
        return Part(n=2)

    @step
    async def count(self, ctx: Context, ev: Part) -> StopEvent | None:
        batch = ctx.collect_events(ev, [Part] * 2)
        return StopEvent(result=await ctx.get("answer")) if batch else None


class Prompts(Barred):
    """Asks by an event."""

    @step
    async def ask(self, ev: Order) -> InputRequiredEvent:
        return InputRequiredEvent(prefix="Name?")

    @step
    async def answer(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=["first", ev.response, 1])


class Flaky(Barred):
    """Fails once, and is saved before it is tried again."""

    @step(retry_policy=ConstantDelayRetryPolicy(delay=0.05))
    async def flaky(self, ctx: Context, ev: Order) -> StopEvent:
        await ctx.set("tries", await ctx.get("tries", default=0) + 1)
        if ctx.attempt == 1:
            raise OSError("not yet")
        return StopEvent(result=[ctx.attempt > 1, await ctx.get("tries")])


class Broken(Barred):
    """Fails for good, and is saved while the step that catches is at work."""

    @step
    async def wrong(self, ev: Order) -> StopEvent:
        raise OSError("broken")

    @catch_error
    async def mend(self, ev: StepFailedEvent) -> StopEvent:
        await self.bar()
        return StopEvent(result=[ev.step, type(ev.input_event).__name__, "broken" in str(ev.exception)])


class Nests(Barred):
    """Waits for a nested run."""

    @step
    async def call(self, ctx: Context, ev: Order, inner: Workflow = Parts()) -> StopEvent:  # noqa: B008 - a slot
        total = await inner.run(parts=4)
        return StopEvent(result=total.parts)


class Keyed(Barred):
    """Ends with what a service would know this step by."""

    @step
    async def pay(self, ctx: Context, ev: Order) -> StopEvent:
        await ctx.set("key", ctx.idempotency_key)
        await self.bar()
        return StopEvent(result=ctx.idempotency_key)


FLOWS = (Parts, Tail, Pair, Asks, Prompts, Flaky, Broken, Nests, Keyed)


async def finish(name: str, data: dict[str, Any]) -> Any:
    """The result of a saved run, JSON-able; whoever it asks answers."""
    workflow = next(kind for kind in FLOWS if kind.__name__ == name)()
    handler = workflow.run(ctx=Context.from_dict(workflow, data))

    async def answer() -> None:
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                handler.ctx.send_event(HumanResponseEvent(response=f"to {event.prefix}", n=2))

    result, _ = await asyncio.gather(handler, answer())
    return shown(result)


def shown(result: Any) -> Any:
    """A result as JSON has it."""
    return [result.parts, result.result] if isinstance(result, Total) else result


async def main() -> None:
    saved = json.load(sys.stdin)
    results = {scene: await finish(name, data) for scene, (name, data) in saved.items()}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
