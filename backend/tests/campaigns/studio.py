"""Studios for campaigns: a `treadle serve` whose web process and workers may die at any moment, and come back soon."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from processes.serving import Serving, parent_of

from campaigns.nursery import WORKERS, Nursery, shared
from campaigns.rig import RIG
from campaigns.sabotage import inherited

TESTS = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/")
NOISE = re.compile(r"^(Treadle is at|Stop it with|worker \d+ \(pid \d+\) ended)")


class Studio(Serving):
    """A studio with a side log; with `quick`, its processes are forked from a nursery instead of started anew.

    `environment` is what they have beside ours; a `nursery` of one's own is for what must be there from the first on.
    """

    def __init__(
        self, folder: Path, workflows: list[Path], *, workers: int = 2, quick: bool = True,
        environment: Mapping[str, str] | None = None, nursery: Nursery | None = None,
    ) -> None:  # fmt: skip
        super().__init__(folder, workflows, workers=workers)
        self.side_log = folder / "side.log"
        self.side_log.touch()
        paths = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
        self.environment = {
            "CAMPAIGN_SIDE_LOG": str(self.side_log), "PYTHONPATH": paths, **inherited(), **(environment or {})
        }  # fmt: skip
        self.nursery = (nursery or shared()) if quick else None
        self.web_rig: Mapping[str, Any] = {}
        """What the web process is rigged with from its next start on, as rig.py says; its workers are not."""

    def start(self, *, seconds: float = 40.0) -> Studio:
        """Start it and wait until it has printed its address."""
        if self.nursery is None:
            os.environ.update(self.environment)
            super().start(seconds=seconds)
            return self
        read, write = os.pipe()
        arguments = self.command[self.command.index("treadle") + 1 :]
        # A nursling shows itself as a Popen does, as far as anybody here looks.
        environment = {**self.environment, WORKERS: json.dumps(self.environment)}
        if self.web_rig:
            environment[RIG] = json.dumps(self.web_rig)
        self.process = self.nursery.spawn(  # type: ignore[assignment]
            arguments, folder=self.folder, output=write, environment=environment
        )
        os.close(write)
        printed = threading.Event()
        threading.Thread(target=self._listen, args=(read, printed), daemon=True).start()
        if not printed.wait(seconds) or not self.port:
            self.kill()
            raise AssertionError(f"the studio printed no address; it wrote:\n{self.output}")
        return self

    def kill(self) -> None:
        """`kill -9` the web process and all its workers at once."""
        if self.nursery is None:
            super().kill()
        elif self.process is not None:
            for pid in {self.process.pid, *self.nursery.children()}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(10)

    def kill_web(self) -> None:
        """`kill -9` the web process alone: its workers notice, or meet their successors."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        """Kill what is left."""
        self.kill()
        if self.nursery is not None:
            self.nursery.clear()

    def worker_pids(self) -> list[int]:
        """The workers that have shown themselves and live."""
        assert self.process is not None
        parent = self.nursery.pid if self.nursery is not None else self.process.pid
        rows = self.rows("SELECT pid FROM worker WHERE ended_at IS NULL ORDER BY name")
        return [row["pid"] for row in rows if parent_of(row["pid"]) == parent]

    def check(self) -> tuple[int, str]:
        """What `treadle fsck` says of the database: its exit code and its words."""
        command = [*self.command[:3], "fsck", "--database", str(self.database)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    @property
    def complaints(self) -> str:
        """What it wrote beside its address and the ends of its workers."""
        return "".join(line for line in self._lines if not NOISE.match(line))

    def reader(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.database, timeout=10, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return connection

    def _listen(self, descriptor: int, printed: threading.Event) -> None:
        with os.fdopen(descriptor, errors="replace") as stream:
            for line in stream:
                self._lines.append(line[:2000])
                if not printed.is_set() and (found := ADDRESS.search(line)):
                    self.port = int(found.group(1))
                    printed.set()
        printed.set()


def count(database: sqlite3.Connection, query: str, *values: Any) -> int:
    return int(database.execute(query, values).fetchone()[0])
