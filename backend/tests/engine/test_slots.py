"""`num_concurrent_runs`: how many runs of one instance go on at a time."""

from __future__ import annotations

import asyncio
import re
import threading

import pytest
from turns import turns

from treadle import Context, StartEvent, StopEvent, Workflow, WorkflowCancelledByUser, step


class Slow(Workflow):
    """Runs that end when they are told; `order` is how they started."""

    def __init__(self, limit):
        super().__init__(num_concurrent_runs=limit, timeout=None)
        self.order, self.now, self.most = [], 0, 0
        self.told = {}

    @step
    async def work(self, ctx: Context, ev: StartEvent) -> StopEvent:
        self.order.append(ev.n)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.told.setdefault(ev.n, asyncio.Event()).wait()
        finally:
            self.now -= 1
        if ev.get("error"):
            raise ev.error
        return StopEvent(result=ev.n)

    def tell(self, n):
        self.told.setdefault(n, asyncio.Event()).set()


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "2"])
def test_limit_must_be_a_positive_integer(limit):
    message = f"num_concurrent_runs must be an integer greater than 0 or None, not {limit!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Slow(limit)


async def test_runs_wait_their_turn_in_the_order_they_were_started():
    workflow = Slow(2)
    handlers = [workflow.run(n=n) for n in range(6)]
    await turns()
    assert workflow.order == [0, 1]
    workflow.tell(1)
    await turns()
    assert workflow.order == [0, 1, 2]
    for n in range(6):
        workflow.tell(n)
    assert await asyncio.gather(*handlers) == list(range(6))
    assert workflow.order == list(range(6))
    assert workflow.most == 2


async def test_run_that_is_cancelled_while_it_waits_never_starts():
    workflow = Slow(1)
    first, second, third = (workflow.run(n=n) for n in range(3))
    await turns()
    await second.cancel_run()
    with pytest.raises(WorkflowCancelledByUser):
        await second
    assert workflow.order == [0], "the slot is still taken"
    workflow.tell(0)
    workflow.tell(2)
    assert await asyncio.gather(first, third) == [0, 2]
    assert workflow.order == [0, 2]


async def test_failed_and_cancelled_runs_give_their_slot_back():
    workflow = Slow(1)
    first = workflow.run(n=0, error=LookupError())
    second = workflow.run(n=1)
    third = workflow.run(n=2)
    workflow.tell(0)
    with pytest.raises(LookupError):
        await first
    await turns()
    await second.cancel_run()
    workflow.tell(2)
    assert await third == 2
    assert workflow.most == 1


async def test_run_that_waits_for_its_turn_may_be_prepared():
    workflow = Slow(1)
    first, second = workflow.run(n=0), workflow.run(n=1)
    await second.ctx.set("word", "warp")
    assert await second.ctx.get("word") == "warp"
    workflow.tell(0)
    workflow.tell(1)
    assert await asyncio.gather(first, second) == [0, 1]
    assert await second.ctx.get("word") == "warp"


async def test_stepwise_run_waits_for_its_turn_too():
    workflow = Slow(1)
    first, second = workflow.run(n=0), workflow.run(n=1)
    stepping = asyncio.ensure_future(second.run_step())
    await turns()
    assert workflow.order == [0]
    workflow.tell(0)
    await first
    workflow.tell(1)
    assert await stepping == StopEvent(result=1)
    second.ctx.send_event(StopEvent(result="edited"))
    assert await second == "edited"


async def test_saved_run_waits_for_its_turn_when_it_is_continued():
    workflow = Slow(1)
    first = workflow.run(n=0)
    await turns()
    data = first.ctx.to_dict()
    second, third = (workflow.run(ctx=Context.from_dict(workflow, data)) for _ in range(2))
    await turns()
    assert workflow.order == [0]
    await first.cancel_run()
    await second.cancel_run()
    workflow.tell(0)
    assert await third == 0
    assert (workflow.order, workflow.most) == ([0, 0], 1), "the second was cancelled as it got its turn"


def test_event_loop_that_was_closed_keeps_no_slot():
    workflow = Slow(1)

    async def abandon():
        running, waiting = workflow.run(n="left"), workflow.run(n="never")
        await turns()
        return running, waiting

    async def go_on():
        workflow.told.clear()
        workflow.tell("next")
        return await workflow.run(n="next")

    asyncio.run(abandon())
    assert asyncio.run(go_on()) == "next"
    assert workflow.order == ["left", "next"]


def test_two_event_loops_share_the_slots():
    class Meets(Workflow):
        now = most = 0
        lock = threading.Lock()

        @step
        async def work(self, ev: StartEvent) -> StopEvent:
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
            await asyncio.sleep(0.001)
            with self.lock:
                self.now -= 1
            return StopEvent(result=ev.n)

    workflow, results = Meets(num_concurrent_runs=2, timeout=None), []

    async def many(first):
        return await asyncio.gather(*(workflow.run(n=n) for n in range(first, first + 30)))

    threads = [threading.Thread(target=lambda n=n: results.append(asyncio.run(many(n)))) for n in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(results) == [list(range(30)), list(range(100, 130))]
    assert workflow.most == 2
