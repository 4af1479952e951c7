"""Every public name in use, with the types a checker must see: `assert_type` states them, a run proves them true."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, assert_type

from pydantic import BaseModel

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    ExponentialBackoffRetryPolicy,
    HumanResponseEvent,
    InputRequiredEvent,
    Resource,
    RetryPolicy,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    TreadleError,
    Workflow,
    WorkflowCancelledByUser,
    WorkflowCancelledEvent,
    WorkflowFailedEvent,
    WorkflowHandler,
    WorkflowRuntimeError,
    WorkflowTimedOutEvent,
    WorkflowTimeoutError,
    WorkflowValidationError,
    catch_error,
    draw_all_possible_flows,
    draw_most_recent_execution,
    step,
)


class Warp(StartEvent):
    threads: int
    colour: str = "indigo"


class Bobbin(Event):
    metres: int


class Shuttle(Event):
    metres: int


class Ask(InputRequiredEvent):
    pass


class Width(HumanResponseEvent):
    cm: int = 0


class Cloth(StopEvent):
    metres: int = 0


class Ledger(BaseModel):
    woven: int = 0
    notes: list[str] = []


class Lamp:
    lumen = 800


def light_lamp() -> Lamp:
    return Lamp()


async def measure(metres: int) -> int:
    return metres


class Patience:
    """A policy of one's own: nothing to inherit from."""

    def next(self, elapsed_time: float, attempts: int, error: Exception) -> float | None:
        return 0.0 if attempts < 1 and elapsed_time < 60 and isinstance(error, OSError) else None


policies: list[RetryPolicy] = [
    ConstantDelayRetryPolicy(delay=5, maximum_attempts=10),
    ExponentialBackoffRetryPolicy(),
    Patience(),
]


class Finisher(Workflow):
    @step
    async def finish(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=str(ev.get("metres")))


class Mill(Workflow):
    @step
    async def wind(self, ctx: Context[Ledger], ev: Warp) -> Bobbin | Shuttle | None:
        assert_type(ev.threads, int)
        assert_type(ev.get("pattern"), Any)
        assert_type(ctx.send_event(Bobbin(metres=ev.threads)), None)
        ctx.send_event(Shuttle(metres=2), step="weave")
        ctx.write_event_to_stream(Event(message="wound", colour=ev.colour))
        assert_type(ctx.is_running, bool)
        assert_type(ctx.attempt, int)
        assert_type(ctx.idempotency_key, str)
        return None

    @step(num_workers=1, retry_policy=Patience())
    async def weave(
        self, ctx: Context[Ledger], bobbin: Bobbin, shuttle: Shuttle, lamp: Annotated[Lamp, Resource(light_lamp)]
    ) -> Bobbin | Ask:
        assert_type(lamp, Lamp)
        assert_type(await ctx.run_once("measure", measure, bobbin.metres), int)
        assert_type(await ctx.run_once("label", lambda: f"{shuttle.metres} m"), str)
        async with ctx.store.edit_state() as ledger:
            assert_type(ledger, Ledger)
            ledger.woven += bobbin.metres
        assert_type(await ctx.store.get_state(), Ledger)
        await ctx.store.set_state(Ledger(woven=bobbin.metres))
        await ctx.store.set("notes", ["tight"])
        assert_type(await ctx.store.get("notes"), Any)
        return Ask(prefix="How wide?")

    @step(at_most_once=True)
    async def cut(self, ctx: Context, ev: Width, finisher: Workflow = Finisher()) -> Cloth:  # noqa: B008 - a slot
        """The context without a type for its state: what it holds may be anything."""
        await ctx.set("width", ev.cm)
        assert_type(await ctx.get("width"), Any)
        assert_type(await ctx.get("length", default=None), Any)
        assert_type(await ctx.store.get("width", default=0), Any)
        return Cloth(metres=int(await finisher.run(metres=4)))

    @catch_error(for_steps=["weave"])
    async def mend(self, ev: StepFailedEvent) -> StopEvent:
        assert_type(ev.step, str)
        assert_type(ev.exception, BaseException)
        assert_type(ev.input_event, Event)
        assert_type(ev.attempts, int)
        assert_type(ev.elapsed, float)
        return StopEvent(result=None)


@step(workflow=Mill)
def sweep(ctx: Context, ev: Shuttle) -> None:
    """A step that is neither a method nor a coroutine; it collects the shuttles of three cloths."""
    assert_type(ctx.collect_events(ev, [Shuttle] * 3), list[Event] | None)


class Office(Workflow):
    @step
    async def measure(self, ctx: Context, ev: StartEvent) -> StopEvent:
        width = await ctx.wait_for_event(Width, waiter_event=Ask(prefix="How wide?"), timeout=60)
        assert_type(width, Width)
        return StopEvent(result=width.cm)


async def steps_stay_functions(mill: Mill, ctx: Context[Ledger], plain: Context) -> None:
    """`@step` keeps the type of the function, so that a test may call a step by itself."""
    assert_type(await mill.wind(ctx, Warp(threads=2)), Bobbin | Shuttle | None)
    assert_type(await mill.mend(StepFailedEvent(step="s", exception=OSError(), input_event=Event())), StopEvent)
    assert_type(sweep(plain, Shuttle(metres=1)), None)


async def main(folder: Path) -> Any:
    mill = Mill(timeout=None, num_concurrent_runs=2, workflow_name="mill", strict=True, verbose=False)
    assert_type(mill.workflow_name, str)
    assert_type(mill.validate(), bool)
    assert_type(mill.warnings(), list[str])
    mill.add_workflows(finisher=Finisher(timeout=5))
    handler = mill.run(threads=4)
    assert_type(handler, WorkflowHandler)
    async for event in handler.stream_events(include_stop=True):
        assert_type(event, Event)
        if isinstance(event, Ask):
            handler.ctx.send_event(Width(cm=90))
        if isinstance(event, WorkflowFailedEvent):
            assert_type(event.exception, BaseException)
        if isinstance(event, WorkflowTimedOutEvent):
            assert_type(event.active_steps, list[str])
        if isinstance(event, WorkflowCancelledEvent):
            assert_type(event, WorkflowCancelledEvent)
    result = await handler
    assert_type(result, Any)
    assert_type(handler.result(), Any)
    assert_type(handler.exception(), BaseException | None)
    assert_type(handler.is_done(), bool)
    assert_type(handler.cancelled(), bool)
    assert_type(handler.run_id, str)
    saved = handler.ctx.to_dict()
    assert_type(saved, dict[str, Any])
    context = Context.from_dict(mill, saved)
    fresh = Context(mill)
    assert_type(await fresh.get("width", default=None), Any)
    again = mill.run(ctx=context, start_event=Warp(threads=4), run_id="r_again")
    first = await again.run_step()
    assert_type(first, Event | None)
    await again.cancel_run()
    await cancelled(again)
    draw_all_possible_flows(Mill, filename=folder / "mill.html")
    draw_most_recent_execution(mill, filename=str(folder / "recent.html"))
    return result


async def cancelled(handler: WorkflowHandler) -> None:
    tell: Callable[[TreadleError], str] = str
    try:
        await handler
    except WorkflowCancelledByUser as error:
        tell(error)
    except (WorkflowRuntimeError, WorkflowTimeoutError, WorkflowValidationError) as error:
        raise AssertionError from error


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(asyncio.run(main(Path(place))).metres)  # noqa: T201 - what the test reads
