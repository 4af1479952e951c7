"""A worker that is told to stop while somebody else has the database: what it leaves has no gaps, and goes on."""

from __future__ import annotations

from pathlib import Path

from campaigns.stopping import campaign
from campaigns.telling import show

SEED = 1


def test_stopped_worker_leaves_no_gaps(tmp_path: Path) -> None:
    judgement = campaign(tmp_path, seed=SEED, rounds=2)
    show(SEED, judgement.counts, judgement.broken)
    assert not judgement.broken, "\n".join(judgement.broken)
    assert judgement.counts["workers told to stop"] >= 4
