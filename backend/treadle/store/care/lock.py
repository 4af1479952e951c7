"""The lock on a database file: one server to a file, and a mark that tells whether the last one closed it.

Nothing heavy is imported here: whoever finds the file taken has to say so at once.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from treadle.errors import DatabaseInUse, SettingsError

NEXT = "\n"
"""Between who has the file and where his sockets are."""


class Lock:
    """The file is ours until the process ends. `left_open` is whether its last holder went without closing it."""

    def __init__(self, mark: int) -> None:
        self._mark = mark
        self.left_open = bool(_read(mark))

    def say(self, who: str, *, sockets: Path | None = None) -> None:
        """Leave word, on disk, of who has the database open: for a second server, and for the next one.

        And of the folder `sockets`, where workers that others start find it.
        """
        text = os.fsencode(f"{who}\n{sockets}" if sockets is not None else who)
        try:
            os.pwrite(self._mark, text, 0)  # over the old words before they are cut off: a reader always finds some
            os.ftruncate(self._mark, len(text))
            os.fsync(self._mark)
        except OSError as error:
            raise SettingsError(f"The folder of the database cannot be written to: {error.strerror}.") from error

    def closed(self) -> None:
        """Say that the database was closed as it should be. Who never says so is found to have left it open."""
        self.say("")


def lock_file(file: Path) -> Path:
    """Where the lock on `file` lies: beside it, so that every process that has the one finds the other."""
    return file.with_suffix(".lock")


@contextmanager
def only_one(file: Path, who: str) -> Iterator[Lock]:
    """Have `file` to ourselves as `who`, as long as this process lives.

    Raises DatabaseInUse, naming the holder, when another process has it; SettingsError where nothing can be written.
    """
    try:
        mark = os.open(lock_file(file), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(f"{lock_file(file)} cannot be written: {error.strerror}.") from None
    try:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatabaseInUse(
                f"The database {file} is in use by treadle {_read(mark).partition(NEXT)[0] or 'in another process'};"
                " stop it first, or name another file with --database."
            ) from None
        lock = Lock(mark)
        lock.say(who)
        yield lock
    finally:
        os.close(mark)


def sockets_beside(file: Path) -> Path | None:
    """The folder of sockets that whoever has `file` has told of, or had: he may have been killed since."""
    try:
        mark = os.open(lock_file(file), os.O_RDONLY)
    except OSError:
        return None
    try:
        told = _read(mark).partition(NEXT)[2]
    finally:
        os.close(mark)
    return Path(told) if told else None


def _read(mark: int) -> str:
    return os.pread(mark, 1000, 0).decode(errors="replace").strip()
