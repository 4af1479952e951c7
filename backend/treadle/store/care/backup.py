"""Backups: a whole copy of the database in one file, made while it is in use, and looked at before it counts."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from treadle.errors import TreadleError
from treadle.store.care.readonly import open_read_only
from treadle.store.failing import kind_of, reason

KEPT = 3
"""Copies from before a migration that stay beside the database."""


class BackupFailed(TreadleError):  # noqa: N818
    """There is no backup now, and no half of one either."""

    code = "backup_failed"


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy: where it is, its size in bytes, and how many seconds it took."""

    path: Path
    size: int
    seconds: float


def back_up(source: Path, target: Path) -> Backup:
    """Copy the database `source` to the new file `target`, as of one moment, while servers write to it.

    The copy is one file that needs no other beside it. Raises BackupFailed, also when there is something at `target`.
    """
    began = time.perf_counter()
    with _reserved(target) as unfinished:
        try:
            with closing(open_read_only(source)) as original, closing(sqlite3.connect(unfinished)) as copy:
                original.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
                (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            full = kind_of(error) == "full"
            why = f"there is no room for it at {target.parent}" if full else reason(error)
            raise BackupFailed(f"{source} could not be copied: {why}.") from error
        if verdict != "ok":
            raise BackupFailed(
                f"{source} is damaged ({verdict}), and so would be its copy; see `treadle fsck --database {source}`."
            )
        _to_disk(unfinished)
        unfinished.replace(target)
    _to_disk(target.parent)
    return Backup(target, target.stat().st_size, time.perf_counter() - began)


def keep_copy(file: Path, revision: str, *, now: float) -> Backup:
    """Copy `file`, which is at schema `revision`, beside itself before it is changed; the oldest such copies go."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    made = back_up(file, file.with_name(f"{file.stem}.{revision}.{stamp}.db"))
    for old in _copies(file)[:-KEPT]:
        old.unlink(missing_ok=True)
    return made


def newest_copy(file: Path) -> Path | None:
    """The newest copy beside `file` from before a migration."""
    return max(_copies(file), default=None, key=_made_at)


def _copies(file: Path) -> list[Path]:
    """Copies of `file` from before migrations, oldest first."""
    stamp = "[0-9]" * 8 + "-" + "[0-9]" * 6
    return sorted(file.parent.glob(f"{_literal(file.stem)}.*.{stamp}.db"), key=_made_at)


def _made_at(copy: Path) -> str:
    return copy.stem.rpartition(".")[2]


def _literal(text: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)


@contextmanager
def _reserved(target: Path) -> Iterator[Path]:
    """A name beside `target` to write to, while `target` is ours; both are gone again if it comes to nothing."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise BackupFailed(f"{target} is there already, and a backup overwrites nothing; name a new file.") from None
    except OSError as error:
        raise BackupFailed(f"{target} cannot be written: {error.strerror}.") from None
    unfinished = target.with_name(f"{target.name}.part")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield unfinished
    except BaseException:
        for path in (target, unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
            with contextlib.suppress(OSError):
                path.unlink()
        raise


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
