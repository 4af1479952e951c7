"""The document: puts the tables of a JSON file into docs/benchmarks.md, so that nobody types numbers by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import Any

from benchmarks.findings import number

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
WIDTH = 120


class DocumentError(Exception):
    """The tables cannot be written: the message says why."""


def write(file: Path, document: Path = DOCUMENT) -> list[str]:
    """Replace what stands between `<!-- measured: E -->` and `<!-- end: E -->`, for each letter that was measured.

    Gives the letters. Raises DocumentError if the file is of a quick go or the document lacks the marks.
    """
    measured = json.loads(file.read_text(encoding="utf-8"))
    if measured["quick"]:
        raise DocumentError(f"{file.name} is of a quick go: its numbers mean nothing")
    text = document.read_text(encoding="utf-8")
    letters = list(dict.fromkeys(finding["task"][0] for finding in measured["findings"]))
    for letter in letters:
        findings = [finding for finding in measured["findings"] if finding["task"].startswith(letter)]
        block = "\n\n".join([_about(letter, measured, findings), *_tables(findings)])
        begin, end = f"<!-- measured: {letter} -->\n", f"<!-- end: {letter} -->"
        before, begins, rest = text.partition(begin)
        _, ends, after = rest.partition(end)
        if not begins or not ends:
            raise DocumentError(f"{document} has no `{begin.strip()}` ... `{end}`")
        text = f"{before}{begin}\n{block}\n\n{end}{after}"
    document.write_text(text, encoding="utf-8")
    return letters


def _about(letter: str, measured: dict[str, Any], findings: list[dict[str, Any]]) -> str:
    machine = measured["machine"]
    names = {name for finding in findings for name in finding["values"]}
    used = [found["pinned"] for name, found in measured["versions"].items() if name in names]
    pins = ", ".join(dict.fromkeys(pin.replace("==", " ") for pinned in used for pin in pinned))
    commit = f" ({machine['commit']})" if machine["commit"] else ""
    about = (
        f"{machine['date']}: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, "
        f"{machine['system']}, Python {machine['python']}, load {machine['load_before']:.1f} before and "
        f"{machine['load_after']:.1f} after. treadle {machine['treadle']}{commit}, {pins}. "
        f"Medians; rounds: {measured['rounds']}" + (f" (E6: {measured['turns']})." if letter == "E" else ".")
    )
    return fill(about, width=WIDTH, break_long_words=False, break_on_hyphens=False)


def _tables(findings: list[dict[str, Any]]) -> Iterator[str]:
    """The table, and the notes under it if there are any."""
    names = list(dict.fromkeys(name for finding in findings for name in [*finding["values"], *finding["missing"]]))
    peers = [name for name in names if name != "treadle" and not _is_floor(name)]
    floors = [name for name in names if _is_floor(name)]
    head = ["", "treadle", *peers, *(["floor"] if floors else []), "target", ""]
    rows = [head, ["---"] * len(head)]
    for finding in findings:
        cells = [_cell(finding, name) for name in ["treadle", *peers]]
        floor = "; ".join(
            f"{number(finding['median'][name])} ({name.removeprefix('floor: ')})"
            for name in floors
            if name in finding["median"]
        )
        rows.append([f"{finding['task']}, {finding['unit']}", *cells, *([floor] if floors else []), *_targets(finding)])
    yield "\n".join(f"| {' | '.join(row)} |".replace("|  |", "| |").replace("|  |", "| |") for row in rows)
    notes = [
        f"- {finding['task']}: {note}"
        for finding in findings
        for note in [*(f"{name} {why}" for name, why in finding["missing"].items()), *finding["notes"]]
    ]
    if notes:
        yield "\n".join(notes)


def _cell(finding: dict[str, Any], name: str) -> str:
    value, ratio = finding["median"].get(name), finding["times_better_than"].get(name)
    if value is None:
        return "not measured" if name in finding["missing"] else ""
    return number(value) + (f" ({ratio:.3g} x)" if ratio is not None else "")


def _targets(finding: dict[str, Any]) -> tuple[str, str]:
    """The targets in words, and `met` or which of them is not."""
    words, short = [], []
    for target in finding["targets"]:
        if "at_most" in target:
            words.append(f"<= {target['at_most']:,g}")
        elif "at_least" in target:
            words.append(f">= {target['at_least']:,g}")
        elif (times := target["at_least_times"]) >= 1:
            words.append(f"{times:g} x {target['beside']}")
        else:
            words.append(f"<= {1 / times:g} x {target['beside'].removeprefix('floor: ')}")
        if target["verdict"] != "met":
            beside = f": {target['beside']}" if "at_least_times" in target else ""
            short.append(target["verdict"].lower() + beside)
    return ", ".join(words), ", ".join(short) or ("met" if words else "")


def _is_floor(name: str) -> bool:
    return name.startswith("floor")
