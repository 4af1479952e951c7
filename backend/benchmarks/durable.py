"""D1 to D3: durable runs on SQLite, every commit on disk, beside the peers that store theirs and the bare floor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.engine import scaled
from benchmarks.findings import Finding, Target, growth, log
from benchmarks.folders import fresh_folder
from benchmarks.peers import BURR, DBOS, LANGGRAPH, SERVER, TREADLE, Peer
from benchmarks.processes import ChildError, ask
from benchmarks.texts import STEPS, chain_text, counted_text, growing_text

CHILDREN = {
    TREADLE: "durable_treadle.py", SERVER: "durable_server.py", LANGGRAPH: "durable_langgraph.py",
    BURR: "durable_burr.py", DBOS: "durable_dbos.py",
}  # fmt: skip
ALL = (SERVER, LANGGRAPH, BURR, DBOS)
FLOOR = "floor: INSERT + fsync"
PATIENCE = 1800.0


@dataclass(slots=True)
class Found:
    """What one task came to, by library: seconds of waves in all and in the journal, marks, bytes, and failures."""

    whole: dict[str, list[float]] = field(default_factory=dict)
    journal: dict[str, list[float]] = field(default_factory=dict)
    quarters: dict[str, list[float]] = field(default_factory=dict)
    weights: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, answer: dict[str, Any], *, events: int) -> None:
        """Add what a child found: per event, in µs and bytes; and how much the last quarter cost beside the first."""
        self.whole.setdefault(name, []).extend(seconds / events * 1e6 for seconds in answer["whole"])
        if "journal" in answer:
            self.journal.setdefault(name, []).extend(seconds / events * 1e6 for seconds in answer["journal"])
        if len(marks := answer["marks"]) >= 5:
            self.quarters.setdefault(name, []).append((marks[-1] - marks[-2]) / (marks[1] - marks[0]))
        self.weights.setdefault(name, []).append(answer["bytes"] / events / len(answer["whole"]))


def measure(name: str, *, rounds: int, scale: float = 1.0, full: bool = False) -> list[Finding]:
    """The findings of D1, D2 or D3."""
    if name == "D1":
        return _d1(rounds, scale)
    return _d2(rounds, scale) if name == "D2" else _d3(rounds, scale, full=full)


def job_of(name: str) -> tuple[dict[str, Any], int]:
    """What Treadle is told to do for D1, D2 or D3, without a folder, and the events of a wave: for profiles."""
    if name == "D3":
        return _job(counted_text(TREADLE.imports, size=5000), "Counted", 1, size=5000), 5000
    at_once, waves = (1, 200) if name == "D1" else (50, 10)
    return _chain(TREADLE, at_once=at_once, waves=waves, warm=1) | {"accepted": name == "D2"}, at_once * STEPS


def _d1(rounds: int, scale: float) -> list[Finding]:
    """A chain of ten, one run alone: from the request for it to its last commit."""
    found, process = Found(), Found()
    warm = scaled(30, scale)
    for turn in range(rounds):
        log(f"D1: round {turn + 1} of {rounds}")
        # Many of the quick waves, before and after the others: the pace of a machine changes from second to second.
        for peer, waves in ((TREADLE, 100), *((peer, 40) for peer in ALL), (TREADLE, 100)):
            _try(found, peer, _chain(peer, at_once=1, waves=scaled(waves, scale), warm=warm), events=STEPS)
            if peer is TREADLE:
                one = _chain(peer, at_once=1, waves=scaled(2 * waves, scale), warm=warm, full=False)
                _try(process, peer, one, events=STEPS)
        _floor(found, rows=scaled(500, scale), at_once=1)
    peers = {name: values for name, values in found.whole.items() if name != TREADLE.name}
    entries = found.journal | {FLOOR: found.whole[FLOOR]}
    return [
        Finding(
            "D1 chain of 10, FULL", "µs per event", found.whole, (Target(SERVER.name, 15), Target(FLOOR, 1 / 2.5)),
            missing=found.failed,
        ),
        Finding(
            "D1 first to last entry, FULL", "µs per event", entries, notes=["without accepting the run"],
        ),
        Finding(
            "D1 chain of 10, NORMAL", "µs per event", process.whole | peers, (Target(SERVER.name, 60),),
            missing=process.failed | found.failed, notes=["only treadle runs with NORMAL; the others as above"],
        ),
    ]  # fmt: skip


def _d2(rounds: int, scale: float) -> list[Finding]:
    """Fifty such runs at once: events per second."""
    found, accepted = Found(), Found()
    at_once = scaled(50, max(scale, 0.1))
    events = at_once * STEPS
    for turn in range(rounds):
        log(f"D2: round {turn + 1} of {rounds}")
        for peer, waves in ((TREADLE, 12), (SERVER, 2), (LANGGRAPH, 4), (BURR, 4), (DBOS, 2), (TREADLE, 12)):
            _try(found, peer, _chain(peer, at_once=at_once, waves=scaled(waves, scale), warm=1), events=events)
        before = _chain(TREADLE, at_once=at_once, waves=scaled(24, scale), warm=1) | {"accepted": True}
        _try(accepted, TREADLE, before, events=events)
        _floor(found, rows=at_once * scaled(100, scale), at_once=at_once)
    unit = "events/s"
    return [
        Finding(
            f"D2 {at_once} chains at once, FULL", unit, _rates(found.whole), (Target(SERVER.name, 100),), limit=8000,
            more_is_better=True, missing=found.failed, notes=[f"the floor puts {at_once} rows into a commit"],
        ),
        Finding(
            f"D2 {at_once} chains accepted before, FULL", unit, _rates(accepted.whole), limit=8000,
            more_is_better=True, missing=accepted.failed, notes=["from the worker's first look to the last commit"],
        ),
    ]  # fmt: skip


def _d3(rounds: int, scale: float, *, full: bool) -> list[Finding]:
    """A loop of 20,000 in one run; and a context that grows by 1 KiB a step, twice as long and twice as long again."""
    size = scaled(20000, scale)
    fewer = size if full else max(4, size // 5)
    found = Found()
    for turn in range(rounds):
        log(f"D3: round {turn + 1} of {rounds}")
        for peer, events in ((TREADLE, size), *((peer, fewer) for peer in ALL if turn == 0)):
            text = counted_text(peer.imports, size=events)
            _try(found, peer, _job(text, "Counted", 1, size=events), events=events)
    less = [] if fewer == size else [f"the peers: {fewer:,} events, one round"]
    title = f"D3 loop of {size:,}, FULL"
    return [
        Finding(title, "µs per event", found.whole, missing=found.failed, notes=less),
        Finding("D3 last quarter beside the first", "x", found.quarters, limit=1.2, compared=False),
        Finding("D3 database", "bytes per event", found.weights, limit=700),
        *_growing("one list", keys=False, peers=(SERVER, LANGGRAPH, BURR), scale=scale, full=full),
        *_growing("new keys", keys=True, peers=(SERVER,), scale=scale, full=full),
    ]


def _growing(how: str, *, keys: bool, peers: tuple[Peer, ...], scale: float, full: bool) -> list[Finding]:
    findings: list[Finding] = []
    failed: dict[str, str] = {}
    sizes = [scaled(size, scale) for size in ((400, 800, 1600) if full else (400, 800))]
    for size in sizes:
        log(f"D3: {how}, {size} steps")
        found = Found(failed=failed)
        for peer in (TREADLE, *peers):
            _try(found, peer, _job(growing_text(peer.imports, keys=keys), "Growing", 1, size=size), events=size)
        weights = {name: [value / 1024 for value in values] for name, values in found.weights.items()}
        findings.append(Finding(f"D3 context + 1 KiB a step, {how}, {size:,}", "KiB per step", weights, missing=failed))
    grown = growth(findings, small=findings[0].task, large=findings[-1].task, limit=1.2)
    return findings if grown is None else [*findings, grown]


def _chain(peer: Peer, *, at_once: int, waves: int, warm: int, full: bool = True) -> dict[str, Any]:
    job = _job(chain_text(peer.imports), "Chain", STEPS, size=0, full=full)
    return job | {"at_once": at_once, "waves": waves, "warm": warm}


def _job(text: str, workflow: str, result: int, *, size: int, full: bool = True) -> dict[str, Any]:
    return {
        "text": text, "workflow": workflow, "fields": {"size": size}, "result": result, "full": full,
        "at_once": 1, "waves": 1, "warm": 0, "accepted": False,
    }  # fmt: skip


def _try(found: Found, peer: Peer, job: dict[str, Any], *, events: int) -> None:
    if peer.name in found.failed:
        return
    with fresh_folder() as folder:
        try:
            answer = ask(peer, CHILDREN[peer], job | {"folder": str(folder)}, timeout=PATIENCE)
        except ChildError as failure:
            found.failed[peer.name] = str(failure)
            log(f"  failed: {failure}")
        else:
            found.take(peer.name, answer, events=events)


def _floor(found: Found, *, rows: int, at_once: int) -> None:
    with fresh_folder() as folder:
        job = {"folder": str(folder), "rows": rows, "warm": 2 * at_once, "synchronous": "FULL", "at_once": at_once}
        seconds: list[float] = ask(TREADLE, "floor.py", job, timeout=300)
    found.whole.setdefault(FLOOR, []).extend(value * 1e6 for value in seconds)


def _rates(costs: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: [1e6 / cost for cost in values] for name, values in costs.items()}
