"""A wall clock that jumps by hours: delays and timeouts are not fooled, nothing hangs, nothing fires twice."""

from __future__ import annotations

from pathlib import Path

from campaigns.clock import campaign
from campaigns.telling import show
from treadle.runner.clock import Clock

SEED = 3


def test_jumping_clock_fools_nobody(tmp_path: Path) -> None:
    judgement = campaign(tmp_path, seed=SEED, rounds=2)
    show(SEED, judgement.counts, judgement.broken)
    assert not judgement.broken, "\n".join(judgement.broken)
    assert judgement.counts["jumps forward"]
    assert judgement.counts["jumps backward"]
    assert judgement.counts["workers killed"]


def test_clock_of_a_worker_goes_on_evenly_whatever_the_wall_clock_does() -> None:
    wall, steady = [1000.0], [5.0]
    clock = Clock(wall=lambda: wall[0], steady=lambda: steady[0])
    assert clock() == 1000.0
    wall[0], steady[0] = 1000.0 + 7200.0, 6.0
    assert clock() == 1001.0
    wall[0], steady[0] = 10.0, 7.0
    assert clock() == 1002.0


def test_clock_of_a_run_goes_on_where_its_journal_ends() -> None:
    steady = [0.0]
    clock = Clock(wall=lambda: 1000.0, steady=lambda: steady[0])
    behind, ahead = clock.after(900.0), clock.after(8200.0)
    assert (behind(), ahead()) == (1000.0, 8200.0)
    steady[0] = 1.5
    assert (behind(), ahead()) == (1001.5, 8201.5)


def test_jump_forward_makes_nobody_silent_until_all_had_the_time_to_renew_their_leases() -> None:
    wall, steady = [1000.0], [0.0]
    clock = Clock(wall=lambda: wall[0], steady=lambda: steady[0])

    def at(seconds: float, ahead: float) -> float:
        steady[0], wall[0] = seconds, 1000.0 + seconds + ahead
        return clock.for_leases(10.0)

    assert at(1.0, 0.0) == 1001.0
    assert at(2.0, 7200.0) == 1002.0
    assert at(11.0, 7200.0) == 1011.0
    assert at(12.0, 7200.0) == 8212.0
    assert at(13.0, 7200.0) == 8213.0
    assert at(14.0, 0.0) == 1014.0, "a jump back is believed at once: it makes no lease look older"
