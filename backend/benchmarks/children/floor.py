"""The floor of durability: rows through `sqlite3`, on a kept connection, each commit waiting for the disk."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from pathlib import Path

ROW = "x" * 200


def measure(folder: str, *, rows: int, warm: int, synchronous: str, at_once: int = 1) -> list[float]:
    """Seconds per row, `at_once` of them to a commit."""
    connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("CREATE TABLE entry (run TEXT, seq INTEGER, payload TEXT, PRIMARY KEY (run, seq)) WITHOUT ROWID")
    found = []
    for commit in range((rows + warm) // at_once):
        values = [(f"r_{run}", commit, ROW) for run in range(at_once)]
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?)", values)
        connection.execute("COMMIT")
        found.append((time.perf_counter() - started) / at_once)
    connection.close()
    return found[warm // at_once :]


if __name__ == "__main__":
    job = json.load(sys.stdin)
    print(json.dumps(measure(**job)))
