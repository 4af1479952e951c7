"""The judge sees what it is there to see: a judgement that cannot fail proves nothing."""

from __future__ import annotations

import json
import sqlite3

import pytest

from campaigns.expected import Expected
from campaigns.journal import Promises, judge

TABLES = """
CREATE TABLE run (id, workflow, status, result, error, parent_id, parent_seq, parent_step, parent_call);
CREATE TABLE entry (run_id, seq, at, kind, step, payload, cause);
CREATE TABLE inbox (handled_at);
CREATE TABLE prompt (status);
INSERT INTO run VALUES ('r', 'KillChain', 'completed', '[1, 1]', NULL, NULL, NULL, NULL, NULL);
INSERT INTO entry VALUES ('r', 1, 1.0, 'run_started', NULL, '{"tag": "t", "size": 1}', NULL);
INSERT INTO entry VALUES ('r', 2, 2.0, 'step_finished', 'begin', '{"tag": "t", "n": 0}', 1);
INSERT INTO entry VALUES ('r', 3, 3.0, 'step_finished', 'add', '{"result": [1, 1]}', 2);
"""
BODIES = [["t", "begin", 0, "start", 1.1, 1], ["t", "begin", 0, "end", 1.2, 1],
          ["t", "add", 0, "start", 2.1, 1], ["t", "add", 0, "end", 2.2, 1]]  # fmt: skip
KEPT = """INSERT INTO entry VALUES ('r', 4, 4.0, 'result_kept', 'add', '{"key": "charge 0", "value": "a"}', 2)"""
PROMISES = Promises({"r": Expected("t", "KillChain", 1)}, leaves={"r": 2})


@pytest.mark.parametrize(
    ("change", "more", "breach"),
    [
        ("", [], None),
        ("", [["t", "begin", 0, "start", 2.5, 2]], "done again"),
        ("UPDATE entry SET at = 2.05 WHERE seq = 3", [], "finished, never run"),
        ("UPDATE entry SET at = 2.15 WHERE seq = 2", [], "begun too early"),
        ("INSERT INTO entry VALUES ('r', 4, 4.0, 'step_finished', 'add', NULL, 2)", [], "finished twice"),
        ("UPDATE entry SET seq = 4 WHERE seq = 3", [], "gaps in seq"),
        ("UPDATE run SET result = '[1, 2]'", [], "results or contexts wrong"),
        ("UPDATE run SET status = 'running'", [], "runs not completed"),
        ("DELETE FROM run", [], "runs lost"),
        ("INSERT INTO run (id, status, result) VALUES ('r2', 'completed', '[1, 1]')", [], "runs started twice"),
        ("INSERT INTO inbox VALUES (NULL)", [], "requests forgotten"),
        ("INSERT INTO prompt VALUES ('open')", [], "prompts left open"),
        ("UPDATE run SET status = 'cancelled'", [], "runs not completed"),
        ("", [["t", "add", 1, "start", 2.1, 1]], "steps done without leave"),
        ("", [["t", "key", 0, "r:1:add", 2.1, 1], ["t", "key", 0, "r:2:add", 2.1, 1]], "keys that changed"),
        ("", [["t", "dose", 0, "start", 2.1, 1], ["t", "dose", 0, "start", 2.2, 1]], "doses twice"),
        (KEPT, [["t", "receipt", 0, "a", 3.1, 1]], None),
        (KEPT, [["t", "receipt", 0, "a", 3.1, 1], ["t", "receipt", 0, "b", 4.1, 1]], "kept, done again"),
        (KEPT, [["t", "receipt", 0, "b", 3.1, 1]], "kept, done again"),
    ],
)
def test_judge_sees_each_breach(tmp_path, change, more, breach):
    side_log = tmp_path / "side.log"
    side_log.write_text("".join(json.dumps(line) + "\n" for line in [*BODIES, *more]))
    database = sqlite3.connect(":memory:")
    try:
        database.row_factory = sqlite3.Row
        database.executescript(TABLES + change)
        judgement = judge(database, side_log, PROMISES)
    finally:
        database.close()
    if breach is None:
        assert judgement.broken == []
    else:
        assert judgement.counts[breach] >= 1
        assert judgement.broken
