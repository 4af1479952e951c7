"""Hostilities: runs of hostile.py on a studio, with bystanders beside them and `/health` asked all the while."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from processes.serving import until

from campaigns.journal import Judgement
from campaigns.rig import RIG
from campaigns.studio import Studio

FLOWS = Path(__file__).parent / "hostile.py"
SLOWEST = "slowest answer of /health, in ms"
LATE = 1.5
"""Seconds that `/health` may take at worst; on a machine of our own it takes milliseconds."""
SPARED: dict[str, tuple[str, str]] = {
    "Blocks": ("completed", "slept"),
    "Spins": ("completed", "dizzy"),
    "Exits": ("failed", "SystemExit"),
    "Cancels": ("failed", "WorkflowRuntimeError"),
    "Recurses": ("failed", "RecursionError"),
    "Leaks": ("completed", "leaked"),
    "Shouts": ("completed", "hoarse"),
    "Floods": ("completed", "flooded"),
    "Wanders": ("completed", "nowhere"),
    "Forks": ("completed", "parent"),
    "ForksInThread": ("completed", "parent"),
}
"""Those that leave their worker alive, and how they end: with this result, or this error."""
LOST: dict[str, tuple[str, str]] = {
    "Vanishes": ("interrupted", "StepCrashed"),
    "Segfaults": ("interrupted", "StepCrashed"),
    "Aborts": ("interrupted", "StepCrashed"),
    "Closes": ("interrupted", "StepCrashed"),
}
"""Those that take it with them."""
ENDS = SPARED | LOST | {"Interrupts": ("failed", "KeyboardInterrupt"), "Hoards": ("failed", "MemoryError")}


class Hostilities:
    """A studio with two workers that may have 2 GB of memory each. `floods` is how many events one step emits."""

    def __init__(self, folder: Path, *, floods: int) -> None:
        self.studio = Studio(folder, [FLOWS], workers=2, environment={RIG: '{"memory": 2000}'})
        self.slowest = 0.0
        self.counts: Counter[str] = Counter()
        self._floods = floods

    def end(self) -> list[str]:
        """Kill the studio; what is wrong with what it leaves."""
        self.counts[SLOWEST] = round(1000 * self.slowest)
        self.studio.kill()
        code, said = self.studio.check()
        self.studio.close()
        return [] if code == 0 else [f"treadle fsck: exit {code}: {said[-2000:]}"]

    def together(self, names: Sequence[str], *, bystanders: int = 4) -> list[str]:
        """Run these at the same time, and bystanders; what did not end as it must."""
        studio, broken = self.studio, []
        until("both workers are there", lambda: len(studio.worker_pids()) == 2)
        with self._watched():
            resting = [studio.begin("Bystander", tag="b", size=1) for _ in range(bystanders)]
            fields = {"Floods": {"count": self._floods}}
            begun = {studio.begin(name, **fields.get(name, {})): name for name in names}
            for run_id, name in begun.items():
                broken += self._wrong(name, studio.ended(run_id, seconds=90))
            for run_id in resting:
                run = studio.ended(run_id, seconds=60)
                broken += [] if run["result"] == "rested" else [f"a bystander: {run['status']} {run['error']}"]
        self.counts["hostile runs"] += len(names)
        self.counts["bystanders"] += bystanders
        if self.slowest > LATE:
            broken.append(f"/health took {self.slowest:.1f} s")
        return broken

    def clinging(self) -> list[str]:
        """Cancel a step that does not hear it."""
        studio = self.studio
        run_id = studio.begin("Clings")
        until("it is under way", lambda: studio.run(run_id)["counts"].get("steps", {}).get("cling", {}).get("running"))
        answer = studio.ask("POST", f"/runs/{run_id}/cancellation", {})
        status = studio.ended(run_id)["status"]
        return [] if (answer.status, status) == (202, "cancelled") else [f"Clings: {answer.status}, {status}"]

    def _wrong(self, name: str, run: dict[str, Any]) -> list[str]:
        status, word = ENDS[name]
        error = run["error"] or {}
        told = run["result"] if status == "completed" else error.get("type")
        if (run["status"], told) == (status, word) and (status == "completed" or error["message"] or error["step"]):
            return []
        return [f"{name}: {run['status']} {run['result']} {error}, not {status} {word}"]

    @contextmanager
    def _watched(self) -> Iterator[None]:
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                answer = self.studio.ask("GET", "/health")
                self.slowest = max(self.slowest, answer.seconds if answer.status == 200 else float("inf"))

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def campaign(folder: Path, *, seed: int, rounds: int) -> Judgement:
    """Every hostile step alone, in an order drawn by `seed`, then all together; `rounds` times."""
    rng = random.Random(seed)
    judgement = Judgement()
    for n in range(rounds):
        here = folder / f"round-{n}"
        here.mkdir()
        made = Hostilities(here, floods=100_000)
        made.studio.start()
        groups = [[name] for name in rng.sample(list(ENDS), len(ENDS))]
        for group in [*groups, list(SPARED), list(LOST)]:
            judgement.broken += made.together(group)
        judgement.broken += made.clinging() + made.end()
        slowest = max(judgement.counts[SLOWEST], made.counts.pop(SLOWEST))
        judgement.add(Judgement(counts=made.counts))
        judgement.counts[SLOWEST] = slowest
    return judgement
