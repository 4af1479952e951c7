"""Readers: programs that follow runs live, lose their stream and take it up again: every seq once, in order."""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import sqlite3
import threading

from processes.serving import Serving


class Readers:
    """Follows every run it is given to its end, from its first entry, however often the stream breaks."""

    def __init__(self, serving: Serving, *, count: int) -> None:
        self.told: dict[str, list[tuple[int, str, str | None]]] = {}
        self.broken: list[str] = []
        self.reconnections = 0
        self._serving = serving
        self._runs: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._free = threading.Semaphore(count)
        self._threads = [threading.Thread(target=self._work) for _ in range(count)]

    def go(self) -> None:
        for thread in self._threads:
            thread.start()

    def offer(self, run_id: str) -> None:
        """Follow this run, unless everybody is busy."""
        if not self._over.is_set() and self._free.acquire(blocking=False):
            self._runs.put(run_id)

    def end(self) -> None:
        self._over.set()
        for _ in self._threads:
            self._runs.put(None)
        for thread in self._threads:
            thread.join(30)

    def judge(self, database: sqlite3.Connection) -> None:
        """What was told is what is on disk, nothing of it missing."""
        for run_id, told in self.told.items():
            rows = database.execute("SELECT seq, kind, step FROM entry WHERE run_id = ? ORDER BY seq", (run_id,))
            kept = [tuple(row) for row in rows]
            if told != kept:
                self.broken.append(f"{run_id}: a reader was told {len(told)} entries unlike the {len(kept)} on disk")

    def _work(self) -> None:
        while (run_id := self._runs.get()) is not None:
            self._follow(run_id)
            self._free.release()

    def _follow(self, run_id: str) -> None:
        told: list[tuple[int, str, str | None]] = []
        while not self._over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self._read(run_id, told):
                    self.told[run_id] = told
                    return
            self.reconnections += 1
            self._over.wait(0.05)

    def _read(self, run_id: str, told: list[tuple[int, str, str | None]]) -> bool:
        """One stream from where the last one broke off; whether it came to the end of the run."""
        headers = {"Last-Event-ID": str(told[-1][0])} if told else {}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._serving.port, timeout=1)) as connection:
            connection.request("GET", f"/runs/{run_id}/feed?format=json", headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                return False
            fields: dict[str, str] = {}
            while not self._over.is_set():
                line = response.readline().decode()
                if not line:
                    return False
                if line.startswith(":"):
                    continue
                name, _, value = line.rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                    continue
                if fields and self._take(run_id, told, fields):
                    return True
                fields = {}
            return False

    def _take(self, run_id: str, told: list[tuple[int, str, str | None]], fields: dict[str, str]) -> bool:
        for entry in json.loads(fields.get("data", "{}")).get("events", []):
            due = told[-1][0] + 1 if told else 1
            if entry["seq"] != due:
                self.broken.append(f"{run_id}: a reader got seq {entry['seq']} where {due} was due")
            told.append((entry["seq"], entry["kind"], entry["step"]))
        return fields.get("event") == "end"
