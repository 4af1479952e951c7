"""A short kill campaign in every test run; `make campaign-kill` is the long one."""

from __future__ import annotations

from pathlib import Path

from campaigns.kill import campaign
from campaigns.telling import show

SEED = 4


def test_killed_studio_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    report = campaign(tmp_path, kills=100, seed=SEED, workers=4, quick=True, pause=(0.02, 0.25))
    show(SEED, report.counts)
    assert not report.broken, "\n".join(report.broken)
    assert report.counts["processes killed"] >= 100
    assert report.counts["runs accepted"] >= 50
    assert report.counts["resumptions"] >= 50
    assert report.counts["streams followed to the end"] >= 5
    assert report.counts["prompts left open over the last kill, then answered"] >= 1
