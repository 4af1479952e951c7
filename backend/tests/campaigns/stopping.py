"""The stopping campaign: a worker is told to stop while somebody else has the database, and another one goes on."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import threading
from pathlib import Path

from processes.serving import until

from campaigns.journal import Judgement
from campaigns.nursery import shared
from campaigns.workshop import Worker, Workshop

RUNS = {"KillFan": 16, "KillJoin": 10, "KillOnce": 5, "KillChain": 20, "KillNest": 3, "KillRetry": 3}


class StopCampaign:
    """Rounds of runs, each under workers that are told to stop one after the other, until one may finish them."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self.rng = random.Random(seed)
        self.broken: list[str] = []
        self.counts = {"workers told to stop": 0}
        self.shop = Workshop(shared(), folder / "shop")
        self.shop.open()

    def round(self, *, stops: int) -> None:
        """Some runs, under workers that are stopped `stops` times, and one that is not."""
        shop = self.shop
        for workflow, size in RUNS.items():
            shop.start(workflow, size, nap=0.05)
        for _ in range(stops):
            if not self._put_to_work(worker := shop.hire()):
                shop.dismiss(worker)
                break
            threading.Event().wait(self.rng.uniform(0.0, 0.1))
            with contextlib.closing(sqlite3.connect(shop.file, timeout=10, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                threading.Event().wait(self.rng.uniform(0.02, 0.1))  # so that commits wait, and more gathers behind
                worker.process.send(signal.SIGTERM)
                threading.Event().wait(self.rng.uniform(0.0, 0.12))
                other.execute("ROLLBACK")
            self.counts["workers told to stop"] += 1
            if (code := worker.process.wait(30)) != 0:
                self.broken.append(f"a worker stopped with {code}")
        last = shop.hire()
        shop.until_ended()
        if (code := shop.dismiss(last)) != 0:
            self.broken.append(f"the last worker stopped with {code}")

    def _put_to_work(self, worker: Worker) -> bool:
        """Wait until it writes; whether there is something left to do."""
        shop, entries = self.shop, "SELECT count(*) FROM entry"
        before = shop.count(entries)
        until(f"{worker.name} is at work", lambda: shop.count(entries) > before + 10 or not shop.unfinished())
        return bool(shop.unfinished())

    def judge(self) -> Judgement:
        judgement = self.shop.judge()
        said = self.shop.output.read_text()
        judgement.claim("Traceback" not in said, said[-3000:], as_count="tracebacks written")
        judgement.counts |= self.counts
        judgement.broken += self.broken
        return judgement


def campaign(folder: Path, *, seed: int, rounds: int) -> Judgement:
    """`rounds` times a handful of stops."""
    made = StopCampaign(folder, seed=seed)
    try:
        for _ in range(rounds):
            made.round(stops=6)
        return made.judge()
    finally:
        shared().clear()
