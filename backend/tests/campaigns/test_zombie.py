"""A worker that is stopped for longer than its lease, and goes on: it writes nothing and does nothing again."""

from __future__ import annotations

from pathlib import Path

from campaigns.telling import show
from campaigns.zombie import campaign

SEED = 2


def test_stopped_worker_that_goes_on_has_lost_its_runs_and_knows_it(tmp_path: Path) -> None:
    judgement = campaign(tmp_path, seed=SEED, rounds=2)
    show(SEED, judgement.counts, judgement.broken)
    assert not judgement.broken, "\n".join(judgement.broken)
    assert judgement.counts["runs taken over"] >= 2
