"""Findings: what was measured, its medians, its ratios and how they stand to the targets, for people and as JSON."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """Treadle is to cost at most 1/`times` of `peer`; below 1 it may cost more (0.4: two and a half times as much)."""

    peer: str
    times: float


@dataclass(frozen=True, slots=True)
class Finding:
    """Repeated values of one task by library. `more_is_better` for rates."""

    task: str
    unit: str
    values: dict[str, list[float]]
    targets: tuple[Target, ...] = ()
    more_is_better: bool = False
    notes: list[str] = field(default_factory=list)

    def median(self, name: str) -> float | None:
        values = self.values.get(name)
        return median(values) if values else None

    def ratio(self, name: str) -> float | None:
        """How many times better than `name` Treadle is."""
        ours, theirs = self.median("treadle"), self.median(name)
        if not ours or not theirs:
            return None
        return ours / theirs if self.more_is_better else theirs / ours

    def best_ratio(self, name: str) -> float | None:
        """The same from the best value of each side, which a busy machine disturbs least."""
        ours, theirs = self.values.get("treadle"), self.values.get(name)
        if not ours or not theirs:
            return None
        return max(ours) / max(theirs) if self.more_is_better else min(theirs) / min(ours)

    def verdict(self, name: str) -> str:
        """How the ratio stands to its target, empty without one."""
        ratio = self.ratio(name)
        target = next((target for target in self.targets if target.peer == name), None)
        if ratio is None or target is None:
            return ""
        bound = f"{target.times:g} x" if target.times >= 1 else f"1/{1 / target.times:g} x"
        return f"{'met' if ratio >= target.times else 'MISSED'} (>= {bound})"

    def as_json(self) -> dict[str, Any]:
        names = list(self.values)
        return {
            "task": self.task,
            "unit": self.unit,
            "median": {name: self.median(name) for name in names},
            "times_better_than": {name: self.ratio(name) for name in names if name != "treadle"},
            "times_better_at_best": {name: self.best_ratio(name) for name in names if name != "treadle"},
            "targets": {target.peer: target.times for target in self.targets},
            "values": self.values,
            "notes": self.notes,
        }


def table(findings: list[Finding]) -> str:
    """The findings as aligned text."""
    rows = [("task", "library", "median", "lowest", "highest", "n", "treadle is better by", "at best", "target")]
    for finding in findings:
        for name, values in finding.values.items():
            ratio = finding.ratio(name) if name != "treadle" else None
            best = finding.best_ratio(name) if name != "treadle" else None
            rows.append((
                finding.task if name == "treadle" else "", name, f"{_number(median(values))} {finding.unit}",
                _number(min(values)), _number(max(values)), str(len(values)),
                f"{ratio:.3g} x" if ratio is not None else "", f"{best:.3g} x" if best is not None else "",
                finding.verdict(name),
            ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    lines.extend(f"{finding.task}: {note}" for finding in findings for note in finding.notes)
    return "\n".join(lines)


def log(text: str) -> None:
    """Say what is going on, beside the tables."""
    print(text, file=sys.stderr, flush=True)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
