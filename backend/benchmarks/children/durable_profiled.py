"""A job of `durable_treadle.py` under cProfile, thread by thread in CPU time; a dump for each in the job's `dumps`.

The loop's thread is profiled while the waves run, every other one from its start to its end.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from durable_treadle import measure, read_job

PATIENCE = 10.0


class Profiles:
    """A profile of every thread by its name, and the CPU seconds it took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._profiles: dict[str, cProfile.Profile] = {}

    @contextmanager
    def watch(self, name: str = "loop") -> Iterator[None]:
        """Profile the thread that comes by here."""
        profile = cProfile.Profile(time.thread_time)
        profile.enable()
        began = time.thread_time()
        try:
            yield
        finally:
            self.seconds[name] = time.thread_time() - began
            profile.disable()
            self._profiles[name] = profile

    def dump(self, folder: Path) -> None:
        """Write them all to `folder`, once their threads have ended."""
        for name, profile in self._profiles.items():
            profile.dump_stats(folder / f"{name}.prof")


def profiled(job: dict[str, Any]) -> dict[str, Any]:
    """What was measured, slowed down by the profiler, and the CPU seconds of every thread."""
    profiles = Profiles()
    run = threading.Thread.run

    def watched(self: threading.Thread) -> None:
        with profiles.watch(self.name):
            run(self)

    threading.Thread.run = watched  # type: ignore[method-assign]
    try:
        found = asyncio.run(measure(job, watch=profiles.watch))
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(PATIENCE)
    except ValueError as error:
        raise SystemExit(f"two threads at once are profiled up to Python 3.11 only: {error}") from None
    profiles.dump(Path(job["dumps"]))
    return found | {"seconds": profiles.seconds}


if __name__ == "__main__":
    print(json.dumps(profiled(read_job())))
