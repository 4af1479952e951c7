"""Servers: the real processes, on one folder and one port, killed and started again at will."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

from benchmarks.peers import DBOS, TREADLE, Peer, python_of
from benchmarks.processes import CHILDREN, ChildError, environment
from benchmarks.wire import Connection

STARTUP = 60.0


class Server:
    """`treadle serve` or a peer's server with one workflow; DBOS has no server, its process starts the runs itself.

    Raises ChildError when it does not come up, PeerInstallError when there is nothing to start.
    """

    def __init__(self, peer: Peer, folder: Path, *, text: str, workflow: str) -> None:
        self.peer, self.folder, self.workflow = peer, folder, workflow
        self.port = _free_port()
        self._python = python_of(peer)
        self._process: subprocess.Popen[bytes] | None = None
        if peer is TREADLE:
            (folder / "flows").mkdir()
            (folder / "flows" / "measured.py").write_text(text)
        else:
            (folder / "job.json").write_text(json.dumps({"text": text, "workflow": workflow}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self, *, runs: int = 0) -> float:
        """Start it and give the time (seconds since the epoch); `runs` is for a process that starts them itself."""
        started = time.time()
        with (self.folder / "said").open("a") as said:
            self._process = subprocess.Popen(
                self._command(runs), stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=self.folder,
                env=environment(),
            )  # fmt: skip
        return started

    def wait_until_ready(self) -> None:
        """Wait until it would start a run."""
        began = time.monotonic()
        while time.monotonic() - began < STARTUP and self._process is not None and self._process.poll() is None:
            if self.peer is DBOS:
                return
            with suppress(OSError):
                if asyncio.run(self._can_run()):
                    return
            time.sleep(0.2)
        raise ChildError(f"{self.peer.name} does not serve: {self.said()}")

    def begin(self, runs: Sequence[int], *, at_once: int = 8) -> None:
        """Start a run for each number, over HTTP."""
        asyncio.run(self._begin(list(runs), at_once))

    def kill(self) -> None:
        """`kill -9` everything at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGSTOP)  # or it would start its workers again before it is its turn
            self.kill_workers()
            self._process.kill()
            self._process.wait()

    def kill_workers(self) -> None:
        """`kill -9` the worker processes alone."""
        assert self._process is not None
        for pid in _children_of(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End it as one does who has nothing against it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def said(self) -> str:
        """The end of what it wrote."""
        return (self.folder / "said").read_text()[-1500:]

    def _command(self, runs: int) -> list[str]:
        if self.peer is TREADLE:
            return [
                sys.executable, "-m", "treadle", "serve", "--no-token", "--port", str(self.port),
                "--workflows", str(self.folder / "flows"), "--database", str(self.folder / "treadle.db"),
            ]  # fmt: skip
        if self.peer is DBOS:
            return [str(self._python), str(CHILDREN / "recovery_dbos.py"), str(self.folder), str(runs)]
        return [str(self._python), str(CHILDREN / "serve_server.py"), str(self.folder), str(self.port)]

    async def _can_run(self) -> bool:
        connection = Connection("127.0.0.1", self.port)
        path = f"/workflows/{self.workflow}.json" if self.peer is TREADLE else "/health"
        try:
            status, _ = await connection.ask("GET", path)
        finally:
            connection.close()
        return status == 200

    async def _begin(self, runs: list[int], at_once: int) -> None:
        async def client() -> None:
            connection = Connection("127.0.0.1", self.port)
            while runs:
                body: dict[str, Any] = {"run": runs.pop()}
                path = f"/workflows/{self.workflow}/runs"
                if self.peer is not TREADLE:
                    path, body = f"/workflows/{self.workflow}/run-nowait", {"start_event": body}
                status, answer = await connection.ask("POST", path, body)
                if status not in {200, 201}:
                    raise ChildError(f"{self.peer.name} answers {status}: {answer[:500]!r}")
            connection.close()

        await asyncio.gather(*(client() for _ in range(at_once)))


def _children_of(pid: int) -> list[int]:
    lines = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid="], text=True).splitlines()
    return [int(child) for child, parent in (line.split() for line in lines) if int(parent) == pid]


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
