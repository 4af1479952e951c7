"""S1: over HTTP, start a trivial run and wait for its result, sixteen at once, beside llama-agents-server."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.findings import Finding, Target, log
from benchmarks.folders import fresh_folder
from benchmarks.peers import SERVER, TREADLE, Peer, python_of
from benchmarks.processes import CHILDREN, ChildError, environment
from benchmarks.texts import trivial_text
from benchmarks.wire import Connection

AT_ONCE = 16
SECONDS = 4.0
POLL = 0.01
STARTUP = 60.0
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

    for turn in range(rounds):
        log(f"S1: round {turn + 1} of {rounds}")
        for peer, ways in (
            (TREADLE, (("treadle", _polled), (FEED, _fed), (HELLO, _hello))),
            (SERVER, ((SERVER.name, _asked),)),
        ):
            try:
                with _serving(peer) as port:
                    for name, way in ways:
                        take(name, *asyncio.run(_load(port, way)))
            except ChildError as failure:
                log(f"  failed: {failure}")
    note = f"{AT_ONCE} clients, a trivial run each at a time; treadle: POST, then GET the run every {POLL * 1e3:g} ms"
    return [
        Finding("S1 runs over HTTP", "runs/s", rates, (Target(SERVER.name, 8),), more_is_better=True, notes=[note]),
        Finding("S1 waiting, p50", "ms", halves),
        Finding("S1 waiting, p95", "ms", tails),
    ]


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


@contextmanager
def _serving(peer: Peer) -> Iterator[int]:
    """A server of its own on a free port, with the trivial workflow, until the end of the block."""
    with fresh_folder() as folder:
        port = _free_port()
        text = trivial_text(peer.imports)
        if peer is TREADLE:
            (folder / "flows").mkdir()
            (folder / "flows" / "trivial.py").write_text(text)
            command = [
                sys.executable, "-m", "treadle", "serve", "--no-token", "--port", str(port),
                "--workflows", str(folder / "flows"), "--database", str(folder / "treadle.db"),
            ]  # fmt: skip
        else:
            (folder / "job.json").write_text(json.dumps({"text": text, "workflow": "Trivial"}))
            command = [str(python_of(peer)), str(CHILDREN / "serve_server.py"), str(folder), str(port)]
        with (folder / "said").open("w") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder, env=environment())
        try:
            _wait_until_ready(process, peer, port, folder / "said")
            yield port
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], peer: Peer, port: int, said: Path) -> None:
    started = time.monotonic()
    while time.monotonic() - started < STARTUP and process.poll() is None:
        try:
            if asyncio.run(_can_run(peer, port)):
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise ChildError(f"{peer.name} does not serve: {said.read_text()[-1500:]}")


async def _can_run(peer: Peer, port: int) -> bool:
    connection = Connection("127.0.0.1", port)
    path = "/workflows/Trivial.json" if peer is TREADLE else "/health"
    try:
        status, _ = await connection.ask("GET", path)
    finally:
        connection.close()
    return status == 200


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
