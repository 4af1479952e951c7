"""What a database weighs: the bytes of its file once everything in its log has moved there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def weight(file: Path) -> int:
    """Bytes of a SQLite database that nobody has open any more; 0 for one that is not there yet."""
    if not file.exists():
        return 0
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size
