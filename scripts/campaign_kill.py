"""`make campaign-kill`: `kill -9` a studio at random instants under load, then count what was lost. Exit 1 if anything.

The same seed gives the same plan; what the instants hit differs with the machine.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend" / "tests"))

from campaigns.kill import campaign  # noqa: E402 - found by the line above
from campaigns.telling import show  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill a studio's processes under load and count what was lost.")
    parser.add_argument("--kills", type=int, default=2000, help="how many processes (default 2000)")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, printed")
    parser.add_argument("--workers", type=int, default=4, help="workers of the studio (default 4)")
    parser.add_argument("--durability", choices=("full", "process"), default="full", help="TREADLE_DURABILITY")
    parser.add_argument("--quick", action="store_true", help="fork its processes instead of starting each anew")
    parser.add_argument("--keep", type=Path, default=None, help="a folder to leave the database and the side log in")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    sys.stdout.write(f"kill, seed {seed}, {asked.kills} kills, durability {asked.durability}\n")
    sys.stdout.flush()
    if asked.keep is not None:
        asked.keep.mkdir(parents=True, exist_ok=True)
    with nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory(prefix="treadle-kill-") as folder:
        report = campaign(
            Path(folder), kills=asked.kills, seed=seed, workers=asked.workers, quick=asked.quick,
            durability=asked.durability, patience=180.0,
        )  # fmt: skip
    show(seed, report.counts, report.broken, seconds=report.seconds)
    return 1 if report.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
