"""Values of every kind that is stored come back from a killed worker exactly as they were."""

from __future__ import annotations

from pathlib import Path

from campaigns.telling import show
from campaigns.values import campaign

SEED = 6


def test_any_value_comes_through_a_death(tmp_path: Path) -> None:
    judgement = campaign(tmp_path, seed=SEED, rounds=2)
    show(SEED, judgement.counts, judgement.broken)
    assert not judgement.broken, "\n".join(judgement.broken)
    assert judgement.counts["values"] >= 150
