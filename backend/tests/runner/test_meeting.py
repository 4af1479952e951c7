"""A worker meets its studio in a folder that may go at any moment, and finds the next one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from treadle.runner.meeting import MeetingPlace
from treadle.runner.nudges import Nudger, listen


async def test_folder_that_goes_before_one_can_listen_there_is_looked_for_again(tmp_path: Path):
    swept, next_one = tmp_path / "swept", tmp_path / "next"
    next_one.mkdir()
    found = iter([swept])
    shown: list[str] = []
    heard: asyncio.Queue[list[str]] = asyncio.Queue()
    place = MeetingPlace(
        lambda: next(found, next_one), worker="w_1", heard=heard.put_nowait, show=lambda: shown.append("w_1")
    )
    came: asyncio.Queue[list[str]] = asyncio.Queue()
    web = await listen(next_one / "web-1.sock", came.put_nowait)
    await place.enter()
    place.send(["lost"])
    nudger = Nudger(next_one, "worker-*.sock")
    async with asyncio.timeout(10):
        assert await came.get() == ["*"]
        nudger.send(["r_1"], to="w_1")
        assert await heard.get() == ["r_1"]
    assert shown == ["w_1", "w_1"]
    await place.leave()
    place.close()
    nudger.close()
    web.close()
