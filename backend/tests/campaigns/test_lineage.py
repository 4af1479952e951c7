"""The judge of runs inside others sees what it is there to see."""

from __future__ import annotations

import json
import sqlite3

import pytest

from campaigns.expected import Expected
from campaigns.journal import Promises, judge

TABLES = """
CREATE TABLE run (id, workflow, status, result, error, parent_id, parent_seq, parent_step, parent_call);
CREATE TABLE entry (run_id, seq, at, kind, step, event_type, payload, cause);
CREATE TABLE inbox (handled_at);
CREATE TABLE prompt (status);
INSERT INTO run VALUES ('n', 'KillNest', 'completed', '1', NULL, NULL, NULL, NULL, NULL);
INSERT INTO run VALUES ('k', 'KillKnot', 'completed', '[1, 1]', NULL, 'n', 2, 'knot', 0);
INSERT INTO run VALUES ('a', 'KillChain', 'completed', '[1, 1]', NULL, 'k', 1, 'tie', 0);
INSERT INTO run VALUES ('b', 'KillChain', 'completed', '[1, 1]', NULL, 'k', 1, 'tie', 1);
INSERT INTO entry VALUES ('n', 1, 1.0, 'run_started', NULL, NULL, '{"tag": "n"}', NULL);
INSERT INTO entry VALUES ('k', 1, 1.0, 'run_started', NULL, NULL, '{"tag": "n/0"}', NULL);
INSERT INTO entry VALUES ('a', 1, 1.0, 'run_started', NULL, NULL, '{"tag": "n/0/a"}', NULL);
INSERT INTO entry VALUES ('b', 1, 1.0, 'run_started', NULL, NULL, '{"tag": "n/0/b"}', NULL);
"""


@pytest.mark.parametrize(
    ("change", "more", "breach"),
    [
        ("", [], None),
        ("UPDATE run SET parent_call = 0 WHERE id = 'b'", [], "nested runs started twice"),
        ("""UPDATE entry SET payload = '{"tag": "n/0/a"}' WHERE run_id = 'b'""", [], "nested runs started twice"),
        ("UPDATE run SET status = 'running' WHERE id = 'a'", [], "nested runs not completed"),
        ("DELETE FROM run WHERE id = 'b'", [], "nested runs missing"),
        ("INSERT INTO entry VALUES ('a', 2, 2.0, 'step_finished', 'begin', NULL, '{}', 1)", [], "finished, never run"),
        (
            "INSERT INTO entry VALUES ('a', 2, 2.0, 'step_finished', 'begin', NULL, '{}', 1)",
            [["n/0/a", "begin", 0, "start", 1.1, 1], ["n/0/a", "begin", 0, "end", 1.2, 1],
             ["n/0/a", "begin", 0, "start", 2.5, 2]],
            "done again",
        ),
    ],
)  # fmt: skip
def test_judge_sees_each_breach_inside_another_run(tmp_path, change, more, breach):
    side_log = tmp_path / "side.log"
    side_log.write_text("".join(json.dumps(line) + "\n" for line in more))
    database = sqlite3.connect(":memory:")
    runs = {"n": Expected("n", "KillNest", 1)}
    try:
        database.row_factory = sqlite3.Row
        database.executescript(TABLES + change)
        judgement = judge(database, side_log, Promises(runs))
    finally:
        database.close()
    if breach is None:
        assert judgement.broken == []
    else:
        assert judgement.counts[breach] >= 1
        assert judgement.broken
