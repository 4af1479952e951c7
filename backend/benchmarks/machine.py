"""The machine and the versions: what numbers mean nothing without."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, TREADLE
from benchmarks.processes import ask

ROOT = Path(__file__).resolve().parents[2]


def machine(load: float) -> dict[str, Any]:
    """Date, hardware, system; `load` is what it carried before anything was measured."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "time": time.strftime("%H:%M:%S%z"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "treadle": version("treadle"),
        "commit": _commit(),
        "load_before": round(load, 2),
        "load_after": round(os.getloadavg()[0], 2),
    }


def versions(names: set[str]) -> dict[str, Any]:
    """For each library that was measured: what is pinned, its interpreter, and every package in its environment."""
    return {
        peer.name: {"pinned": list(peer.packages), **ask(peer, "versions.py", {}, timeout=60)}
        for peer in (TREADLE, *PEERS)
        if peer.name in names
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _commit() -> str | None:
    """The commit that was measured, with a + where files differ from it; None outside a git checkout."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "backend/treadle") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
