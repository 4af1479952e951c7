"""Measure: `make bench ARGS="E1 D1"`. Prints tables with medians and ratios and writes them to .bench/ as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

# Started as a folder (`python backend/benchmarks`), the modules beside this file are still those of the package.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import durable, engine, serving  # noqa: E402 - found by the line above
from benchmarks.findings import Finding, log, table  # noqa: E402
from benchmarks.folders import out  # noqa: E402
from benchmarks.peers import BURR, CORE, SERVER, WORKFLOWS  # noqa: E402

PEERS = (WORKFLOWS, CORE, BURR, SERVER)
NAMES = ("E1", "E2", "E3", "D1", "S1")


def main() -> None:
    """Measure what the arguments name, everything without any."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {' '.join(NAMES)} (all of them)")
    parser.add_argument("--rounds", type=int, default=3, help="turns every library gets (default 3)")
    parser.add_argument("--full", action="store_true", help="also what takes a slow peer minutes: E3 of 5,000")
    given = parser.parse_args()
    names = [name.upper() for name in given.names] or list(NAMES)
    if unknown := [name for name in names if name not in NAMES]:
        parser.error(f"there is no {' '.join(unknown)}; choose from {' '.join(NAMES)}")
    load = os.getloadavg()[0]
    if load > 0.5:
        log(f"The machine is busy (load {load:.1f}); the numbers will say so too.")
    findings: list[Finding] = []
    remarks: list[str] = []
    for name in names:
        findings.extend(_measure(name, rounds=given.rounds, full=given.full))
    for small, large, limit in (
        ("E2 loop of 1,000", "E2 loop of 20,000", 1.2),
        ("E3 fan-out of 100", "E3 fan-out of 5,000", 1.3),
    ):
        if (line := engine.growth(findings, small=small, large=large, limit=limit)) is not None:
            remarks.append(line)
    machine = _machine(load)
    peers = ", ".join(package for peer in PEERS for package in peer.packages[:1])
    print(f"\n{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, treadle {machine['treadle']}; "
          f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after\nBeside: {peers}\n")  # fmt: skip
    print(table(findings))
    print("\n".join(["", *remarks]))
    print(f"\nWritten to {_write(machine, findings, remarks)}")


def _measure(name: str, *, rounds: int, full: bool) -> list[Finding]:
    if name == "D1":
        return durable.measure(rounds=rounds)
    if name == "S1":
        return serving.measure(rounds=rounds)
    tasks = engine.e1() if name == "E1" else engine.e2() if name == "E2" else engine.e3(full=full)
    return [engine.measure(task, rounds=rounds) for task in tasks]


def _machine(load: float) -> dict[str, object]:
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = models[0] if models else cpu
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "treadle": version("treadle"),
        "load_before": load,
        "peers": [package for peer in PEERS for package in peer.packages[:1]],
    }


def _write(machine: dict[str, object], findings: list[Finding], remarks: list[str]) -> Path:
    path = out() / time.strftime("%Y%m%d-%H%M%S.json")
    found = [finding.as_json() for finding in findings]
    path.write_text(json.dumps({"machine": machine, "findings": found, "remarks": remarks}, indent=1))
    return path


if __name__ == "__main__":
    main()
