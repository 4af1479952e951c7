"""A worker dies before or after one of its commits, wherever that is: another one goes on as if nothing had been."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns import acceptance
from campaigns.commits import campaign
from campaigns.telling import show

SEED = 5


@pytest.mark.parametrize("durability", ["full", "process"])
def test_death_around_a_commit_loses_nothing_and_repeats_nothing(tmp_path: Path, durability: str) -> None:
    points, judgement = campaign(tmp_path, seed=SEED, most=6, durability=durability)
    show(SEED, judgement.counts, judgement.broken)
    assert not judgement.broken, "\n".join(judgement.broken)
    assert points > 30
    assert judgement.counts["deaths"] >= 4


def test_death_around_the_commit_that_accepts_a_request_leaves_it_done_once(tmp_path: Path) -> None:
    judgement = acceptance.campaign(tmp_path, seed=SEED, most=5)
    show(SEED, judgement.counts, judgement.broken)
    assert not judgement.broken, "\n".join(judgement.broken)
    assert judgement.counts["web processes that died at a commit"] == 5
