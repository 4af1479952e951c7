"""Measure: `make bench ARGS="E1 D1"`. Prints tables with medians and ratios and writes them to .bench/ as JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

# Started as a folder (`python backend/benchmarks`), the modules beside this file are still those of the package.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import document, durable, engine, importing, layout, memory, profiling, recovery, serving  # noqa: E402
from benchmarks.findings import Finding, log, summary, table  # noqa: E402
from benchmarks.folders import out  # noqa: E402
from benchmarks.machine import machine, versions  # noqa: E402
from benchmarks.processes import ChildError  # noqa: E402

SPEED = ("E1", "E2", "E3", "E4")
DURABLE = ("D1", "D2", "D3")
NAMES = (*SPEED, "E5", "E6", *DURABLE, "R1", "R2", "S1", "S5")
QUICK = 0.02


def main() -> None:
    """Measure what the arguments name, everything without any."""
    parser = _parser()
    given = parser.parse_args()
    if given.profile is not None:
        try:
            _profile(given.profile)
        except ChildError as failure:
            raise SystemExit(f"{failure}") from None
        return
    if given.document is not None:
        try:
            letters = document.write(given.document)
        except document.DocumentError as failure:
            parser.error(str(failure))
        print(f"{document.DOCUMENT}: {', '.join(letters)} replaced")
        return
    names = list(dict.fromkeys(name.upper() for name in given.names)) or list(NAMES)
    if unknown := [name for name in names if name not in NAMES]:
        parser.error(f"there is no {' '.join(unknown)}; choose from {' '.join(NAMES)}")
    _measure(names, given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {' '.join(NAMES)} (all of them)")
    parser.add_argument("--rounds", type=int, default=3, help="turns every library gets (default 3; E6 at least 7)")
    parser.add_argument("--full", action="store_true", help="also what takes a slow peer minutes, in E3 and D3")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: only to see whether it works")
    profiled = (*SPEED, *DURABLE)
    parser.add_argument("--profile", type=str.upper, choices=profiled, help="measure nothing; profile Treadle doing it")
    parser.add_argument("--document", type=Path, metavar="JSON", help="measure nothing; write its tables into the docs")
    return parser


def _profile(name: str) -> None:
    if name in DURABLE:
        job, events = durable.job_of(name)
        profiling.profile_durable(name, job, events=events)
    else:
        profiling.profile(max(engine.tasks(name), key=lambda task: task.units))


def _measure(names: list[str], given: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    if load > 0.5:
        log(f"The machine is busy (load {load:.1f}); the numbers will say so too.")
    rounds, scale = (1, QUICK) if given.quick else (given.rounds, 1.0)
    turns = 1 if given.quick else max(importing.LEAST, rounds)
    findings: list[Finding] = []
    for name in names:
        if name in SPEED:
            lines = engine.tasks(name, scale=scale, full=given.full)
            findings.extend(found := [engine.measure(task, rounds=rounds) for task in lines])
            findings.extend(engine.growths(found, scale=scale))
        elif name == "E5":
            findings.extend(memory.measure(rounds=rounds, scale=scale))
        elif name == "E6":
            findings.extend(importing.measure(turns=turns))
        elif name in DURABLE:
            findings.extend(durable.measure(name, rounds=rounds, scale=scale, full=given.full))
        elif name.startswith("R"):
            findings.extend(recovery.measure(name, rounds=rounds, scale=scale))
        elif name == "S5":
            findings.extend(layout.measure(rounds=rounds))
        else:
            findings.extend(serving.measure(rounds=rounds))
    libraries = {name for finding in findings for name in finding.values}
    measured = {
        "machine": (here := machine(load)), "versions": (used := versions(libraries)),
        "rounds": rounds, "turns": turns, "quick": given.quick, "findings": [finding.as_json() for finding in findings],
    }  # fmt: skip
    beside = ", ".join(found["pinned"][0] for found in used.values() if found["pinned"])
    print(f"\n{here['cpu']}, {here['cores']} cores, Python {here['python']}, treadle {here['treadle']}; "
          f"load {here['load_before']} before, {here['load_after']} after\nBeside: {beside}\n")  # fmt: skip
    print(table(findings))
    print(f"\n{summary(findings)}\n\nWritten to {_write(measured)}")


def _write(measured: dict[str, Any]) -> Path:
    path = out() / time.strftime("%Y%m%d-%H%M%S.json")
    path.write_text(json.dumps(measured, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
