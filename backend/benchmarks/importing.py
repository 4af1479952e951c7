"""E6: what an import costs. Fresh interpreters, from their start to their end, beside the peers and the floor."""

from __future__ import annotations

import subprocess
import time

from benchmarks.findings import Finding, log
from benchmarks.peers import CORE, LANGGRAPH, TREADLE, WORKFLOWS, PeerInstallError, python_of
from benchmarks.processes import ChildError, environment

LEAST = 7
LIMIT = 300.0

# `import pydantic` alone loads nothing before it is asked for BaseModel, and every event is one.
STATEMENTS = (
    ("treadle", TREADLE, "import treadle"),
    (WORKFLOWS.name, WORKFLOWS, "import workflows"),
    (CORE.name, CORE, "from llama_index.core.workflow import Workflow"),
    (LANGGRAPH.name, LANGGRAPH, "from langgraph.graph import StateGraph"),
    ("floor: pydantic", TREADLE, "from pydantic import BaseModel"),
    ("floor: python", TREADLE, "pass"),
)


def measure(*, turns: int) -> list[Finding]:
    """Wall time of `python -c "import ..."`, one library after the other, `turns` times after one that fills caches."""
    found: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    for turn in range(turns + 1):
        log(f"E6 import: round {turn} of {turns}" if turn else "E6 import: filling caches")
        for name, peer, statement in STATEMENTS:
            if name in failed:
                continue
            try:
                took = _start([str(python_of(peer)), "-I", "-c", statement])
            except (PeerInstallError, ChildError) as failure:
                failed[name] = str(failure)
                log(f"  failed: {failure}")
                continue
            if turn:
                found.setdefault(name, []).append(took * 1e3)
    return [Finding("E6 import", "ms", found, limit=LIMIT, missing=failed)]


def _start(command: list[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment())
    took = time.perf_counter() - started
    if done.returncode != 0:
        raise ChildError(done.stderr.strip()[-1500:] or f"{command[-1]}: ended with {done.returncode}")
    return took
