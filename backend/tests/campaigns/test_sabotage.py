"""Each campaign finds the breach it is there to find: what is kept is not kept by chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from campaigns import clock, commits, disk, kill, stopping, zombie
from campaigns.nursery import shared
from campaigns.sabotage import SABOTAGE
from campaigns.telling import show

SEED = 11


def killed(folder: Path) -> list[str]:
    return kill.campaign(folder, kills=12, seed=SEED, quick=True, pause=(0.05, 0.3)).broken


def dead_at_commits(folder: Path) -> list[str]:
    return commits.campaign(folder, seed=SEED, durability="full", most=12)[1].broken


def stopped(folder: Path) -> list[str]:
    return zombie.campaign(folder, seed=SEED, rounds=2).broken


def told_to_stop(folder: Path) -> list[str]:
    return stopping.campaign(folder, seed=SEED, rounds=2).broken


def jumped(folder: Path) -> list[str]:
    return clock.campaign(folder, seed=SEED, rounds=1).broken


def filled(folder: Path) -> list[str]:
    return disk.fill(disk.ShimmedDisk(folder, "f"), seed=SEED).broken


CASES: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "write over others": (stopped, "has written to them"),
    "go on at once": (dead_at_commits, "began before its event was on disk"),
    "go on after a loss": (told_to_stop, "seq has gaps"),
    "undo nothing": (dead_at_commits, ", not ["),
    "believe the clock": (jumped, "not within 60 s"),
    "forget keys": (killed, "the key of"),
    "lose what has no room": (filled, "gaps"),
}


@pytest.mark.parametrize("sabotage", CASES)
def test_campaign_sees_what_is_broken_on_purpose(
    sabotage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared()  # made before: whom it forks for other tests is not sabotaged
    monkeypatch.setenv(SABOTAGE, sabotage)
    campaign, breach = CASES[sabotage]
    try:
        broken = campaign(tmp_path)
    except AssertionError as error:  # some of what it waits for may never come
        broken = [str(error)]
    show(SEED, {"breaches seen": len(broken)}, broken)
    assert any(breach in sentence for sentence in broken), sabotage
