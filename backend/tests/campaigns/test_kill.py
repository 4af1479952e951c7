"""A short kill campaign in every test run; `make campaign-kill` is the long one."""

from __future__ import annotations

from pathlib import Path

from campaigns.kill import campaign


def test_killed_workers_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    report = campaign(tmp_path, kills=8, seed=1)
    assert not report.broken, "\n".join(report.broken)
    assert report.counts["runs accepted"] >= 10
    assert report.counts["resumptions"] >= 1
