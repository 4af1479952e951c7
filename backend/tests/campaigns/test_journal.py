"""The judge sees what it is there to see: a judgement that cannot fail proves nothing."""

from __future__ import annotations

import json
import sqlite3

import pytest

from campaigns.journal import Expected, judge

TABLES = """
CREATE TABLE run (id, status, result, error);
CREATE TABLE entry (run_id, seq, at, kind, step, payload, cause);
CREATE TABLE inbox (handled_at);
CREATE TABLE prompt (status);
INSERT INTO run VALUES ('r', 'completed', '[1, 1]', NULL);
INSERT INTO entry VALUES ('r', 1, 1.0, 'run_started', NULL, '{"tag": "t", "size": 1}', NULL);
INSERT INTO entry VALUES ('r', 2, 2.0, 'step_finished', 'begin', '{"tag": "t", "n": 0}', 1);
INSERT INTO entry VALUES ('r', 3, 3.0, 'step_finished', 'add', '{"result": [1, 1]}', 2);
"""
BODIES = [["t", "begin", 0, "start", 1.1, 1], ["t", "begin", 0, "end", 1.2, 1],
          ["t", "add", 0, "start", 2.1, 1], ["t", "add", 0, "end", 2.2, 1]]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "more", "breach"),
    [
        ("", [], None),
        ("", [["t", "begin", 0, "start", 2.5, 2]], "done again"),
        ("UPDATE entry SET at = 2.05 WHERE seq = 3", [], "finished, never run"),
        ("INSERT INTO entry VALUES ('r', 4, 4.0, 'step_finished', 'add', NULL, 2)", [], "finished twice"),
        ("UPDATE entry SET seq = 4 WHERE seq = 3", [], "gaps in seq"),
        ("UPDATE run SET result = '[1, 2]'", [], "results wrong"),
        ("UPDATE run SET status = 'running'", [], "runs not completed"),
        ("DELETE FROM run", [], "runs lost"),
        ("INSERT INTO run VALUES ('r2', 'completed', '[1, 1]', NULL)", [], "runs started twice"),
        ("INSERT INTO inbox VALUES (NULL)", [], "requests forgotten"),
        ("INSERT INTO prompt VALUES ('open')", [], "prompts left open"),
    ],
)
def test_judge_sees_each_breach(tmp_path, change, more, breach):
    side_log = tmp_path / "side.log"
    side_log.write_text("".join(json.dumps(line) + "\n" for line in [*BODIES, *more]))
    database = sqlite3.connect(":memory:")
    try:
        database.row_factory = sqlite3.Row
        database.executescript(TABLES + change)
        judgement = judge(database, side_log, runs={"r": Expected("t", "KillChain", 1)}, answers={})
    finally:
        database.close()
    if breach is None:
        assert judgement.broken == []
    else:
        assert judgement.counts[breach] >= 1
        assert judgement.broken
