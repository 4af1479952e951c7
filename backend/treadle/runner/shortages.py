"""Shortages of memory: the kernel ends a process for want of it by signal 9, as a person does, but counts how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

RECENT = 10.0
"""Seconds for which a shortage explains a death: a process that held much memory takes a while to be gone."""


def counter(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> Path | None:
    """The file that counts them: of the control group we are in, else of the whole machine; None if there is none."""
    return next((file for file in (_of_group(proc, groups), proc / "vmstat") if _count(file) is not None), None)


def _of_group(proc: Path, groups: Path) -> Path:
    """The events of our group, those of the groups inside it among them (cgroup v2)."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        lines = []
    ours = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    return groups / ours / "memory.events"


def _count(file: Path) -> int | None:
    try:
        with file.open(encoding="ascii") as lines:
            return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)
    except (OSError, ValueError):
        return None


class Shortages:
    """Tells the deaths that the kernel has brought about by what `file` counts; None of it, and it tells none.

    To be looked at every few seconds: what is counted may have been another process than a worker.
    """

    def __init__(self, file: Path | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._known = self._read()
        self._recent = 0
        self._at = 0.0

    def look(self) -> None:
        """Take notice of those that have come up, and forget those that have explained nothing."""
        count, now = self._read(), self._clock()
        if count > self._known:
            self._recent += count - self._known
            self._at = now
        elif now - self._at > RECENT:
            self._recent = 0
        self._known = count

    def explain(self) -> bool:
        """Whether the death of a worker that has just been seen was the kernel's doing; each explains one."""
        self.look()
        explained = self._recent > 0
        self._recent -= explained
        return explained

    def _read(self) -> int:
        count = _count(self._file) if self._file is not None else None
        return count if count is not None else 0
