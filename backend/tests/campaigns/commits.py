"""The commit campaign: a worker dies before or after its n-th commit, for every n, and another one goes on."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from campaigns.journal import Judgement
from campaigns.nursery import shared
from campaigns.workshop import Workshop

RUNS = {
    "KillChain": 3, "KillFan": 3, "KillJoin": 2, "KillRetry": 1, "KillWait": 1, "KillOnce": 2, "KillNest": 2,
    "KillPrompt": 1, "KillMost": 2,
}  # fmt: skip
"""What is started in every case, and how large."""
NAP = 0.003
"""Seconds a step takes, so that the commits are not few and large."""
KINDS = ("journal", "write")
"""The commits of the journal's writer, and all others a worker makes: claims, publications."""


@dataclass(frozen=True, slots=True)
class Point:
    """An instant in the life of a worker: `when` ("before" or "after") its commit number `at` of a kind."""

    of: str
    at: int
    when: str


class CommitCampaign:
    """Cases on copies of one database with accepted runs in it."""

    def __init__(self, folder: Path, *, durability: str) -> None:
        self._folder = folder
        self._start = Workshop(shared(), folder / "start", durability=durability)
        self._start.open()
        for workflow, size in RUNS.items():
            self._start.start(workflow, size, nap=NAP)

    def points(self) -> list[Point]:
        """Every point there is, as a life without a death tells."""
        found = []
        for of in KINDS:
            case = self._folder / f"count-{of}"
            self.die_at(Point(of, 0, "never"), case)
            commits = len((case / "died.count").read_text())
            found += [Point(of, at, when) for at in range(1, commits + 1) for when in ("before", "after")]
        return found

    def die_at(self, point: Point, folder: Path, *, again: Point | None = None) -> Judgement:
        """Die at this point (the successor `again` at that one), and see everything end."""
        case = self._start.copy(folder)
        for n, death in enumerate((point, again)):
            if death is not None:
                mark = folder / f"died{n or ''}"
                crash = {"of": death.of, "at": death.at, "when": death.when, "mark": str(mark)}
                worker = case.hire(rig={"crash": crash})
                while not worker.process.ends_within(0.02) and (case.answer() or case.unfinished()):
                    pass
                if mark.exists():
                    case.bury(worker)
                else:
                    case.dismiss(worker)
        last = case.hire()
        case.until_ended()
        code = case.dismiss(last)
        judgement = case.judge()
        judgement.counts["deaths"] = len([*folder.glob("died"), *folder.glob("died1")])
        judgement.claim(code == 0, f"the last worker: exit {code}", as_count="workers that did not stop well")
        said = case.output.read_text().replace(f"{case.file}: ", "")
        judgement.claim("Traceback" not in said, said[-3000:], as_count="tracebacks written")
        return judgement


def campaign(
    folder: Path, *, seed: int, durability: str, most: int | None = None, twice: bool = False
) -> tuple[int, Judgement]:
    """Die at every point (at `most` of them, drawn by `seed`); with `twice` the successor dies too, somewhere.

    How many points there are, and everything judged.
    """
    rng = random.Random(seed)
    whole = Judgement()
    made = CommitCampaign(folder, durability=durability)
    try:
        points = made.points()
        chosen = points if most is None or most >= len(points) else rng.sample(points, most)
        seconds = [rng.choice(points) if twice else None for _ in chosen]
        with ThreadPoolExecutor(3) as pool:
            cases = [folder / f"case-{n}" for n in range(len(chosen))]
            for point, judgement in zip(
                chosen, pool.map(lambda case: made.die_at(case[0], case[1], again=case[2]),
                                 zip(chosen, cases, seconds, strict=True)), strict=True,
            ):  # fmt: skip
                judgement.broken = [f"{point}: {sentence}" for sentence in judgement.broken]
                whole.add(judgement)
    finally:
        shared().clear()
    return len(points), whole
