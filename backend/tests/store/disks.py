"""Small disks of one's own, for as long as a test lasts."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 8 << 20


@contextmanager
def small_disk(folder: Path, kind: str = "tmpfs") -> Iterator[Path]:
    """A file system of 8 MiB mounted in `folder`; the test is skipped, with the reason, where that is not allowed."""
    disk = folder / "disk"
    disk.mkdir()
    if kind == "tmpfs":
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)]
    else:
        image = folder / "image"
        with image.open("wb") as file:
            file.truncate(SIZE)
        if shutil.which("mkfs.ext4") is None:
            pytest.skip("there is no mkfs.ext4")
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True, capture_output=True)
        mount = ["mount", "-o", "loop", str(image), str(disk)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting a {kind} is not permitted: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True, capture_output=True)


def fill(disk: Path) -> Path:
    """Take all the room there is, to the last block; the file to delete for who wants it back."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast
