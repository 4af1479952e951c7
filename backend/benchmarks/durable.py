"""D1: a chain of ten on SQLite with every commit on disk, one run alone, beside llama-agents-server and the floor."""

from __future__ import annotations

from typing import Any

from benchmarks.findings import Finding, Target, log
from benchmarks.folders import fresh_folder
from benchmarks.peers import SERVER, TREADLE, Peer
from benchmarks.processes import ChildError, ask
from benchmarks.texts import STEPS, chain_text

FLOOR = "floor: INSERT + fsync"
RUNS, WARM = 40, 10


def measure(*, rounds: int) -> list[Finding]:
    """Cost per event, FULL and NORMAL. The whole counts from the request for a run to its last commit."""
    full: dict[str, list[float]] = {}
    process: dict[str, list[float]] = {}
    journal: dict[str, list[float]] = {}
    for turn in range(rounds):
        log(f"D1: round {turn + 1} of {rounds}")
        _add(full, "treadle", found := _runs(TREADLE, "durable_treadle.py", full=True))
        journal.setdefault("treadle", []).extend(_per_event(found.get("journal", [])))
        _add(full, SERVER.name, server := _runs(SERVER, "durable_server.py", full=True))
        _add(full, FLOOR, {"whole": _floor("FULL")}, per=1)
        _add(process, "treadle", _runs(TREADLE, "durable_treadle.py", full=False))
        _add(process, SERVER.name, server)
    journal |= {name: values for name, values in full.items() if name != "treadle"}
    times = [Target(SERVER.name, 15), Target(FLOOR, 1 / 2.5)]
    return [
        Finding("D1 chain of 10, FULL", "µs per event", full, tuple(times)),
        Finding(
            "D1 first to last entry, FULL", "µs per event", journal, (Target(FLOOR, 1 / 2.5),),
            notes=["without accepting and claiming the run; the others are the whole"],
        ),
        Finding(
            "D1 chain of 10, NORMAL", "µs per event", process, (Target(SERVER.name, 60),),
            notes=["only treadle runs with NORMAL; the server has no such setting and stays at FULL"],
        ),
    ]  # fmt: skip


def _runs(peer: Peer, child: str, *, full: bool) -> dict[str, list[float]]:
    with fresh_folder() as folder:
        job: dict[str, Any] = {
            "text": chain_text(peer.imports), "workflow": "Chain", "result": STEPS, "folder": str(folder), "full": full,
            "runs": RUNS, "warm": WARM,
        }  # fmt: skip
        try:
            found: dict[str, list[float]] = ask(peer, child, job, timeout=300)
        except ChildError as failure:
            log(f"  failed: {failure}")
            return {}
        return found


def _floor(synchronous: str) -> list[float]:
    with fresh_folder() as folder:
        job = {"folder": str(folder), "rows": 600, "warm": 100, "synchronous": synchronous}
        found: list[float] = ask(TREADLE, "floor.py", job, timeout=300)
        return found


def _add(into: dict[str, list[float]], name: str, found: dict[str, list[float]], *, per: int = STEPS) -> None:
    if found.get("whole"):
        into.setdefault(name, []).extend(_per_event(found["whole"], per=per))


def _per_event(seconds: list[float], *, per: int = STEPS) -> list[float]:
    return [value / per * 1e6 for value in seconds]
