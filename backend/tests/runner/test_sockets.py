"""A folder for sockets belongs to one process; what a killed one left goes when the next comes, and nothing else."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from treadle.errors import SettingsError
from treadle.runner.sockets import PREFIX, own_folder, sweep

HOLDER = """
import sys, time
from treadle.runner.sockets import own_folder
with own_folder() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for temporary files that only this test uses; its path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="sock-", dir="/tmp") as made:
        monkeypatch.setenv("TMPDIR", made)
        monkeypatch.setattr(tempfile, "tempdir", None)  # asked for once, then remembered
        yield Path(made)


def bound(path: Path) -> Path:
    """A socket at `path` that nobody listens at any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(path))
    return path


def holder() -> tuple[subprocess.Popen[str], Path]:
    """Another process with a folder of its own."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str], number: int | None = None) -> None:
    if number is not None:
        process.send_signal(number)
    process.communicate(timeout=30)


def test_folder_is_ours_alone_and_goes_with_its_sockets(place: Path):
    with own_folder() as folder:
        assert folder.parent == place
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        bound(folder / "web-1.sock")
        bound(folder / "worker-w_0123456789ab.sock")
    assert list(place.iterdir()) == []


def test_what_a_killed_process_left_goes_when_the_next_one_comes(place: Path):
    process, left = holder()
    bound(left / "web-1.sock")
    end(process, signal.SIGKILL)
    assert left.exists()
    with own_folder() as folder:
        assert list(place.iterdir()) == [folder]


def test_folder_that_somebody_has_stays(place: Path):
    process, theirs = holder()
    bound(theirs / "web-1.sock")
    try:
        with own_folder() as first, own_folder() as second:
            sweep()
            assert set(place.iterdir()) == {theirs, first, second}
            assert (theirs / "web-1.sock").exists()
    finally:
        end(process)
    assert list(place.iterdir()) == []


def test_only_sockets_are_swept_and_no_link_is_followed(place: Path):
    kept = place / f"{PREFIX}kept"
    kept.mkdir()
    (kept / "notes.txt").write_text("mine")
    bound(kept / "web-1.sock")
    (place / f"{PREFIX}file").write_text("mine, too")
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    bound(elsewhere / "web-1.sock")
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    (place / f"{PREFIX}old").mkdir()
    sweep()
    left = {path.name.removeprefix(PREFIX) for path in place.iterdir()}
    assert left == {"elsewhere", "kept", "file", "link"}
    assert [path.name for path in kept.iterdir()] == ["notes.txt"]
    assert (elsewhere / "web-1.sock").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder somebody else's")
def test_folder_of_somebody_else_is_not_touched(place: Path):
    theirs = place / f"{PREFIX}theirs"
    theirs.mkdir()
    bound(theirs / "web-1.sock")
    os.chown(theirs, 12345, 12345)
    sweep()
    assert (theirs / "web-1.sock").exists()


def test_path_too_long_for_sockets_is_told_before_anything_is_served(place: Path, monkeypatch: pytest.MonkeyPatch):
    deep = place / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with pytest.raises(SettingsError, match=r"too long for sockets; set TMPDIR to a shorter one"), own_folder():
        pass
    assert list(deep.iterdir()) == []
    deep.rmdir()
    with pytest.raises(SettingsError, match=r"No folder for sockets can be made: .* Set TMPDIR"), own_folder():
        pass
