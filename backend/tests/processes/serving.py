"""A `treadle serve` in a process of its own, driven over HTTP, looked into through its database, killed at will."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
PRINTED = re.compile(r"http://127\.0\.0\.1:(\d+)/")
FINAL = ("completed", "failed", "cancelled", "timed_out", "interrupted")


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: status, body, and how long it took in seconds."""

    status: int
    text: str
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def until(what: str, look: Callable[[], T | None], *, seconds: float = 30.0) -> T:
    """What `look` finds once that is something; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        pause.wait(0.03)
    return found


class Serving:
    """One studio on one database file; started again it keeps its port."""

    def __init__(self, folder: Path, workflows: list[Path], *, workers: int = 2, options: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.database = folder / "treadle.db"
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self._workflows = workflows
        self._options = ("--no-token", "--workers", str(workers), *options)
        self._lines: list[str] = []

    @property
    def output(self) -> str:
        return "".join(self._lines)

    @property
    def command(self) -> list[str]:
        paths = [argument for path in self._workflows for argument in ("--workflows", str(path))]
        return [
            sys.executable, "-m", "treadle", "serve", "--port", str(self.port), "--database", str(self.database),
            *self._options, *paths,
        ]  # fmt: skip

    def start(self, *, seconds: float = 40.0) -> Serving:
        """Start it and wait until it has printed its address."""
        self.process = subprocess.Popen(
            self.command, cwd=self.folder, text=True, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "400"},
        )  # fmt: skip
        printed = threading.Event()
        threading.Thread(target=self._read, args=(self.process, printed), daemon=True).start()
        if not printed.wait(seconds) or not self.port:
            self.kill()
            raise AssertionError(f"the studio printed no address; it wrote:\n{self.output}")
        return self

    def stop(self, *, seconds: float = 20.0) -> int:
        """End it as Ctrl+C in a terminal does, which reaches the whole group; its exit code."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            return self.process.wait(seconds)
        finally:
            self.kill()

    def kill(self) -> None:
        """`kill -9` the web process and all its workers at once."""
        if self.process is not None:
            workers = children_of(self.process.pid) if self.process.poll() is None else []
            for pid in (self.process.pid, *workers):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(10)

    def _read(self, process: subprocess.Popen[str], printed: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._lines.append(line)
                if not printed.is_set() and (found := PRINTED.search(line)):
                    self.port = int(found.group(1))
                    printed.set()
        printed.set()

    # Over HTTP

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, seconds: float = 10.0
    ) -> Answer:
        """One request on a connection of its own. Raises OSError or HTTPException when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        began = time.monotonic()
        try:
            content = json.dumps(body) if body is not None else None
            connection.request(method, path, body=content, headers=sent | (headers or {}))
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        return Answer(response.status, text, time.monotonic() - began)

    def begin(self, workflow: str, **fields: Any) -> str:
        """Start a run; its id."""
        answer = self.ask("POST", f"/workflows/{workflow}/runs", fields)
        assert answer.status == 201, answer.text
        run_id: str = answer.json["id"]
        return run_id

    def run(self, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.ask("GET", f"/runs/{run_id}.json").json
        return run

    def ended(self, run_id: str, *, seconds: float = 30.0) -> dict[str, Any]:
        """The run once it has ended or was parked."""

        def look() -> dict[str, Any] | None:
            run = self.run(run_id)
            return run if run["status"] in FINAL else None

        return until(f"{run_id} ends", look, seconds=seconds)

    def prompt(self, run_id: str, *, seconds: float = 30.0) -> dict[str, Any]:
        """The run's first open prompt, once there is one."""

        def look() -> dict[str, Any] | None:
            prompts = self.ask("GET", f"/runs/{run_id}/prompts.json").json["prompts"]
            return next((prompt for prompt in prompts if prompt["status"] == "open"), None)

        return until(f"{run_id} asks", look, seconds=seconds)

    # Behind its back

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A reader of the database file."""
        connection = sqlite3.connect(self.database, timeout=10, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self.reading() as connection:
            return connection.execute(query, values).fetchall()

    def worker_pids(self) -> list[int]:
        """The workers that have shown themselves and live: children of our own process, nobody else's."""
        assert self.process is not None
        rows = self.rows("SELECT pid FROM worker WHERE ended_at IS NULL ORDER BY name")
        return [row["pid"] for row in rows if parent_of(row["pid"]) == self.process.pid]


def children_of(pid: int) -> list[int]:
    """The live children of a process."""
    known = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [child for child in known if parent_of(child) == pid]


def parent_of(pid: int) -> int | None:
    """The parent of a live process, None for one that is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, parent = stat.rpartition(")")[2].split()[:2]
    return int(parent) if state != "Z" else None
