"""E1, E2, E3: the engine in memory. A chain, a loop and a fan-out, beside the libraries that run the same text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.findings import Finding, Target, log
from benchmarks.peers import BURR, CORE, TREADLE, WORKFLOWS, Peer
from benchmarks.processes import ChildError, ask
from benchmarks.texts import STEPS, chain_text, fan_out_text, loop_text, trivial_text

SECONDS = 0.3
REPETITIONS = 3


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a table: a workflow, the units of work one run of it has, and who takes part."""

    name: str
    unit: str
    workflow: str
    units: int
    size: int
    result: int
    peers: tuple[Peer, ...]
    targets: tuple[Target, ...] = ()
    repetitions: int = REPETITIONS

    def text(self, imports: str) -> str:
        if self.workflow == "Chain":
            return chain_text(imports)
        if self.workflow == "Trivial":
            return trivial_text(imports)
        if self.workflow == "Loop":
            return loop_text(imports)
        return fan_out_text(imports, size=self.size)


def e1() -> list[Task]:
    """A chain of ten steps, per step, and a run of one step."""
    peers = (WORKFLOWS, CORE, BURR)
    per_step = (Target(WORKFLOWS.name, 25), Target(CORE.name, 8), Target(BURR.name, 2.5))
    return [
        Task("E1 chain of 10", "step", "Chain", STEPS, 0, STEPS, peers, per_step),
        Task("E1 trivial run", "run", "Trivial", 1, 0, 1, peers, (Target(WORKFLOWS.name, 15),)),
    ]


def e2() -> list[Task]:
    """A loop of 1,000 and of 20,000 events, per event."""
    peers = (WORKFLOWS, CORE, BURR)
    targets = (Target(WORKFLOWS.name, 20), Target(CORE.name, 3))
    return [
        Task("E2 loop of 1,000", "event", "Loop", 1000, 1000, 1, peers, targets),
        Task("E2 loop of 20,000", "event", "Loop", 20000, 20000, 1, peers, repetitions=1),
    ]


def e3(*, full: bool) -> list[Task]:
    """A fan-out that is gathered again, per branch (an event out, a step, an event back, a collect)."""
    hundred = (Target(WORKFLOWS.name, 100),)
    most = (WORKFLOWS, CORE) if full else (CORE,)
    return [
        Task("E3 fan-out of 100", "branch", "FanOut", 100, 100, 100, (WORKFLOWS, CORE)),
        Task("E3 fan-out of 1,000", "branch", "FanOut", 1000, 1000, 1000, (WORKFLOWS, CORE), hundred, repetitions=1),
        Task("E3 fan-out of 5,000", "branch", "FanOut", 5000, 5000, 5000, most, repetitions=1),
    ]  # fmt: skip


def measure(task: Task, *, rounds: int) -> Finding:
    """The seconds per unit of every library, taking turns so that a busy machine is busy for all of them."""
    found: dict[str, list[float]] = {}
    skipped: dict[str, str] = {}
    for turn in range(rounds):
        for peer in (TREADLE, *task.peers):
            if peer.name in skipped:
                continue
            log(f"{task.name}: {peer.name}, round {turn + 1} of {rounds}")
            job: dict[str, Any] = {
                "text": task.text(peer.imports), "workflow": task.workflow, "fields": {"size": task.size},
                "units": task.units, "result": task.result, "seconds": SECONDS,
                "repetitions": REPETITIONS if peer is TREADLE else task.repetitions,
            }  # fmt: skip
            try:
                times = ask(peer, "burr_engine.py" if peer is BURR else "engine.py", job)
            except ChildError as failure:
                skipped[peer.name] = str(failure)
                log(f"  failed: {failure}")
                continue
            found.setdefault(peer.name, []).extend(times)
    return Finding(
        task.name, f"µs per {task.unit}", {n: [t * 1e6 for t in ts] for n, ts in found.items()}, task.targets
    )


def growth(findings: list[Finding], *, small: str, large: str, limit: float) -> str | None:
    """One line on how Treadle's cost per unit grows from `small` to `large`; None if either is missing."""
    by_task = {finding.task: finding.median("treadle") for finding in findings}
    before, after = by_task.get(small), by_task.get(large)
    if before is None or after is None:
        return None
    return f"{large} costs per unit {after / before:.2f} x {small} (target <= {limit})"
