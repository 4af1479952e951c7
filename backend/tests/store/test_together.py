"""What several ask for while one of them is at it is done in one go, whoever waits, and however."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from treadle.store.together import Together

PATIENCE = 20


class Gated:
    """Doubles numbers, each go when it is let, and remembers what was asked together."""

    def __init__(self) -> None:
        self.goes: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.let = threading.Semaphore(0)

    def __call__(self, asked: Sequence[int]) -> list[int | BaseException]:
        self.begun.release()
        assert self.let.acquire(timeout=PATIENCE)
        self.goes.append(list(asked))
        if 13 in asked:
            raise OSError("the disk")
        return [ValueError("odd") if number % 2 else 2 * number for number in asked]


async def begun(double: Gated) -> None:
    assert await asyncio.to_thread(double.begun.acquire, timeout=PATIENCE)


def wait_until_somebody_waits(together: Together[int, int]) -> None:
    while not together._waiting:
        threading.Event().wait(0.001)


async def test_what_a_loop_asks_for_meanwhile_is_done_in_one_go() -> None:
    double = Gated()
    together = Together(double)
    first = asyncio.create_task(together.ask_soon(2))
    await begun(double)
    rest = [asyncio.create_task(together.ask_soon(number)) for number in (4, 5, 6)]
    await asyncio.sleep(0)
    double.let.release(2)
    async with asyncio.timeout(PATIENCE):
        assert await first == 4
        assert await rest[0] == 8
        with pytest.raises(ValueError, match="odd"):
            await rest[1]
        assert await rest[2] == 12
    assert double.goes == [[2], [4, 5, 6]]


async def test_what_a_loop_asks_for_in_one_turn_is_done_in_one_go() -> None:
    double = Gated()
    double.let.release(2)
    together = Together(double)
    async with asyncio.timeout(PATIENCE):
        assert await asyncio.gather(*map(together.ask_soon, (2, 4, 6))) == [4, 8, 12]
        assert await together.ask_soon(8) == 16
    assert double.goes == [[2, 4, 6], [8]]


async def test_who_no_longer_waits_keeps_nobody_from_his_answer() -> None:
    double = Gated()
    together = Together(double)
    first = asyncio.create_task(together.ask_soon(2))
    await begun(double)
    second, third = (asyncio.create_task(together.ask_soon(number)) for number in (4, 6))
    await asyncio.sleep(0)
    first.cancel()
    second.cancel()  # it would have been the next to see to all
    double.let.release(2)
    async with asyncio.timeout(PATIENCE):
        assert await third == 12
    assert double.goes == [[2], [4, 6]]


@pytest.mark.parametrize("who", ["a thread", "the loop"])
async def test_threads_and_a_loop_wait_for_each_other(who: str) -> None:
    double = Gated()
    together = Together(double)
    with ThreadPoolExecutor(1) as threads:
        loop = asyncio.get_running_loop()

        def ask(number: int, *, in_thread: bool) -> asyncio.Future[int]:
            soon = loop.run_in_executor(threads, together.ask, number) if in_thread else together.ask_soon(number)
            return asyncio.ensure_future(soon)

        first = ask(2, in_thread=who == "a thread")
        await begun(double)
        second = ask(4, in_thread=who != "a thread")
        await asyncio.to_thread(wait_until_somebody_waits, together)
        double.let.release(2)
        async with asyncio.timeout(PATIENCE):
            assert [await first, await second] == [4, 8]
    assert double.goes == [[2], [4]]


async def test_what_goes_wrong_for_all_is_told_to_all_and_the_next_go_is_as_good_as_any() -> None:
    double = Gated()
    together = Together(double)
    double.let.release(3)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(OSError, match="the disk"):
            await together.ask_soon(13)
        assert await together.ask_soon(8) == 16
        assert await asyncio.to_thread(together.ask, 10) == 20
