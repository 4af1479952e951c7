"""The meeting place: where a worker hears the nudges of its studio and sends it its own, while there is one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from treadle.runner.nudges import Nudger, listen
from treadle.store.failing import reason

log = logging.getLogger("treadle.worker")

LOOK = 1.0
"""Seconds between looks at whether the studio has gone, or another has come."""


class MeetingPlace:
    """The folder that `find` finds, again and again, for the worker `worker`; `heard` gets the nudges that come there.

    `show` is called before it is there: a studio that starts takes all that were there before for gone.
    """

    def __init__(
        self,
        find: Callable[[], Path | None],
        *,
        worker: str,
        heard: Callable[[list[str]], None],
        show: Callable[[], None],
    ) -> None:
        self._find = find
        self._name = f"worker-{worker}.sock"
        self._heard = heard
        self._show = show
        self._folder: Path | None = None
        self._shown = False
        self._ears: asyncio.DatagramTransport | None = None
        self._web: Nudger | None = None
        self._closing = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        """Be there; from now on follow a studio that moves."""
        await self._look()
        self._looking = asyncio.get_running_loop().create_task(self._keep_looking())

    async def leave(self) -> None:
        """Stop listening, and following; what is sent until `close` is still sent."""
        self._closing.set()
        if self._looking is not None:
            await self._looking
        self._stop_listening()

    def send(self, topics: Iterable[str]) -> None:
        """Tell the web process to look at `topics`, from any thread; without one it is lost."""
        web = self._web
        if web is not None:
            web.send(topics)

    def close(self) -> None:
        """Send nothing more."""
        web, self._web = self._web, None
        if web is not None:
            web.close()

    async def _keep_looking(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._closing.wait()
                    return
            try:
                await self._look()
            except Exception as error:
                log.warning("The studio has moved, and cannot be followed yet: %s; trying again.", reason(error))

    async def _look(self) -> None:
        folder = self._find()
        if self._shown and folder == self._folder:
            return
        self._stop_listening()
        self.close()
        self._folder = None
        await asyncio.to_thread(self._show)
        self._shown = True
        if folder is not None:
            try:
                self._ears = await listen(folder / self._name, self._heard)
            except FileNotFoundError:  # the studio was killed, and the next one has swept it just now
                return
            self._web = Nudger(folder, "web-*.sock")
            self._folder = folder
            self.send(["*"])

    def _stop_listening(self) -> None:
        ears, self._ears = self._ears, None
        if ears is not None and self._folder is not None:
            ears.close()
            with suppress(OSError):
                (self._folder / self._name).unlink()
