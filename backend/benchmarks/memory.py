"""E5: what runs weigh. 1,000 that sleep at once, and what a loop of 20,000 events leaves behind, beside the peers."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.engine import scaled
from benchmarks.findings import Finding, log
from benchmarks.peers import BURR, CORE, TREADLE, WORKFLOWS, Peer
from benchmarks.processes import ChildError, ask
from benchmarks.texts import loop_text, sleep_text

FLOOR = "floor: asyncio tasks"


@dataclass(frozen=True, slots=True)
class Load:
    """One thing that is weighed: a workflow, how many of its units there are, and the most one may weigh in KiB."""

    name: str
    unit: str
    workflow: str
    size: int
    limit: float
    bare: bool = False

    def text(self, imports: str) -> str:
        return sleep_text(imports) if self.workflow == "Sleep" else loop_text(imports)


def measure(*, rounds: int, scale: float = 1.0) -> list[Finding]:
    """Resident KiB, which the limits are for, and beside them those that Python's own allocator counts."""
    runs, events = scaled(1000, scale), scaled(20000, scale)
    loads = (
        Load(f"E5 {runs:,} sleeping runs", "run", "Sleep", runs, 10, bare=True),
        Load(f"E5 kept by a loop of {events:,}", "event", "Loop", events, 0.2),
    )
    return [finding for load in loads for finding in _weigh(load, rounds=rounds)]


def _weigh(load: Load, *, rounds: int) -> list[Finding]:
    resident: dict[str, list[float]] = {}
    traced: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    sides = [*((peer.name, peer) for peer in (TREADLE, WORKFLOWS, CORE, BURR)), *([(FLOOR, None)] if load.bare else [])]
    for turn in range(rounds):
        log(f"{load.name}: round {turn + 1} of {rounds}")
        # Traced sizes are the same every time, and tracing is slow: once is enough.
        for tracing, into in ((False, resident), *([(True, traced)] if turn == 0 else [])):
            for name, peer in sides:
                if name in failed:
                    continue
                try:
                    into.setdefault(name, []).append(_ask(load, peer, tracing=tracing) / 1024)
                except ChildError as failure:
                    failed[name] = str(failure)
                    log(f"  failed: {failure}")
    return [
        Finding(load.name, f"KiB per {load.unit}", _filled(resident), limit=load.limit, missing=failed),
        Finding(f"{load.name}, traced", f"KiB per {load.unit}", _filled(traced)),
    ]


def _ask(load: Load, peer: Peer | None, *, tracing: bool) -> float:
    text = None if peer is None else load.text(peer.imports)
    job = {"text": text, "workflow": load.workflow, "size": load.size, "traced": tracing}
    found: float = ask(peer or TREADLE, "burr_memory.py" if peer is BURR else "memory.py", job)
    return found


def _filled(values: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: found for name, found in values.items() if found}
