"""The judgement: what the database and the side log say about promises kept, in counts and sentences."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from campaigns.expected import ENDINGS, KEPT, Expected, number_of
from campaigns.lineage import judge_nested

TOLERANCE = 0.002
"""Seconds by which the clock of a worker may differ from that of the side log: it does not jump with the wall clock."""
Body = tuple[str, str, int]
"""A delivery as the side log names it: (tag, step, n)."""
Bodies = Mapping[Body, Mapping[str, list[float]]]
"""When each of them started, ended or did something else, by the word in the side log."""


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

    def add(self, other: Judgement) -> None:
        """Take another one in."""
        for name, count in other.counts.items():
            self.counts[name] += count
        self.broken += other.broken


@dataclass(frozen=True, slots=True)
class Promises:
    """What clients know: the runs they started, what they answered, cancelled, gave leave for, let go."""

    runs: Mapping[str, Expected]
    answers: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    cancelled: Collection[str] = ()
    leaves: Mapping[str, int] = field(default_factory=dict)
    released: Collection[str] = ()
    timed: bool = True
    """Whether the times on disk and in the side log are of one clock that never jumped."""


def judge(database: sqlite3.Connection, side_log: Path, promises: Promises) -> Judgement:
    """Hold what clients were promised against what is on disk."""
    judgement = Judgement()
    stored = {row["id"]: row for row in database.execute("SELECT * FROM run WHERE parent_id IS NULL")}
    judgement.counts["runs accepted"] = len(promises.runs)
    judgement.counts["runs in the database"] = len(stored)
    bodies = _bodies(side_log)
    for run_id, expected in promises.runs.items():
        row = stored.pop(run_id, None)
        judgement.claim(row is not None, f"{run_id}: accepted, and gone", as_count="runs lost")
        if row is not None:
            entries = database.execute("SELECT * FROM entry WHERE run_id = ? ORDER BY seq", (run_id,)).fetchall()
            own = bodies[expected.tag]
            _judge_entries(judgement, run_id, expected.tag, entries, own, timed=promises.timed)
            _judge_ending(judgement, row, expected, promises, entries)
            _judge_once(judgement, run_id, expected.tag, entries, own)
            if run_id in promises.leaves and run_id not in promises.released:
                begun = {body for body, phases in own.items() if phases["start"]}
                judgement.claim(len(begun) <= promises.leaves[run_id], f"{run_id}: held, and went on by itself",
                                as_count="steps done without leave")
    for run_id, tag in judge_nested(judgement, database, promises.runs).items():
        entries = database.execute("SELECT * FROM entry WHERE run_id = ? ORDER BY seq", (run_id,)).fetchall()
        _judge_entries(judgement, run_id, tag, entries, bodies[tag], timed=promises.timed)
    judgement.claim(not stored, f"runs nobody was told of: {sorted(stored)}", as_count="runs started twice")
    unhandled = database.execute("SELECT count(*) FROM inbox WHERE handled_at IS NULL").fetchone()[0]
    judgement.claim(not unhandled, f"{unhandled} requests were never taken", as_count="requests forgotten")
    still = database.execute("SELECT count(*) FROM prompt WHERE status = 'open'").fetchone()[0]
    judgement.claim(not still, f"{still} prompts are open in ended runs", as_count="prompts left open")
    verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
    judgement.claim(verdict == "ok", f"integrity check: {verdict}", as_count="integrity faults")
    judgement.counts["attempts cut short and tried again"] = sum(
        max(0, len(phases["start"]) - 1) for own in bodies.values() for phases in own.values()
    )
    return judgement


def _bodies(side_log: Path) -> Mapping[str, Bodies]:
    """What the side log says, by tag: of hundreds of thousands a run has but a few."""
    bodies: dict[str, dict[Body, dict[str, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for line in side_log.read_text().splitlines():
        tag, step, n, phase, at, _ = json.loads(line)
        bodies[tag][tag, step, n][phase].append(at)
    return bodies


def _judge_ending(
    judgement: Judgement, row: sqlite3.Row, expected: Expected, promises: Promises, entries: list[sqlite3.Row]
) -> None:
    status, run_id = row["status"], row["id"]
    judgement.counts[f"{expected.workflow} runs"] += 1
    if status == "cancelled":
        judgement.counts["runs cancelled"] += 1
        judgement.claim(run_id in promises.cancelled, f"{run_id}: cancelled by nobody", as_count="runs not completed")
        return
    if expected.workflow == "KillMost" and status == "interrupted" and "StepUnknown" in (row["error"] or ""):
        judgement.counts["runs parked in a step that may be done once"] += 1
        return
    ended = status == ENDINGS.get(expected.workflow, "completed")
    judgement.claim(ended, f"{run_id} ({expected.workflow}): {status} {row['error'] or ''}",
                    as_count="runs not completed")
    result = json.loads(row["result"] or "null")
    right = expected.result(promises.answers.get(run_id, {}))
    if right is KEPT:
        kept = [json.loads(entry["payload"])["value"] for entry in entries if entry["kind"] == "result_kept"]
        right = kept if len(kept) == expected.size else ["not", "kept", "once"]
    judgement.claim(not ended or result == right, f"{run_id} ({expected.workflow}): {result}, not {right}",
                    as_count="results or contexts wrong")


def _judge_entries(
    judgement: Judgement, run_id: str, tag: str, entries: list[sqlite3.Row], bodies: Bodies, *, timed: bool
) -> None:
    judgement.counts["entries"] += len(entries)
    gapless = [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    judgement.claim(gapless, f"{run_id}: seq has gaps", as_count="gaps in seq")
    if not gapless:
        return
    finished: set[Body] = set()
    for entry in entries:
        judgement.counts["resumptions"] += entry["kind"] == "resumed"
        if entry["kind"] != "step_finished":
            continue
        judgement.counts["steps finished"] += 1
        cause = entries[entry["cause"] - 1]
        body = (tag, entry["step"], number_of(entry["step"], json.loads(cause["payload"] or "{}")))
        judgement.claim(body not in finished, f"{run_id}: {body} finished twice", as_count="finished twice")
        finished.add(body)
        # `at` lies before the commit. Who begins later either sees the entry, or holds a newer epoch and this
        # entry would have been refused: so a body that began after `at` was done again.
        again = [at for at in bodies[body]["start"] if at > entry["at"] + TOLERANCE and timed]
        judgement.claim(not again, f"{run_id}: {body} began again after it had finished", as_count="done again")
        # A commit that was lost with its worker is made anew by the next one, later than by the first.
        early = [at for at in bodies[body]["start"] if at < cause["at"] - TOLERANCE and timed]
        judgement.claim(not early, f"{run_id}: {body} began before its event was on disk", as_count="begun too early")
        ran = any(at <= entry["at"] + TOLERANCE or not timed for at in bodies[body]["end"])
        judgement.claim(ran, f"{run_id}: {body} finished without having run", as_count="finished, never run")


def _judge_once(
    judgement: Judgement, run_id: str, tag: str, entries: list[sqlite3.Row], bodies: Bodies
) -> None:
    for entry in entries:
        if entry["kind"] != "result_kept" or not json.loads(entry["payload"])["key"].startswith("charge"):
            continue
        told = json.loads(entry["payload"])
        receipts = bodies[tag, "receipt", int(told["key"].split()[-1])]
        once = told["value"] in receipts and all(at <= entry["at"] for times in receipts.values() for at in times)
        judgement.claim(once, f"{run_id}: {told['key']} was done again after it was kept", as_count="kept, done again")
    keys = bodies[tag, "key", 0]
    judgement.claim(len(keys) <= 1, f"{run_id}: its attempts had the keys {[*keys]}", as_count="keys that changed")
    doses = Counter({body: len(phases["start"]) for body, phases in bodies.items() if body[1] == "dose"})
    judgement.claim(max(doses.values(), default=0) <= 1, f"{run_id}: {doses.most_common(1)}", as_count="doses twice")
