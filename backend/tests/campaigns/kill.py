"""The kill campaign: `kill -9` at random instants under load, and then the judgement."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from processes.serving import until

from campaigns.controls import Controls
from campaigns.crowd import Crowd
from campaigns.expected import MIX
from campaigns.journal import Promises, judge
from campaigns.reader import Readers
from campaigns.studio import Studio

HERE = Path(__file__).parent
FLOWS = [HERE / "flows.py", HERE / "mix.py", HERE / "nests.py"]
WORK, PATIENCE = 5, 1.5
"""Steps that finish between two kills, at least, unless that takes so many seconds."""
FINISHED = "SELECT count(*) FROM entry WHERE kind = 'step_finished'"
COMPLAINTS = ("Traceback", "Fatal Python", "never retrieved", "could not be made")
"""What a studio never has reason to write, however it is killed."""
ALL_WORKERS, WEB, EVERYTHING, STOP = 0.08, 0.04, 0.04, 0.08
"""How often not one worker is killed but all, the web process alone, the whole studio; or one is told to stop."""


@dataclass(slots=True)
class Report:
    """What was done, what it came to, and what was broken; nothing broken is success."""

    seed: int
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


class Campaign:
    """A studio under `kill -9`, with everybody who uses it."""

    def __init__(
        self, folder: Path, *, seed: int, workers: int, quick: bool, durability: str
    ) -> None:
        self.kills = {"worker kills": 0, "web kills": 0, "kills of everything at once": 0}
        self.rng = random.Random(seed)
        environment = {"TREADLE_DURABILITY": durability}
        self.studio = Studio(folder, FLOWS, workers=workers, quick=quick, environment=environment)
        self.readers = Readers(self.studio, count=3)
        self.controls = Controls(self.studio, seed=seed)
        self.crowd = Crowd(self.studio, seed=seed, mix=MIX, started=self._started)
        self.left_open = 0
        self.stopped = 0
        self.broken: list[str] = []

    @property
    def killed(self) -> int:
        """Processes killed so far."""
        return sum(self.kills.values())

    def run(self, *, kills: int, pause: tuple[float, float], patience: float) -> None:
        """Kill until so many processes have died, then let everything come to its end."""
        everybody = (self.readers, self.controls, self.crowd)
        self.studio.start()
        try:
            for somebody in everybody:
                somebody.go()
            while self.killed < kills:
                self._let_work(self.rng.uniform(*pause))
                self._kill()
            self._finish(patience)
        finally:
            for somebody in everybody:
                somebody.end()
            self.studio.close()

    def judge(self) -> Report:
        """Hold what everybody was told against what is on disk."""
        self.crowd.settle_doubts()
        promises = Promises(
            self.crowd.runs, self.crowd.answers, self.controls.cancelled, self.controls.leaves, self.controls.released
        )
        with self.studio.reading() as database:
            judgement = judge(database, self.studio.side_log, promises)
            self.readers.judge(database)
        said = self.studio.complaints
        clean = not any(word in said for word in COMPLAINTS)
        judgement.claim(clean, f"the studio wrote:\n{said[-6000:]}", as_count="tracebacks written")
        code, said = self.studio.check()
        judgement.claim(code == 0, f"treadle fsck: exit {code}:\n{said[-3000:]}", as_count="fsck not clean")
        told = {
            "workers told to stop": self.stopped,
            "requests sent again": self.crowd.retries + self.controls.retries,
            "prompts left open over the last kill, then answered": self.left_open,
            "second answers refused": self.crowd.refused,
            "keys with other input refused": self.crowd.conflicts,
            "runs stepped through": len(self.controls.leaves),
            "streams followed to the end": len(self.readers.told),
            "streams lost and taken up again": self.readers.reconnections,
        }
        broken = [*self.broken, *self.crowd.broken, *self.controls.broken, *self.readers.broken, *judgement.broken]
        return Report(0, 0.0, {**self.kills, "processes killed": self.killed, **judgement.counts, **told}, broken)

    def _started(self, run_id: str, expected: object) -> None:
        self.controls.take(run_id, expected)  # type: ignore[arg-type]
        self.readers.offer(run_id)

    def _let_work(self, seconds: float) -> None:
        """Wait for a random instant, and on a slow machine until something was done: who does nothing dies easily."""
        before = self.studio.rows(FINISHED)[0][0]
        _wait(seconds)
        with suppress(AssertionError):
            until("there is work", lambda: self.studio.rows(FINISHED)[0][0] - before >= WORK, seconds=PATIENCE)

    def _kill(self) -> None:
        lot = self.rng.random()
        pids = until("a worker lives", self.studio.worker_pids)
        if lot < EVERYTHING:
            self.kills["kills of everything at once"] += len(pids) + 1
            self.studio.kill()
            self.studio.start()
        elif lot < EVERYTHING + WEB:
            self.kills["web kills"] += 1
            self.studio.kill_web()
            self.studio.start()
        elif lot < EVERYTHING + WEB + STOP:
            self.stopped += 1
            with suppress(ProcessLookupError):
                os.kill(self.rng.choice(pids), signal.SIGTERM)
        else:
            for pid in pids if lot < EVERYTHING + WEB + STOP + ALL_WORKERS else [self.rng.choice(pids)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.kills["worker kills"] += 1

    def _finish(self, patience: float) -> None:
        """Leave prompts open over one more death of everything, answer them all, and see every run end."""
        self.crowd.answer_nobody(quiet=True)
        open_prompts = "SELECT count(*) FROM prompt WHERE status = 'open'"
        with suppress(AssertionError):
            until("somebody asks", lambda: self.studio.rows(open_prompts)[0][0], seconds=20.0)
        self.crowd.start_no_more()
        self.studio.kill()
        self.studio.start()
        self.left_open = self.studio.rows(open_prompts)[0][0]
        self.crowd.answer_nobody(quiet=False)
        try:
            until("every run has ended", lambda: self.crowd.unfinished() == 0, seconds=patience)
        except AssertionError as error:
            self.broken.append(f"{error}; {self._unended()}")
        code = self.studio.stop()
        if code != 0:
            self.broken.append(f"the studio stopped with {code}")

    def _unended(self) -> str:
        query = "SELECT id, workflow, status, held, lease_owner FROM run WHERE status IN ('running', 'held', 'waiting')"
        return "; ".join(str(tuple(row)) for row in self.studio.rows(query))


def campaign(
    folder: Path, *, kills: int, seed: int, workers: int = 4, quick: bool = False, durability: str = "full",
    pause: tuple[float, float] = (0.05, 0.6), patience: float = 60.0,
) -> Report:  # fmt: skip
    """Kill `kills` processes of a studio while clients work; judge what is left."""
    began = time.monotonic()
    made = Campaign(folder, seed=seed, workers=workers, quick=quick, durability=durability)
    made.run(kills=kills, pause=pause, patience=patience)
    report = made.judge()
    report.seed = seed
    report.seconds = time.monotonic() - began
    return report


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)  # the random instant itself
