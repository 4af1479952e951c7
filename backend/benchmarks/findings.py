"""Findings: what was measured, its medians, its ratios and how they stand to the targets, for people and as JSON."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

Kind = Literal["at_most", "at_least", "at_least_times"]


@dataclass(frozen=True, slots=True)
class Target:
    """Treadle is to cost at most 1/`times` of `peer`; below 1 it may cost more (0.4: two and a half times as much)."""

    peer: str
    times: float


@dataclass(frozen=True, slots=True)
class Finding:
    """Repeated values of one task by library.

    `limit` is the most Treadle's own median may be, in the finding's unit; the least with `more_is_better`, which is
    for rates. With `always`, the limit is for each single value. `compared` is False where the libraries' values are no
    costs to be divided by each other. `missing` says which library was not measured, and why.
    """

    task: str
    unit: str
    values: dict[str, list[float]]
    targets: tuple[Target, ...] = ()
    limit: float | None = None
    more_is_better: bool = False
    compared: bool = True
    always: bool = False
    missing: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def median(self, name: str) -> float | None:
        values = self.values.get(name)
        return median(values) if values else None

    def ratio(self, name: str) -> float | None:
        """How many times better than `name` Treadle is."""
        return self._times(self.median("treadle"), self.median(name))

    def best_ratio(self, name: str) -> float | None:
        """The same from the best value of each side, which a busy machine disturbs least."""
        return self._times(self._extreme("treadle", best=True), self._extreme(name, best=True))

    def verdict(self, name: str) -> str:
        """How Treadle stands to its target beside `name`, to its limit if `name` is treadle; empty without one."""
        return next((outcome.text() for outcome in self.outcomes() if outcome.beside == name), "")

    def reasons(self) -> dict[str, str]:
        """For each library that is missing: `not measured: ` or `failed later: `, and why in one line."""
        return {
            name: f"{'failed later' if self.values.get(name) else 'not measured'}: {why.strip().splitlines()[-1][:300]}"
            for name, why in self.missing.items()
        }

    def outcomes(self) -> list[Outcome]:
        """Every target with what was measured."""
        ours = self._extreme("treadle", best=False) if self.always else self.median("treadle")
        kind: Kind = "at_least" if self.more_is_better else "at_most"
        limits = [] if self.limit is None else [Outcome("treadle", self.limit, ours, kind)]
        return [*limits, *(Outcome(target.peer, target.times, self.ratio(target.peer)) for target in self.targets)]

    def as_json(self) -> dict[str, Any]:
        names = list(self.values)
        peers = [name for name in names if name != "treadle" and self.compared]
        return {
            "task": self.task,
            "unit": self.unit,
            "median": {name: self.median(name) for name in names},
            "times_better_than": {name: self.ratio(name) for name in peers},
            "times_better_at_best": {name: self.best_ratio(name) for name in peers},
            "targets": [outcome.as_json() for outcome in self.outcomes()],
            "values": self.values,
            "missing": self.reasons(),
            "notes": self.notes,
        }

    def _extreme(self, name: str, *, best: bool) -> float | None:
        values = self.values.get(name)
        extreme = max if self.more_is_better == best else min
        return extreme(values) if values else None

    def _times(self, ours: float | None, theirs: float | None) -> float | None:
        if not self.compared or ours is None or theirs is None or ours <= 0 or theirs <= 0:
            return None
        return ours / theirs if self.more_is_better else theirs / ours


@dataclass(frozen=True, slots=True)
class Outcome:
    """A target and what came of it: `measured` is None where one side was not measured.

    Treadle's own value is at most or at least `bound`, or it is at least `bound` times better than `beside`.
    """

    beside: str
    bound: float
    measured: float | None
    kind: Kind = "at_least_times"

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured <= self.bound if self.kind == "at_most" else self.measured >= self.bound

    @property
    def verdict(self) -> str:
        return {True: "met", False: "MISSED", None: "not measured"}[self.met]

    def text(self) -> str:
        """For example `met (>= 25 x)`."""
        if self.kind != "at_least_times":
            return f"{self.verdict} ({'<=' if self.kind == 'at_most' else '>='} {self.bound:,g})"
        return f"{self.verdict} (>= {f'{self.bound:g} x' if self.bound >= 1 else f'1/{1 / self.bound:g} x'})"

    def as_json(self) -> dict[str, Any]:
        return {"beside": self.beside, self.kind: self.bound, "measured": self.measured, "verdict": self.verdict}


def growth(findings: list[Finding], *, small: str, large: str, limit: float) -> Finding | None:
    """How the cost per unit grows from `small` to `large`, by library; None if either was not measured."""
    by_task = {finding.task: finding for finding in findings}
    if small not in by_task or large not in by_task:
        return None
    before, after = by_task[small], by_task[large]
    values = {
        name: [grown / cost]
        for name in after.values
        if (cost := before.median(name)) is not None and (grown := after.median(name)) is not None
    }
    return Finding(f"{large} beside {small.rsplit(maxsplit=1)[-1]}", "x", values, limit=limit, compared=False)


def table(findings: list[Finding]) -> str:
    """The findings as aligned text."""
    rows = [("task", "library", "median", "lowest", "highest", "n", "treadle is better by", "at best", "target")]
    for finding in findings:
        for line, (name, values) in enumerate(finding.values.items()):
            ratio = finding.ratio(name) if name != "treadle" else None
            best = finding.best_ratio(name) if name != "treadle" else None
            rows.append((
                "" if line else finding.task, name, f"{number(median(values))} {finding.unit}",
                number(min(values)), number(max(values)), str(len(values)),
                f"{ratio:.3g} x" if ratio is not None else "", f"{best:.3g} x" if best is not None else "",
                finding.verdict(name),
            ))  # fmt: skip
        rows.extend(
            ("" if finding.values or line else finding.task, name, "", "", "", "", "", "", words)
            for line, (name, words) in enumerate(finding.reasons().items())
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    widths.append(len(rows[0][-1]))
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    lines.extend(f"{finding.task}: {note}" for finding in findings for note in finding.notes)
    return "\n".join(lines)


def summary(findings: list[Finding]) -> str:
    """One line: how many targets were met, and which were not."""
    outcomes = [(finding.task, outcome) for finding in findings for outcome in finding.outcomes()]
    met = sum(outcome.met is True for _, outcome in outcomes)
    rest = [
        f"{task}{f' beside {outcome.beside}' if outcome.kind == 'at_least_times' else ''}: {outcome.text()}"
        for task, outcome in outcomes
        if not outcome.met
    ]
    return f"{met} of {len(outcomes)} targets met." + "".join(f"\n  {line}" for line in rest)


def number(value: float) -> str:
    """Three figures or so, as people read them; counts as they are."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def log(text: str) -> None:
    """Say what is going on, beside the tables."""
    print(text, file=sys.stderr, flush=True)
