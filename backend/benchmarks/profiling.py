"""Profiles: where Treadle spends the time of a task. Look here first, then change something."""

from __future__ import annotations

import pstats
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.engine import Task
from benchmarks.findings import log
from benchmarks.folders import fresh_folder, out
from benchmarks.peers import TREADLE
from benchmarks.processes import ask

SECONDS = 1.0
LINES = 40
LEAST = 0.02


def profile(task: Task) -> None:
    """Run `task` under cProfile and print what took longest; the dump stays in .bench/ for other viewers."""
    file = out() / f"{task.name.replace(' ', '-').replace(',', '')}.prof"
    count = ask(TREADLE, "profiled.py", task.job(TREADLE.imports) | {"file": str(file), "seconds": SECONDS})
    log(f"{task.name}: {count} runs ({task.units:,} x {task.unit} each); cProfile slows small functions most")
    _print(file)


def profile_durable(task: str, job: dict[str, Any], *, events: int) -> None:
    """Run a durable job under cProfile and print what took each thread's CPU longest; its waves have so many events."""
    dumps = out() / f"{task}-profile"
    shutil.rmtree(dumps, ignore_errors=True)
    dumps.mkdir()
    with fresh_folder() as folder:
        found = ask(TREADLE, "durable_profiled.py", job | {"folder": str(folder), "dumps": str(dumps)})
    count, wall = events * len(found["whole"]), sum(found["whole"])
    each = wall / count * 1e6
    log(f"{task}: {count:,} events in {wall:.2f} s, {each:,.0f} µs each; cProfile slows small functions most")
    log("CPU time by thread, also of the waves that warmed up:")
    everything = events * (job["warm"] + job["waves"])
    threads: dict[str, list[str]] = {}
    for name in found["seconds"]:
        threads.setdefault("asyncio.to_thread" if name.startswith("asyncio_") else name, []).append(name)
    took = {thread: sum(found["seconds"][name] for name in names) for thread, names in threads.items()}
    for thread in sorted(threads, key=lambda thread: -took[thread]):
        log(f"  {thread}: {took[thread]:.2f} s, {took[thread] / everything * 1e6:,.0f} µs per event")
    for thread, names in threads.items():
        if took[thread] >= LEAST:
            print(f"=== {thread}")
            _print(*(dumps / f"{name}.prof" for name in names), also="cumulative")


def _print(*files: Path, also: str | None = None) -> None:
    stats = pstats.Stats(*map(str, files), stream=sys.stdout).strip_dirs()
    for key in ("tottime", *([also] if also else [])):
        stats.sort_stats(key).print_stats(LINES)
    print(f"Written to {', '.join(map(str, files))}")
