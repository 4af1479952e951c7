"""E1 to E4: the engine's speed. A chain, a loop, a fan-out, a stream, beside the libraries that run the same text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.findings import Finding, Target, growth, log
from benchmarks.peers import BURR, CORE, TREADLE, WORKFLOWS, Peer
from benchmarks.processes import ChildError, ask
from benchmarks.texts import STEPS, chain_text, fan_out_text, loop_text, stream_text, trivial_text

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

    reads: int = 0

    def text(self, imports: str) -> str:
        if self.workflow == "FanOut":
            return fan_out_text(imports, size=self.size)
        return _TEXTS[self.workflow](imports)

    def job(self, imports: str) -> dict[str, Any]:
        """What a child is told about it."""
        return {
            "text": self.text(imports), "workflow": self.workflow, "fields": {"size": self.size}, "units": self.units,
            "result": self.result, "reads": self.reads,
        }  # fmt: skip


_TEXTS = {"Chain": chain_text, "Trivial": trivial_text, "Loop": loop_text, "Stream": stream_text}


def tasks(name: str, *, scale: float = 1.0, full: bool = False) -> list[Task]:
    """The lines of E1, E2, E3 or E4, with all sizes multiplied by `scale`."""
    if name == "E1":
        return e1()
    if name == "E2":
        return e2(scale)
    return e3(scale, full=full) if name == "E3" else e4(scale)


def e1() -> list[Task]:
    """A chain of ten steps, per step, and a run of one step."""
    peers = (WORKFLOWS, CORE, BURR)
    per_step = (Target(WORKFLOWS.name, 25), Target(CORE.name, 8), Target(BURR.name, 2.5))
    return [
        Task("E1 chain of 10", "step", "Chain", STEPS, 0, STEPS, peers, per_step),
        Task("E1 trivial run", "run", "Trivial", 1, 0, 1, peers, (Target(WORKFLOWS.name, 15),)),
    ]


def e2(scale: float) -> list[Task]:
    """A loop of 1,000 and of 20,000 events, per event."""
    peers = (WORKFLOWS, CORE, BURR)
    targets = (Target(WORKFLOWS.name, 20), Target(CORE.name, 3))
    small, large = scaled(1000, scale), scaled(20000, scale)
    return [
        Task(f"E2 loop of {small:,}", "event", "Loop", small, small, 1, peers, targets),
        Task(f"E2 loop of {large:,}", "event", "Loop", large, large, 1, peers, targets, repetitions=1),
    ]


def e3(scale: float, *, full: bool) -> list[Task]:
    """A fan-out that is gathered again, per branch (an event out, a step, an event back, a collect)."""
    both = (WORKFLOWS, CORE)
    hundred = (Target(WORKFLOWS.name, 100),)
    lines: list[tuple[int, tuple[Peer, ...], tuple[Target, ...], int]] = [
        (100, both, (), REPETITIONS), (1000, both, hundred, 1), (5000, both if full else (CORE,), (), 1),
    ]  # fmt: skip
    return [
        Task(f"E3 fan-out of {size:,}", "branch", "FanOut", size, size, size, peers, targets, repetitions=repetitions)
        for size, peers, targets, repetitions in ((scaled(line[0], scale), *line[1:]) for line in lines)
    ]


def e4(scale: float) -> list[Task]:
    """10,000 events written to the stream by one step and read by one reader, per event."""
    size = scaled(10000, scale)
    peers, targets = (WORKFLOWS, CORE), (Target(WORKFLOWS.name, 4),)
    return [Task(f"E4 stream of {size:,}", "event", "Stream", size, size, 1, peers, targets, reads=size)]


def growths(findings: list[Finding], *, scale: float = 1.0) -> list[Finding]:
    """What 20,000 cost beside 1,000 (E2) and 5,000 beside 100 (E3), per event; what was not measured is left out."""
    found = [
        growth(findings, small=lines[0].name, large=lines[-1].name, limit=limit)
        for lines, limit in ((e2(scale), 1.2), (e3(scale, full=False), 1.3))
    ]
    return [finding for finding in found if finding is not None]


def scaled(size: int, scale: float) -> int:
    """`size` times `scale`, at least one."""
    return max(1, round(size * scale))


def measure(task: Task, *, rounds: int) -> Finding:
    """The seconds per unit of every library, taking turns so that a busy machine is busy for all of them."""
    found: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    for turn in range(rounds):
        for peer in (TREADLE, *task.peers):
            if peer.name in failed:
                continue
            log(f"{task.name}: {peer.name}, round {turn + 1} of {rounds}")
            repetitions = REPETITIONS if peer is TREADLE else task.repetitions
            job = task.job(peer.imports) | {"seconds": SECONDS, "repetitions": repetitions}
            try:
                times = ask(peer, "burr_engine.py" if peer is BURR else "engine.py", job)
            except ChildError as failure:
                failed[peer.name] = str(failure)
                log(f"  failed: {failure}")
                continue
            found.setdefault(peer.name, []).extend(times)
    return Finding(
        task.name, f"µs per {task.unit}", {n: [t * 1e6 for t in ts] for n, ts in found.items()}, task.targets,
        missing=failed,
    )  # fmt: skip
