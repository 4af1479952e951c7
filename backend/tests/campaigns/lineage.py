"""The judgement of runs inside others: each there once for its call, and ended well."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Protocol

from campaigns.expected import Expected


class Counting(Protocol):
    """The judgement, as far as this part of it goes."""

    counts: dict[str, int]

    def claim(self, true: bool, otherwise: str, *, as_count: str) -> None: ...


def judge_nested(judgement: Counting, database: sqlite3.Connection, runs: Mapping[str, Expected]) -> dict[str, str]:
    """Look at the runs inside those that clients started; the tags of the former, by run."""
    rows = database.execute("SELECT * FROM run WHERE parent_id IS NOT NULL ORDER BY parent_id, parent_call").fetchall()
    tags: dict[str, str] = {}
    places: dict[tuple[Any, ...], str] = {}
    inside: dict[str, list[str]] = defaultdict(list)
    judgement.counts["nested runs"] = len(rows)
    for row in rows:
        place = (row["parent_id"], row["parent_seq"], row["parent_step"], row["parent_call"])
        told = f"{row['id']} and {places.get(place)} are of the same call"
        judgement.claim(place not in places, told, as_count="nested runs started twice")
        places[place] = row["id"]
        inside[row["parent_id"]].append(row["workflow"])
        told = f"{row['id']}: {row['status']} {row['error'] or ''}"
        judgement.claim(row["status"] == "completed", told, as_count="nested runs not completed")
        start = database.execute("SELECT payload FROM entry WHERE run_id = ? AND seq = 1", (row["id"],)).fetchone()
        tags[row["id"]] = json.loads(start["payload"])["tag"]
    twice = len(tags) - len(set(tags.values()))
    judgement.claim(not twice, f"{twice} nested runs have the tag of another", as_count="nested runs started twice")
    right = {run_id: ["KillKnot"] * run.size for run_id, run in runs.items() if run.workflow == "KillNest"}
    right |= {row["id"]: ["KillChain"] * 2 for row in rows if row["workflow"] == "KillKnot"}
    for run_id in {*right, *inside}:
        told = f"{run_id} has {inside[run_id]} inside, not {right.get(run_id)}"
        judgement.claim(inside[run_id] == right.get(run_id), told, as_count="nested runs missing")
    return tags
