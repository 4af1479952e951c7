"""The judgement: what the database and the side log say about promises kept, in counts and sentences."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Body = tuple[str, str, int]
"""A delivery as the side log names it: (tag, step, n)."""
FIRST = ("begin", "split", "ask")


@dataclass(slots=True)
class Judgement:
    """Counts worth printing, and every promise that was broken, as a sentence."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    broken: list[str] = field(default_factory=list)

    def claim(self, true: bool, otherwise: str, *, as_count: str) -> None:
        """Count a breach under `as_count` unless `true`; a count of zero is shown too."""
        self.counts[as_count] += not true
        if not true:
            self.broken.append(otherwise)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a client was promised: the run it started, and what must come out of it."""

    tag: str
    workflow: str
    size: int


def judge(database: sqlite3.Connection, side_log: Path, *, runs: dict[str, Expected],
          answers: dict[str, dict[int, str]]) -> Judgement:
    """Hold the promises `runs` (by run id) and the accepted `answers` (run id, n) against what is on disk."""
    judgement = Judgement()
    stored = {row["id"]: row for row in database.execute("SELECT * FROM run")}
    judgement.counts["runs accepted"] = len(runs)
    judgement.counts["runs in the database"] = len(stored)
    for run_id, expected in runs.items():
        row = stored.pop(run_id, None)
        judgement.claim(row is not None, f"{run_id}: accepted, and gone", as_count="runs lost")
        if row is not None:
            _judge_run(judgement, row, expected, answers.get(run_id, {}))
    judgement.claim(not stored, f"runs nobody was told of: {sorted(stored)}", as_count="runs started twice")
    unhandled = database.execute("SELECT count(*) FROM inbox WHERE handled_at IS NULL").fetchone()[0]
    judgement.claim(not unhandled, f"{unhandled} requests were never taken", as_count="requests forgotten")
    still = database.execute("SELECT count(*) FROM prompt WHERE status = 'open'").fetchone()[0]
    judgement.claim(not still, f"{still} prompts are open in ended runs", as_count="prompts left open")
    _judge_entries(judgement, database, _bodies(side_log), {run_id: run.tag for run_id, run in runs.items()})
    verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
    judgement.claim(verdict == "ok", f"integrity check: {verdict}", as_count="integrity faults")
    return judgement


def _judge_run(judgement: Judgement, row: sqlite3.Row, expected: Expected, answers: dict[int, str]) -> None:
    judgement.counts[f"{expected.workflow} runs"] += 1
    ended = row["status"] == "completed"
    judgement.claim(ended, f"{row['id']}: {row['status']} {row['error'] or ''}", as_count="runs not completed")
    right: Any = {
        "KillChain": [expected.size, expected.size],
        "KillFan": sum(n * n for n in range(expected.size)),
        "KillPrompt": [answers.get(n) for n in range(expected.size)],
    }[expected.workflow]
    result = json.loads(row["result"] or "null")
    judgement.claim(not ended or result == right, f"{row['id']} ({expected.workflow}): {result}, not {right}",
                    as_count="results wrong")


def _bodies(side_log: Path) -> dict[Body, dict[str, list[float]]]:
    bodies: dict[Body, dict[str, list[float]]] = defaultdict(lambda: {"start": [], "end": []})
    for line in side_log.read_text().splitlines():
        tag, step, n, phase, at, _ = json.loads(line)
        bodies[tag, step, n][phase].append(at)
    return bodies


def _judge_entries(
    judgement: Judgement, database: sqlite3.Connection, bodies: dict[Body, dict[str, list[float]]], tags: dict[str, str]
) -> None:
    finished: set[Body] = set()
    for run_id, tag in tags.items():
        entries = database.execute("SELECT * FROM entry WHERE run_id = ? ORDER BY seq", (run_id,)).fetchall()
        judgement.counts["entries"] += len(entries)
        gapless = [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
        judgement.claim(gapless, f"{run_id}: seq has gaps", as_count="gaps in seq")
        seen: set[tuple[int, str]] = set()
        for entry in entries:
            judgement.counts["resumptions"] += entry["kind"] == "resumed"
            if entry["kind"] != "step_finished":
                continue
            delivery = (entry["cause"], entry["step"])
            judgement.claim(delivery not in seen, f"{run_id}: {delivery} finished twice", as_count="finished twice")
            seen.add(delivery)
            cause = json.loads(entries[entry["cause"] - 1]["payload"])
            body = (tag, entry["step"], 0 if entry["step"] in FIRST else cause["n"])
            judgement.claim(body not in finished, f"{run_id}: {body} finished twice", as_count="finished twice")
            finished.add(body)
            # `at` lies before the commit. Who begins later either sees the entry, or holds a newer epoch and this
            # entry would have been refused: so a body that began after `at` was done again.
            again = [at for at in bodies[body]["start"] if at > entry["at"]]
            judgement.claim(not again, f"{run_id}: {body} began again after it had finished", as_count="done again")
            ran = any(at <= entry["at"] for at in bodies[body]["end"])
            judgement.claim(ran, f"{run_id}: {body} finished without having run", as_count="finished, never run")
    judgement.counts["steps finished"] = len(finished)
    judgement.counts["attempts cut short and tried again"] = sum(len(body["start"]) for body in bodies.values()) - len(
        [body for body in bodies.values() if body["start"]]
    )
