"""What a superseded attempt wrote is taken back, and what is not is told, on disk as in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from keeping import Keeping

from treadle import ConstantDelayRetryPolicy, Context, Event, StartEvent, StopEvent, Workflow, step

AGAIN = ConstantDelayRetryPolicy(maximum_attempts=5, delay=0)


@pytest.fixture
async def keeping(tmp_path: Path) -> AsyncIterator[Keeping]:
    made = Keeping(f"sqlite:///{tmp_path / 'treadle.db'}")
    yield made
    await made.close()


class Turn(Event):
    pass


class Conflict(Workflow):
    """`begin` writes two keys, `other` writes one of them after it, and then `begin` does not come to its end."""

    def __init__(self, *, fails: bool) -> None:
        super().__init__()
        self.fails = fails
        self.written = asyncio.Event()

    @step(retry_policy=AGAIN)
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        if ctx.attempt == 1:
            await ctx.set("mine", "begin")
            await ctx.set("both", "begin")
            ctx.send_event(Turn())
            await self.written.wait()
            if self.fails:
                raise OSError
            await asyncio.Event().wait()
        return StopEvent(result=[await ctx.get("mine", default=None), await ctx.get("both")])

    @step
    async def other(self, ctx: Context, ev: Turn) -> None:
        await ctx.set("both", "other")
        self.written.set()


async def test_key_that_a_failed_attempt_cannot_take_back_is_told(keeping):
    kept = keeping.start(Conflict(fails=True))
    assert (await kept.outcome()).event.result == [None, "other"]
    assert [failed["conflicts"] for failed in kept.payloads("step_failed")] == [["both"]]
    assert kept.folded().context == {"both": "other"}


async def test_key_that_a_crashed_attempt_cannot_take_back_is_told(keeping):
    kept = keeping.start(Conflict(fails=False))
    await kept.until("running", entries=6)
    again = keeping.resume(kept)
    assert (await again.outcome()).event.result == [None, "other"]
    assert [resumed["conflicts"] for resumed in again.payloads("resumed")] == [["both"]]


async def test_attempt_that_is_taken_back_as_a_whole_tells_of_no_conflict(keeping):
    class Alone(Workflow):
        @step(retry_policy=AGAIN)
        async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await ctx.set("key", ctx.attempt)
            if ctx.attempt == 1:
                raise OSError
            return StopEvent(result=await ctx.get("key"))

    kept = keeping.start(Alone())
    assert (await kept.outcome()).event.result == 2
    assert ["conflicts" in failed for failed in kept.payloads("step_failed")] == [False]
