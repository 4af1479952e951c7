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

from processes.serving import Serving, until

from campaigns.crowd import Crowd
from campaigns.journal import Judgement, judge

FLOWS = Path(__file__).parent / "flows.py"
BOTH = 0.15
WEB = 0.2


@dataclass(slots=True)
class Report:
    """What was done, what it came to, and what was broken; nothing broken is success."""

    seed: int
    seconds: float = 0.0
    worker_kills: int = 0
    web_kills: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def campaign(folder: Path, *, kills: int, seed: int, web: bool = False, patience: float = 60.0) -> Report:
    """Kill workers (with `web`, now and then the whole studio) `kills` times while clients work; judge what is left."""
    rng = random.Random(seed)
    report = Report(seed)
    began = time.monotonic()
    side_log = folder / "side.log"
    side_log.touch()
    os.environ["CAMPAIGN_SIDE_LOG"] = str(side_log)
    serving = Serving(folder, [FLOWS]).start()
    crowd = Crowd(serving, seed=seed)
    crowd.go()
    try:
        while report.worker_kills + report.web_kills < kills:
            until("a worker lives", serving.worker_pids)
            _wait(rng.uniform(0.05, 0.8))
            if web and rng.random() < WEB:
                _kill_web(serving, rng)
                report.web_kills += 1
                serving.start()
            else:
                report.worker_kills += _kill_workers(serving, rng, most=kills - report.worker_kills - report.web_kills)
        crowd.start_no_more()
        try:
            until("every run has ended", lambda: crowd.unfinished() == 0, seconds=patience)
        except AssertionError as error:
            report.broken.append(f"{error}; {crowd.unfinished()} runs go on")
        crowd.end()
        code = serving.stop()
        report.counts["clean stops"] = int(code == 0)
        if code != 0:
            report.broken.append(f"the studio stopped with {code}")
    finally:
        crowd.end()
        serving.kill()
    report.seconds = time.monotonic() - began
    _judge(report, serving, crowd, side_log)
    return report


def _judge(report: Report, serving: Serving, crowd: Crowd, side_log: Path) -> None:
    crowd.settle_doubts()
    with serving.reading() as database:
        judgement: Judgement = judge(database, side_log, runs=crowd.runs, answers=crowd.answers)
    tracebacks = serving.output.count("Traceback") + serving.output.count("Fatal Python")
    judgement.claim(tracebacks == 0, f"the studio wrote:\n{serving.output[-6000:]}", as_count="tracebacks written")
    judgement.counts["requests sent again"] = crowd.retries
    judgement.counts["second answers refused"] = crowd.refused
    report.counts |= judgement.counts
    report.broken += crowd.broken + judgement.broken


def _kill_workers(serving: Serving, rng: random.Random, *, most: int) -> int:
    pids = until("a worker lives", serving.worker_pids)
    victims = pids if rng.random() < BOTH else [rng.choice(pids)]
    killed = 0
    for pid in victims[:most]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def _kill_web(serving: Serving, rng: random.Random) -> None:
    """The whole studio at once, or its web process alone: then its workers meet their successors."""
    if rng.random() < 0.5:
        serving.kill()
    else:
        assert serving.process is not None
        serving.process.kill()
        serving.process.wait(10)


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)  # the random instant itself
