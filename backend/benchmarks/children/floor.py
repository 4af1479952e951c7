"""The floor of durability: one row per commit through `sqlite3`, kept connection, each waiting for the disk."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from pathlib import Path

ROW = "x" * 200


def measure(folder: str, *, rows: int, warm: int, synchronous: str) -> list[float]:
    """Seconds per row."""
    connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("CREATE TABLE entry (run TEXT, seq INTEGER, payload TEXT, PRIMARY KEY (run, seq)) WITHOUT ROWID")
    found = []
    for seq in range(rows):
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO entry VALUES ('r_1', ?, ?)", (seq, ROW))
        connection.execute("COMMIT")
        found.append(time.perf_counter() - started)
    connection.close()
    return found[warm:]


if __name__ == "__main__":
    job = json.load(sys.stdin)
    print(json.dumps(measure(job["folder"], rows=job["rows"], warm=job["warm"], synchronous=job["synchronous"])))
