"""What a type checker must refuse. Each comment names the error expected on its line; nothing here is ever run."""

from __future__ import annotations

from pydantic import BaseModel

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    Resource,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    Workflow,
    catch_error,
    draw_all_possible_flows,
    step,
)


class Warp(StartEvent):
    threads: int


class Width(HumanResponseEvent):
    cm: int = 0


class Ledger(BaseModel):
    woven: int = 0


class Eager:
    """Not a retry policy: `next` takes no error."""

    def next(self, elapsed_time: float) -> float | None:
        return elapsed_time


async def measure(threads: int) -> int:
    return threads


class Shed(Workflow):
    @step(num_workers="four")  # error: call-overload, untyped-decorator
    async def wind(self, ev: Warp) -> StopEvent:
        return StopEvent(result=ev.width)  # error: attr-defined

    @step(retry_policy=Eager())  # error: call-overload, untyped-decorator
    async def reel(self, ev: Warp) -> None: ...

    @catch_error(for_steps=5)  # error: call-overload, untyped-decorator
    async def mend(self, ev: StepFailedEvent) -> None: ...


class Mill(Workflow):
    @step
    async def weave(self, ctx: Context[Ledger], ev: Warp) -> StopEvent:
        ctx.send_event("done")  # error: arg-type
        ctx.write_event_to_stream({"message": "done"})  # error: arg-type
        ctx.collect_events(ev, [str])  # error: list-item
        ledger = await ctx.store.get_state()
        ledger.wooven += 1  # error: attr-defined
        async with ctx.store.edit_state() as edited:
            edited.woven = "much"  # error: assignment
        await ctx.store.set_state(Width())  # error: arg-type
        metres = await ctx.run_once("measure", measure, 5)
        await ctx.run_once("measure", measure, "five")  # error: call-overload
        metres.upper()  # error: attr-defined
        answer = await ctx.wait_for_event(Width)
        return StopEvent(result=(metres, answer.inches))  # error: attr-defined

    @step
    async def cut(self, ev: Width) -> StopEvent:
        return ev  # error: return-value


async def use(mill: Mill, ctx: Context[Ledger], plain: Context[dict[str, int]]) -> None:
    await mill.weave(ctx, Width())  # error: arg-type
    await mill.weave(plain, Warp(threads=1))  # error: arg-type
    assert (await mill.cut(Width())).threads  # error: attr-defined
    handler = mill.run(start_event=Event())  # error: arg-type
    handler.halt()  # error: attr-defined
    await handler.ctx.set(1, "one")  # error: arg-type
    mill.add_workflows(finisher="plain")  # error: arg-type
    Mill(timeout="10")  # error: arg-type
    Mill(tiemout=10)  # error: call-arg
    Warp()  # error: call-arg
    Resource("lamp")  # error: arg-type
    ConstantDelayRetryPolicy(delay="soon")  # error: arg-type
    draw_all_possible_flows("Mill")  # error: arg-type
