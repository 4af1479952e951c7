"""A studio whose workers are killed in the middle of a run, and after whose death hours may pass."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from processes.marks import DOOR
from processes.serving import Answer, Serving, children_of, until

PATIENCE = 120.0
"""Seconds: on a busy machine two new workers, one after the other, take that long to come to life."""


class Mortal(Serving):
    """Its workflows leave marks and wait at gates, see marks.py."""

    def start(self, *, seconds: float = PATIENCE) -> Mortal:
        """Start it and wait until a worker has published what it can run, unless the door is closed."""
        super().start(seconds=seconds)
        if not (self.folder / DOOR).exists():
            self._welcome()
        return self

    def _welcome(self) -> None:
        until("a worker has come", lambda: self.ask("GET", "/workflows.json").json["workflows"], seconds=PATIENCE)

    def marks(self, name: str) -> list[str]:
        """The marks left so far, but for those of waiting at a gate."""
        return [line for line in self._lines_of(name) if not line.startswith("waits in ")]

    def at_gate(self, name: str, *, times: int = 1) -> None:
        """Return when steps have come to this gate so many times."""
        until(
            f"{times} at gate {name}",
            lambda: sum(line.startswith("waits in ") for line in self._lines_of(name)) >= times,
            seconds=PATIENCE,
        )

    def open_gate(self, name: str) -> None:
        (self.folder / f"{name}.open").touch()

    def kill_worker_of(self, run_id: str) -> None:
        """`kill -9` the worker that drives this run; another one goes on with it."""
        query = "SELECT pid FROM worker JOIN run ON run.lease_owner = worker.id WHERE run.id = ?"
        ((pid,),) = self.rows(query, run_id)
        os.kill(pid, signal.SIGKILL)

    @contextmanager
    def nobody_working(self, *, web_too: bool = False) -> Iterator[None]:
        """`kill -9` of all workers, and with `web_too` of the web process; until the end none comes to life."""
        assert self.process is not None
        (self.folder / DOOR).touch()
        try:
            if web_too:
                self.kill()
                self.start()
            else:
                pids = children_of(self.process.pid)
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                alive = f"SELECT count(*) FROM worker WHERE ended_at IS NULL AND pid IN ({', '.join(map(str, pids))})"
                until("their deaths are written down", lambda: self.rows(alive)[0][0] == 0)
            yield
        finally:
            (self.folder / DOOR).unlink()
        self._welcome()

    def let_pass(self, seconds: float, run_id: str, *, upto: int = 1 << 62) -> None:
        """Make it so long ago what this run did and planned in its entries up to `upto`; it must not be live."""
        with sqlite3.connect(self.database, timeout=10) as database:
            rows = database.execute(
                "SELECT seq, payload, detail FROM entry WHERE run_id = ? AND seq <= ?", (run_id, upto)
            ).fetchall()
            for seq, payload, detail in rows:
                database.execute(
                    "UPDATE entry SET at = at - ?, payload = ?, detail = ? WHERE run_id = ? AND seq = ?",
                    (seconds, _earlier(payload, "retry_at", seconds), _earlier(detail, "due", seconds), run_id, seq),
                )
        database.close()

    def entries(self, run_id: str, kind: str) -> list[sqlite3.Row]:
        return self.rows("SELECT * FROM entry WHERE run_id = ? AND kind = ? ORDER BY seq", run_id, kind)

    def comes_to(self, run_id: str, kind: str, *, times: int = 1) -> list[sqlite3.Row]:
        """The run's entries of this kind, once there are so many."""

        def look() -> list[sqlite3.Row] | None:
            found = self.entries(run_id, kind)
            return found if len(found) >= times else None

        return until(f"{run_id} has {times} entries {kind}", look, seconds=PATIENCE)

    def ended(self, run_id: str, *, seconds: float = PATIENCE) -> dict[str, Any]:
        return super().ended(run_id, seconds=seconds)

    def prompt(self, run_id: str, *, seconds: float = PATIENCE) -> dict[str, Any]:
        return super().prompt(run_id, seconds=seconds)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("POST", path, {} if body is None else body, headers=headers)

    def _lines_of(self, name: str) -> list[str]:
        path = self.folder / f"{name}.marks"
        return path.read_text().splitlines() if path.exists() else []


def _earlier(text: str | None, name: str, seconds: float) -> str | None:
    """A JSON text with the moment it has under `name` put back, if there is one."""
    values = json.loads(text) if text else None
    if not isinstance(values, dict) or not isinstance(values.get(name), float):
        return text
    return json.dumps({**values, name: values[name] - seconds})
