"""Nudges reach everybody who listens at that moment, those who came and went since the last one included."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from treadle.runner.nudges import Nudger, listen


async def heard(told: asyncio.Queue[str], count: int) -> list[str]:
    async with asyncio.timeout(10):
        return sorted([await told.get() for _ in range(count)])


async def test_nudge_reaches_who_came_after_the_last_one(tmp_path: Path):
    told: asyncio.Queue[str] = asyncio.Queue()
    nudger = Nudger(tmp_path, "worker-*.sock")
    first = await listen(tmp_path / "worker-1.sock", lambda topics: told.put_nowait(f"1 {topics}"))
    os.utime(tmp_path, (1, 1))  # long ago: the list of who listens is kept from here on
    nudger.send(["a"])
    assert await heard(told, 1) == ["1 ['a']"]
    second = await listen(tmp_path / "worker-2.sock", lambda topics: told.put_nowait(f"2 {topics}"))
    other = await listen(tmp_path / "web-1.sock", lambda topics: told.put_nowait(f"web {topics}"))
    nudger.send(["b", "c"])
    assert await heard(told, 2) == ["1 ['b', 'c']", "2 ['b', 'c']"]
    first.close()
    (tmp_path / "worker-1.sock").unlink()
    nudger.send(["d"])
    assert await heard(told, 1) == ["2 ['d']"]
    assert told.empty()
    for transport in (second, other):
        transport.close()
    nudger.close()


async def test_nudge_for_one_reaches_only_that_one(tmp_path: Path):
    told: asyncio.Queue[str] = asyncio.Queue()
    nudger = Nudger(tmp_path, "worker-*.sock")
    transports = [
        await listen(tmp_path / f"worker-{name}.sock", lambda topics, name=name: told.put_nowait(f"{name} {topics}"))
        for name in ("w_1", "w_2", "a-w_1")
    ]
    assert sorted(nudger.listeners()) == ["a-w_1", "w_1", "w_2"]
    nudger.send(["r_1"], to="w_1")
    nudger.send(["r_2"], to="w_nobody")
    nudger.send(["r_3"])
    assert await heard(told, 4) == ["a-w_1 ['r_3']", "w_1 ['r_1']", "w_1 ['r_3']", "w_2 ['r_3']"]
    for transport in transports:
        transport.close()
    nudger.close()


def test_nudge_into_a_folder_that_is_gone_is_lost_like_any_other(tmp_path: Path):
    nudger = Nudger(tmp_path / "gone", "worker-*.sock")
    nudger.send(["a"])
    nudger.close()
