"""The clock campaign: the wall clock jumps by hours under workers whose runs have delays, timeouts and leases."""

from __future__ import annotations

import itertools
import random
import signal
import threading
import time
from pathlib import Path

from campaigns.journal import Judgement
from campaigns.nursery import Nursery
from campaigns.rig import CLOCK, set_clock
from campaigns.workshop import HERE, Worker, Workshop

DELAY, FAILURES = 0.5, 3
"""Of KillDelay."""
RUNS = {"KillDelay": 1, "KillPatience": 3, "KillLimit": 1, "KillEndless": 1, "KillChain": 12, "KillNest": 2}
HOUR = 3600.0


class ClockCampaign:
    """Rounds of runs under a jumping clock."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self.rng = random.Random(seed)
        self.broken: list[str] = []
        self.counts = {"jumps forward": 0, "jumps backward": 0, "workers killed": 0}
        self._ahead = 0.0
        self._file = folder / "clock"
        set_clock(self._file, 0.0)
        self._nursery = Nursery(folder, environment={CLOCK: str(self._file)})
        flows = (HERE / "flows.py", HERE / "nests.py", HERE / "clockwork.py")
        self.shop = Workshop(self._nursery, folder / "shop", flows=flows)
        self.shop.clock = lambda: time.time() + self._ahead
        self.shop.open()

    def close(self) -> None:
        self._nursery.close()

    def jump(self, hours: float) -> None:
        """Let it be so many hours later, or earlier, at once."""
        self.counts["jumps forward" if hours > 0 else "jumps backward"] += 1
        self._ahead += hours * HOUR
        set_clock(self._file, self._ahead)

    def round(self, hours: list[float], *, kill: bool) -> None:
        """Two workers, some runs, these jumps; with `kill` a worker dies after each jump and another one comes."""
        shop, rng = self.shop, self.rng
        team = [shop.hire(), shop.hire()]
        began = time.monotonic()
        begun = {workflow: shop.start(workflow, size, nap=0.05) for workflow, size in RUNS.items()}
        for jump in hours:
            threading.Event().wait(rng.uniform(0.1, 0.6))
            self.jump(jump)
            if kill:
                team.append(self._replace(team.pop(0)))
        shop.until_ended(seconds=60.0)
        self._look(begun, time.monotonic() - began, kill=kill)
        for worker in team:
            if (code := shop.dismiss(worker)) != 0:
                self.broken.append(f"a worker stopped with {code}")

    def judge(self) -> Judgement:
        # Its times are the clock's: who began after whom is not to be told from them.
        judgement = self.shop.judge(timed=False)
        said = self.shop.output.read_text()
        judgement.claim("Traceback" not in said, said[-3000:], as_count="tracebacks written")
        judgement.counts |= self.counts
        judgement.broken += self.broken
        return judgement

    def _replace(self, worker: Worker) -> Worker:
        worker.process.send(signal.SIGKILL)
        self.counts["workers killed"] += 1
        self.shop.bury(worker)
        return self.shop.hire()

    def _look(self, begun: dict[str, str], seconds: float, *, kill: bool) -> None:
        """No delay was cut short or drawn out by hours, no wait gave up twice."""
        run_id = begun["KillPatience"]
        entries = self.shop.rows("SELECT kind FROM entry WHERE run_id = ?", run_id)
        timeouts = sum(row["kind"] == "wait_timed_out" for row in entries)
        if timeouts != RUNS["KillPatience"]:
            self.broken.append(f"{run_id}: {timeouts} waits timed out, not {RUNS['KillPatience']}")
        if seconds > 45.0:
            self.broken.append(f"a round of about four seconds took {seconds:.0f}")
        moments = self.shop.notes(self.shop.runs[begun["KillDelay"]].tag, "moment")
        pauses = [float(later) - float(earlier) for earlier, later in itertools.pairwise(moments)]
        if not kill and (len(pauses) != FAILURES or min(pauses) < DELAY - 0.01):
            self.broken.append(f"{begun['KillDelay']}: pauses of {pauses} seconds, not {FAILURES} of {DELAY}")


def campaign(folder: Path, *, seed: int, rounds: int) -> Judgement:
    """`rounds` times some jumps of up to five hours, with and without workers that die, in turn."""
    made = ClockCampaign(folder, seed=seed)
    try:
        for n in range(rounds):
            jumps = [made.rng.choice((-1, 1)) * made.rng.uniform(0.5, 5.0) for _ in range(3)]
            made.round(jumps, kill=n % 2 == 1)
        return made.judge()
    finally:
        made.close()
