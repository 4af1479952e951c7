"""The rest of the mix: joins, retries, waits, results kept once, steps that may be done at most once.

Like flows.py, whose side log they share: (tag, step, n) names a delivery, and every step writes its start and its end.
"""

from __future__ import annotations

import asyncio
import os
import secrets

from campaigns.flows import SIDE_LOG, Question, Reply, Tagged, body, note
from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    StepFailedEvent,
    StopEvent,
    Workflow,
    catch_error,
    step,
)

RETRIES = 2
"""How often each link of KillRetry fails, and how often its policy lets it be tried again: not once more."""


class Left(Event):
    tag: str
    n: int
    nap: float


class Right(Event):
    tag: str
    n: int


class Product(Event):
    tag: str
    n: int
    value: int


class KillJoin(Workflow):
    """Joins two kinds of events by parameters, one of each in the order they were sent, and adds the products."""

    @step
    async def deal(self, ctx: Context, ev: Tagged) -> Left | Right | None:
        with body(ev.tag, "deal"):
            await ctx.set("size", ev.size)
            for n in range(ev.size):
                ctx.send_event(Left(tag=ev.tag, n=n, nap=ev.nap))
            await asyncio.sleep(ev.nap)
            for n in range(ev.size):
                ctx.send_event(Right(tag=ev.tag, n=n))

    @step(num_workers=3)
    async def join(self, left: Left, right: Right) -> Product:
        with body(left.tag, "join", right.n):
            await asyncio.sleep(left.nap)
            return Product(tag=left.tag, n=left.n, value=left.n * right.n)

    @step(num_workers=1)
    async def add(self, ctx: Context, ev: Product) -> StopEvent | None:
        with body(ev.tag, "add", ev.n):
            total = await ctx.get("total", default=0) + ev.value
            await ctx.set("total", total)
            seen = await ctx.get("seen", default=0) + 1
            await ctx.set("seen", seen)
            return StopEvent(result=total) if seen == await ctx.get("size") else None


class Try(Event):
    tag: str
    n: int
    nap: float


class FlawError(RuntimeError):
    pass


class KillRetry(Workflow):
    """Every link fails as often as its policy allows; the last step always fails, and its failure is caught.

    What a failed attempt has written must be taken back: each link counts once.
    """

    @step
    async def first(self, ctx: Context, ev: Tagged) -> Try:
        with body(ev.tag, "first"):
            await ctx.set("size", ev.size)
            return Try(tag=ev.tag, n=0, nap=ev.nap)

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=RETRIES, delay=0.01))
    async def attempt(self, ctx: Context, ev: Try) -> Try | Left:
        with body(ev.tag, "attempt", ev.n):
            await ctx.set("count", await ctx.get("count", default=0) + 1)
            await asyncio.sleep(ev.nap)
            if _fails_again(ev.tag, ev.n):
                raise FlawError(f"link {ev.n} is not ready")
            if ev.n + 1 < await ctx.get("size"):
                return Try(tag=ev.tag, n=ev.n + 1, nap=ev.nap)
            return Left(tag=ev.tag, n=ev.n + 1, nap=ev.nap)

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=1, delay=0.01))
    async def never(self, ev: Left) -> StopEvent:
        with body(ev.tag, "never", ev.n):
            raise FlawError("this one never is")

    @catch_error(for_steps=["never"])
    async def caught(self, ctx: Context, ev: StepFailedEvent) -> StopEvent:
        with body(ev.input_event.tag, "caught", 0):
            return StopEvent(result=[ev.step, await ctx.get("count")])


def _fails_again(tag: str, n: int) -> bool:
    """Counted outside of the engine: it would count a death as a failure if it could."""
    descriptor = os.open(f"{SIDE_LOG}.{tag}.{n}", os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.fstat(descriptor).st_size >= RETRIES:
            return False
        os.write(descriptor, b"x")
        return True
    finally:
        os.close(descriptor)


class Ping(Event):
    tag: str
    n: int
    nap: float


class Pong(Event):
    tag: str
    n: int


class Never(Event):
    tag: str


class KillWait(Workflow):
    """Waits in the middle of a step: for another step, for a person, and for what does not come."""

    @step
    async def wait(self, ctx: Context, ev: Tagged) -> Ping | StopEvent:
        with body(ev.tag, "wait"):
            answers = []
            for n in range(ev.size):
                ctx.send_event(Ping(tag=ev.tag, n=n, nap=ev.nap))
                pong = await ctx.wait_for_event(Pong, requirements={"n": n})
                await ctx.set("pongs", [*await ctx.get("pongs", default=[]), pong.n])
                question = Question(prefix="What now?", tag=ev.tag, n=n)
                reply = await ctx.wait_for_event(Reply, waiter_event=question, requirements={"n": n})
                answers.append(reply.response)
            try:
                await ctx.wait_for_event(Never, timeout=0.2)
            except TimeoutError:
                answers.append("nobody came")
            return StopEvent(result=[answers, await ctx.get("pongs")])

    @step
    async def pong(self, ctx: Context, ev: Ping) -> None:
        with body(ev.tag, "pong", ev.n):
            await asyncio.sleep(ev.nap)
            ctx.send_event(Pong(tag=ev.tag, n=ev.n))


class KillOnce(Workflow):
    """Charges once for each n, whatever happens to the step around it; all its attempts have one key."""

    @step
    async def charge(self, ctx: Context, ev: Tagged) -> Link:
        with body(ev.tag, "charge"):
            note(ev.tag, "key", 0, ctx.idempotency_key)
            kept = [await ctx.run_once(f"charge {n}", self._charge, ev, n) for n in range(ev.size)]
            return Link(tag=ev.tag, n=0, kept=kept)

    async def _charge(self, ev: Tagged, n: int) -> str:
        receipt = secrets.token_hex(4)
        note(ev.tag, "receipt", n, receipt)
        await asyncio.sleep(ev.nap)
        return receipt

    @step
    async def show(self, ev: Link) -> StopEvent:
        with body(ev.tag, "show", ev.n):
            return StopEvent(result=ev.kept)


class Link(Event):
    tag: str
    n: int
    kept: list[str]


class Dose(Event):
    tag: str
    n: int
    nap: float


class KillMost(Workflow):
    """Gives doses, none of them twice: killed in the middle of one, it stops and says so."""

    @step
    async def admit(self, ctx: Context, ev: Tagged) -> Dose:
        with body(ev.tag, "admit"):
            await ctx.set("size", ev.size)
            return Dose(tag=ev.tag, n=0, nap=ev.nap)

    @step(at_most_once=True)
    async def dose(self, ctx: Context, ev: Dose) -> Dose | StopEvent:
        with body(ev.tag, "dose", ev.n):
            await asyncio.sleep(ev.nap)
            if ev.n + 1 >= await ctx.get("size"):
                return StopEvent(result=ev.n + 1)
            return Dose(tag=ev.tag, n=ev.n + 1, nap=ev.nap)
