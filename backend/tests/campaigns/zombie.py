"""The zombie campaign: a worker is stopped until its leases lapse and others own its runs, and then goes on."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import threading
import time
from pathlib import Path

from processes.serving import until

from campaigns.journal import Judgement
from campaigns.nursery import shared
from campaigns.workshop import Worker, Workshop

LEASE, BEAT = 1.2, 0.3
"""Seconds, in place of the product's ten and two."""
RIG = {"lease": LEASE, "beat": BEAT}
RUNS = {"KillChain": 20, "KillFan": 8, "KillJoin": 6, "KillOnce": 5, "KillNest": 3, "KillRetry": 3, "KillWait": 2}
AT_WORK = "SELECT count(*) FROM run WHERE id = ? AND entries > 1"


class ZombieCampaign:
    """Rounds of one stopped worker and its heir on one database."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self.rng = random.Random(seed)
        self.broken: list[str] = []
        self.counts = {"workers stopped": 0, "runs taken over": 0, "woken after all was done": 0, "stopped anew": 0}
        self.shop = Workshop(shared(), folder / "shop")
        self.shop.open()

    def round(self, *, wake_late: bool) -> None:
        """One worker has all the runs when it is stopped; `wake_late`: it wakes when nothing is left to do."""
        rng, shop = self.rng, self.shop
        zombie = shop.hire(rig=RIG)
        until("it is at work", lambda: shop.count("SELECT count(*) FROM worker WHERE id = ?", zombie.name))
        begun = [shop.start(workflow, size, nap=0.05) for workflow, size in RUNS.items()]
        mine = "SELECT count(*) FROM run WHERE lease_owner = ?"
        until("it has begun all the runs", lambda: all(shop.count(AT_WORK, run_id) for run_id in begun))
        self._stop(zombie)
        owned = shop.count(mine, zombie.name)
        heir = shop.hire(rig=RIG)
        until("its leases lapse and another takes over", lambda: not shop.count(mine, zombie.name))
        self.counts["workers stopped"] += 1
        self.counts["runs taken over"] += owned
        if wake_late:
            shop.until_ended()
            self.counts["woken after all was done"] += 1
        else:
            threading.Event().wait(rng.uniform(0.0, 0.2))
        before = self._kept(begun) if wake_late else None
        woken = time.time()
        zombie.process.send(signal.SIGCONT)
        shop.until_ended()
        if before is not None:
            until("it has tried to write", lambda: self._gave_up(zombie, woken))
            if self._kept(begun) != before:
                self.broken.append("a worker that had lost its runs has written to them")
        self._see_it_work_again(zombie, heir)

    def _stop(self, worker: Worker) -> None:
        """Stop it at some instant at which it does not have SQLite's one lock: nobody could do anything else then."""
        while True:
            threading.Event().wait(self.rng.uniform(0.0, 0.4))
            worker.process.send(signal.SIGSTOP)
            until("all its threads stand still", lambda: _stands_still(worker.process.pid))
            try:
                with contextlib.closing(sqlite3.connect(self.shop.file, timeout=0.3, isolation_level=None)) as database:
                    database.execute("BEGIN IMMEDIATE")
                    return
            except sqlite3.OperationalError:
                self.counts["stopped anew"] += 1
                worker.process.send(signal.SIGCONT)

    def judge(self) -> Judgement:
        judgement = self.shop.judge()
        said = self.shop.output.read_text()
        judgement.claim("Traceback" not in said, said[-3000:], as_count="tracebacks written")
        judgement.counts |= self.counts
        judgement.broken += self.broken
        return judgement

    def _kept(self, runs: list[str]) -> list[tuple[object, ...]]:
        marks = ", ".join("?" * len(runs))
        query = f"SELECT run.*, entry.* FROM run JOIN entry ON run_id = run.id WHERE run.id IN ({marks})"
        return [tuple(row) for row in self.shop.rows(query, *runs)]

    def _gave_up(self, zombie: Worker, woken: float) -> bool:
        """It has beaten for a while since it was `woken`, and had the time to fail to write what it had in hand."""
        beaten = "SELECT count(*) FROM worker WHERE id = ? AND heartbeat_at > ?"
        return zombie.process.poll() is not None or bool(self.shop.count(beaten, zombie.name, woken + BEAT * 2))

    def _see_it_work_again(self, zombie: Worker, heir: Worker) -> None:
        """It gave up its runs, not itself: alone, it does new ones."""
        code = self.shop.dismiss(heir)
        if code != 0:
            self.broken.append(f"the heir stopped with {code}")
        if zombie.process.poll() is not None:
            self.broken.append(f"the stopped worker ended with {zombie.process.returncode} when it woke")
            return
        self.shop.start("KillChain", 3)
        self.shop.until_ended()
        code = self.shop.dismiss(zombie)
        if code != 0:
            self.broken.append(f"the woken worker stopped with {code}")


def _stands_still(pid: int) -> bool:
    stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


def campaign(folder: Path, *, seed: int, rounds: int) -> Judgement:
    """`rounds` times a stopped worker, woken early and late in turn."""
    made = ZombieCampaign(folder, seed=seed)
    try:
        for n in range(rounds):
            made.round(wake_late=n % 2 == 1)
        return made.judge()
    finally:
        shared().clear()
