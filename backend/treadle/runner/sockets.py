"""Folders for sockets: one for every studio, gone with it - or, if it was killed, when the next one starts.

Whoever made a folder has it locked for as long as his process lives, however that ends: one that nobody has locked is
left over, whichever database it served.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from treadle.errors import SettingsError

PREFIX = "treadle-sockets-"
LONGEST = 103
"""Bytes the path of a socket may have on every system."""
NAMES = len("/worker-w_0123456789ab.sock")
"""Bytes of it that are a name in the folder."""
TRIES = 10
"""Folders to make at most: another process may take a new one for left over, just before it is locked."""


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for sockets that only this user can look into, until the block ends; what is left over is swept first.

    Raises SettingsError where there can be none.
    """
    sweep()
    folder, held = _make()
    try:
        yield folder
    finally:
        _remove(folder, held)


def is_ours(folder: Path) -> bool:
    """Whether it is there, and a folder that only this user can look into."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def sweep() -> None:
    """Remove the folders of this user that nobody has any more."""
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            held = _hold(folder)
            if held is not None:
                _remove(folder, held)


def _make() -> tuple[Path, int]:
    for _ in range(TRIES):
        try:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        except OSError as error:
            raise SettingsError(f"No folder for sockets can be made: {error.strerror}. Set TMPDIR anew.") from None
        held = _hold(folder)
        if held is None:
            with suppress(OSError):
                folder.rmdir()
        elif not folder.exists():  # somebody swept it before it was locked
            os.close(held)
        elif len(os.fsencode(folder)) + NAMES > LONGEST:
            _remove(folder, held)
            raise SettingsError(f"The path of {folder} is too long for sockets; set TMPDIR to a shorter one, as /tmp.")
        else:
            return folder, held
    raise SettingsError(f"No folder in {tempfile.gettempdir()} can be locked; set TMPDIR to one on a local disk.")


def _hold(folder: Path) -> int | None:
    """A descriptor of the folder, with the lock on it; None where another process has that, or it is not our folder."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    with suppress(OSError):
        if os.fstat(held).st_uid == os.geteuid():
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return held
    os.close(held)
    return None


def _remove(folder: Path, held: int) -> None:
    """Remove a folder with its sockets, and let go of it; one in which anything else lies stays, with that."""
    try:
        with suppress(OSError):
            for name in os.listdir(held):
                if stat.S_ISSOCK(os.stat(name, dir_fd=held, follow_symlinks=False).st_mode):
                    os.unlink(name, dir_fd=held)
            folder.rmdir()
    finally:
        os.close(held)
