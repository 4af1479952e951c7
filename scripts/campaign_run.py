"""`make campaign-NAME`: one campaign at length, its counts on standard output. Exit 1 if a promise was broken.

The same seed gives the same plan; what the instants hit differs with the machine.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend" / "tests"))

from campaigns import acceptance, clock, commits, disk, hostilities, stopping, values, zombie  # noqa: E402 - found above
from campaigns.journal import Judgement  # noqa: E402
from campaigns.telling import show  # noqa: E402

Campaign = Callable[[Path, int, int], Judgement]


def run_commits(folder: Path, seed: int, rounds: int) -> Judgement:
    """Every commit of a worker in both durabilities, `rounds` times, the successor dying too from the second on."""
    whole = Judgement()
    for n in range(rounds):
        for durability in ("full", "process"):
            here = _made(folder / f"{durability}-{n}")
            points, judgement = commits.campaign(here, seed=seed + n, durability=durability, twice=n > 0)
            whole.counts[f"points, {durability}"] += points
            whole.add(judgement)
        whole.add(acceptance.campaign(_made(folder / f"acceptance-{n}"), seed=seed + n))
    return whole


CAMPAIGNS: dict[str, tuple[Campaign, int]] = {
    "commits": (run_commits, 1),
    "zombie": (lambda folder, seed, rounds: zombie.campaign(folder, seed=seed, rounds=rounds), 20),
    "stop": (lambda folder, seed, rounds: stopping.campaign(folder, seed=seed, rounds=rounds), 20),
    "values": (lambda folder, seed, rounds: values.campaign(folder, seed=seed, rounds=rounds), 20),
    "clock": (lambda folder, seed, rounds: clock.campaign(folder, seed=seed, rounds=rounds), 20),
    "disk": (lambda folder, seed, rounds: disk.campaign(folder, seed=seed, rounds=rounds), 3),
    "hostile": (lambda folder, seed, rounds: hostilities.campaign(folder, seed=seed, rounds=rounds), 3),
}
"""Each with its number of rounds."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=CAMPAIGNS)
    parser.add_argument("--rounds", type=int, default=None, help="how many (each campaign has its own number)")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, printed")
    parser.add_argument("--keep", type=Path, default=None, help="a folder to leave databases and side logs in")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    campaign, rounds = CAMPAIGNS[asked.name]
    rounds = asked.rounds or rounds
    sys.stdout.write(f"{asked.name}, seed {seed}, {rounds} rounds\n")
    sys.stdout.flush()
    began = time.monotonic()
    with _folder(asked.keep) as folder:
        judgement = campaign(folder, seed, rounds)
    show(seed, judgement.counts, judgement.broken, seconds=time.monotonic() - began)
    return 1 if judgement.broken else 0


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield _made(keep)
    else:
        with tempfile.TemporaryDirectory(prefix="treadle-campaign-") as folder:
            yield Path(folder)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    raise SystemExit(main())
