"""Feeds as Server-Sent Events: what happened, rendered with the partials the page itself used.

Only this module knows SSE. A frame's id is the seq of the last entry in it, so a reader that lost its stream says with
`Last-Event-ID` where it was and misses nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from treadle.runner.feed import Batch
from treadle.web.presenting import entry_json, run_json

PER_SESSION = 8
IN_ALL = 1000
HEARTBEAT_SECONDS = 15
SEND_SECONDS = 20
CHANGE_SECONDS = 0.5
PULSE_SECONDS = 2.0


class Streams:
    """The open streams, counted: eight for one browser session, a thousand in all."""

    def __init__(self, *, per_session: int = PER_SESSION, in_all: int = IN_ALL) -> None:
        self._per_session = per_session
        self._in_all = in_all
        self._open: Counter[str] = Counter()
        self._threads: anyio.CapacityLimiter | None = None

    @property
    def threads(self) -> anyio.CapacityLimiter:
        """The few threads all feeds read through; made inside the running loop, which owns it."""
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(4)
        return self._threads

    def admit(self, session_id: str) -> bool:
        """Count one more stream, unless there are too many. Programs, which have no session, share the large number."""
        if self._open.total() >= self._in_all or (session_id and self._open[session_id] >= self._per_session):
            return False
        self._open[session_id] += 1
        return True

    def leave(self, session_id: str) -> None:
        self._open[session_id] -= 1
        if not self._open[session_id]:
            del self._open[session_id]


class Feed(EventSourceResponse):
    """A response that streams, when there is room for one more stream."""

    def __init__(self, frames: AsyncIterable[ServerSentEvent], *, streams: Streams, session_id: str) -> None:
        super().__init__(frames, ping=HEARTBEAT_SECONDS, sep="\n", send_timeout=SEND_SECONDS)
        self._streams = streams
        self._session_id = session_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._streams.admit(self._session_id):
            refusal = {"code": "too_many_streams", "message": "Too many live pages are open; close one and reload."}
            await JSONResponse(refusal, status_code=503, headers={"Retry-After": "5"})(scope, receive, send)
            return
        open_body = False

        async def watched(message: Message) -> None:
            nonlocal open_body
            open_body = message["type"] == "http.response.start" or bool(message.get("more_body", False))
            await send(message)

        try:
            await super().__call__(scope, receive, watched)
            if open_body:
                # A stream that the shutdown cut short still ends like a response.
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._streams.leave(self._session_id)


async def html_frames(
    batches: AsyncGenerator[Batch],
    *,
    draw: Callable[[Batch], dict[str, str]],
    rows: Callable[[Batch], str],
    overlay: Callable[[Batch], dict[str, Any]],
) -> AsyncGenerator[ServerSentEvent]:
    """Frames for the run page: new rows, the regions that changed, and the numbers on the graph.

    `draw` renders each region of the page by its element id, `rows` the entries: both are what the page was made of.
    """
    shown: dict[str, str] = {}
    waiting: int | None = None
    async with aclosing(batches):
        async for batch in batches:
            regions = await anyio.to_thread.run_sync(draw, batch)
            parts = [_partial(name, "outerMorph", html) for name, html in regions.items() if shown.get(name) != html]
            shown = regions
            if batch.entries:
                parts.insert(0, _partial("entries", "beforeend", await anyio.to_thread.run_sync(rows, batch)))
            seq = str(batch.entries[-1].seq) if batch.entries else None
            if parts:
                yield ServerSentEvent("".join(parts), id=seq, sep="\n")
            if batch.superseded:
                yield ServerSentEvent(json.dumps(batch.superseded), event="treadle:superseded", sep="\n")
            counts = await anyio.to_thread.run_sync(overlay, batch)
            yield ServerSentEvent(json.dumps(counts), event="treadle:counts", sep="\n")
            if batch.waiting != waiting:
                waiting = batch.waiting
                yield ServerSentEvent(str(waiting), event="treadle:waiting", sep="\n")
            if batch.last:
                yield ServerSentEvent("{}", event="treadle:end", sep="\n")


async def json_frames(batches: AsyncGenerator[Batch]) -> AsyncGenerator[ServerSentEvent]:
    """Frames for programs: {events, run}, the last one named `end`; `superseded` are seqs told before."""
    async with aclosing(batches):
        async for batch in batches:
            events = [entry_json(entry) for entry in batch.entries]
            data: dict[str, Any] = {"events": events, "run": run_json(batch.run)}
            if batch.superseded:
                data["superseded"] = list(batch.superseded)
            yield ServerSentEvent(
                json.dumps(data, ensure_ascii=False),
                id=str(batch.entries[-1].seq) if batch.entries else None,
                event="end" if batch.last else None,
                sep="\n",
            )


async def change_frames(
    wait: Callable[[float], Awaitable[bool]], pulse: Callable[[], str], *, seen: str, streams: Streams
) -> AsyncGenerator[ServerSentEvent]:
    """A `treadle:change` event whenever anything changed since `seen`, at most two a second.

    `pulse` is a fingerprint of what the lists show: it tells even when a nudge was lost, and is the id of each frame.
    """
    nudged = False
    while True:
        started = time.monotonic()
        now = await anyio.to_thread.run_sync(pulse, limiter=streams.threads)
        if nudged or now != seen:
            seen = now
            yield ServerSentEvent("{}", event="treadle:change", id=now, sep="\n")
            await asyncio.sleep(max(0.0, CHANGE_SECONDS - (time.monotonic() - started)))
        nudged = await wait(PULSE_SECONDS)


def _partial(target: str, swap: str, html: str) -> str:
    return f'<hx-partial hx-target="#{target}" hx-swap="{swap}">{html}</hx-partial>'
