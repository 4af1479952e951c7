"""Hands on the controls: clients that step through held runs, let them go, and cancel others."""

from __future__ import annotations

import queue
import random
from collections import Counter

from processes.serving import FINAL, Serving

from campaigns.clients import Clients
from campaigns.expected import Expected


class Controls(Clients):
    """Takes the runs it is told of. `leaves` counts what a held run was given leave for, at most."""

    def __init__(self, serving: Serving, *, seed: int, steppers: int = 1, cancellers: int = 1) -> None:
        super().__init__(serving, seed=seed, works={self._step: steppers, self._cancel: cancellers})
        self.leaves: Counter[str] = Counter()
        self.released: set[str] = set()
        self.cancelled: set[str] = set()
        self._held: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._doomed: queue.SimpleQueue[str] = queue.SimpleQueue()

    def take(self, run_id: str, expected: Expected) -> None:
        """A run was started: if it concerns us, it is ours."""
        if expected.held:
            self._held.put(run_id)
        elif expected.to_cancel:
            self._doomed.put(run_id)

    def _step(self, rng: random.Random, _: int) -> None:
        """Every held run gets its next leave in turn; now and then one is let go."""
        while not self._over.wait(rng.uniform(0.0, 0.05)):
            try:
                run_id = self._held.get_nowait()
            except queue.Empty:
                continue
            if rng.random() < 0.15:
                self.released.add(run_id)
                answer, _ = self.persist("POST", f"/runs/{run_id}/release", {}, {})
            else:
                answer, unsure = self.persist("POST", f"/runs/{run_id}/steps", {}, {})
                self.leaves[run_id] += 1 + unsure
            self.expect(answer.status in (202, 409), f"stepping {run_id}: {answer.status} {answer.text}")
            if answer.status == 202 and run_id not in self.released:
                self._held.put(run_id)

    def _cancel(self, rng: random.Random, _: int) -> None:
        while not self._over.wait(rng.uniform(0.0, 0.1)):
            try:
                run_id = self._doomed.get_nowait()
            except queue.Empty:
                continue
            self._over.wait(rng.uniform(0.0, 0.2))
            answer, unsure = self.persist("POST", f"/runs/{run_id}/cancellation", {}, {})
            if answer.status == 202 or unsure:
                self.cancelled.add(run_id)
            else:
                run, _ = self.persist("GET", f"/runs/{run_id}.json", None, {})
                ended = answer.status == 409 and run.json["status"] in FINAL
                self.expect(ended, f"cancelling {run_id}: {answer.status} {answer.text}")
