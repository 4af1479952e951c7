"""S1: over HTTP, start a trivial run and wait for its result, sixteen at once, beside llama-agents-server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.findings import Finding, Target, log
from benchmarks.folders import fresh_folder
from benchmarks.peers import SERVER, TREADLE, Peer, PeerInstallError
from benchmarks.processes import ChildError
from benchmarks.servers import Server
from benchmarks.texts import trivial_text
from benchmarks.wire import Connection

AT_ONCE = 16
SECONDS = 4.0
POLL = 0.01
FEED = "treadle, by its feed"
HELLO = "floor: GET /health of treadle"

Run = Callable[[Connection], Awaitable[None]]


def measure(*, rounds: int) -> list[Finding]:
    """Runs per second, and the median and 95th percentile of the time a client waits."""
    rates: dict[str, list[float]] = {}
    halves: dict[str, list[float]] = {}
    tails: dict[str, list[float]] = {}

    def take(name: str, waits: list[float], seconds: float) -> None:
        rates.setdefault(name, []).append(len(waits) / seconds)
        cuts = quantiles(waits, n=20)
        halves.setdefault(name, []).append(cuts[9] * 1e3)
        tails.setdefault(name, []).append(cuts[18] * 1e3)

    failed: dict[str, str] = {}
    for turn in range(rounds):
        log(f"S1: round {turn + 1} of {rounds}")
        for peer, ways in (
            (TREADLE, (("treadle", _polled), (FEED, _fed), (HELLO, _hello))),
            (SERVER, ((SERVER.name, _asked),)),
        ):
            try:
                with fresh_folder() as folder, _server(peer, folder) as server:
                    server.start()
                    server.wait_until_ready()
                    for name, way in ways:
                        take(name, *asyncio.run(_load(server.port, way)))
            except (ChildError, PeerInstallError) as failure:
                failed[peer.name] = str(failure)
                log(f"  failed: {failure}")
    note = f"{AT_ONCE} clients, a trivial run each at a time; treadle: POST, then GET the run every {POLL * 1e3:g} ms"
    return [
        Finding(
            "S1 runs over HTTP", "runs/s", rates, (Target(SERVER.name, 8),), more_is_better=True, missing=failed,
            notes=[note],
        ),
        Finding("S1 waiting, p50", "ms", halves),
        Finding("S1 waiting, p95", "ms", tails),
    ]  # fmt: skip


def _server(peer: Peer, folder: Path) -> Server:
    return Server(peer, folder, text=trivial_text(peer.imports), workflow="Trivial")


async def _load(port: int, way: Run) -> tuple[list[float], float]:
    connections = [Connection("127.0.0.1", port) for _ in range(AT_ONCE)]
    waits: list[float] = []

    async def client(connection: Connection, until: float) -> None:
        while time.perf_counter() < until:
            started = time.perf_counter()
            await way(connection)
            waits.append(time.perf_counter() - started)

    for seconds in (1.0, SECONDS):  # the first one warms up
        waits.clear()
        started = time.perf_counter()
        await asyncio.gather(*(client(connection, started + seconds) for connection in connections))
        took = time.perf_counter() - started
    for connection in connections:
        connection.close()
    return waits, took


async def _start(connection: Connection) -> str:
    status, body = await connection.ask("POST", "/workflows/Trivial/runs", {})
    _expect(status == 201, status, body)
    return str(json.loads(body)["id"])


async def _polled(connection: Connection) -> None:
    run_id = await _start(connection)
    while True:
        status, body = await connection.ask("GET", f"/runs/{run_id}.json")
        run: dict[str, Any] = json.loads(body)
        if run["status"] == "completed":
            _expect(run["result"] == 1 or _holds_one(run["result"]), status, body)
            return
        _expect(run["status"] == "running", status, body)
        await asyncio.sleep(POLL)


async def _fed(connection: Connection) -> None:
    run_id = await _start(connection)
    status, body = await connection.ask("GET", f"/runs/{run_id}/feed?format=json")
    _expect(status == 200 and b"event: end" in body and b'"completed"' in body, status, body)


async def _hello(connection: Connection) -> None:
    status, body = await connection.ask("GET", "/health")
    _expect(status == 200, status, body)


async def _asked(connection: Connection) -> None:
    status, body = await connection.ask("POST", "/workflows/Trivial/run", {})
    _expect(status == 200 and json.loads(body)["status"] == "completed", status, body)


def _holds_one(result: Any) -> bool:
    return isinstance(result, dict) and 1 in result.values()


def _expect(true: bool, status: int, body: bytes) -> None:
    if not true:
        raise ChildError(f"unexpected answer {status}: {body[:500]!r}")
