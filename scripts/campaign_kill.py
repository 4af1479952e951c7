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

from campaigns.kill import Report, campaign  # noqa: E402 - found by the line above


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill a studio's processes under load and count what was lost.")
    parser.add_argument("--kills", type=int, default=2000, help="how many processes (default 2000)")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, printed")
    parser.add_argument("--workers", type=int, default=3, help="workers of the studio (default 3)")
    parser.add_argument("--quick", action="store_true", help="fork its processes instead of starting each anew")
    parser.add_argument("--keep", type=Path, default=None, help="a folder to leave the database and the side log in")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}: {asked.kills} kills", flush=True)
    if asked.keep is not None:
        asked.keep.mkdir(parents=True, exist_ok=True)
    with nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory(prefix="treadle-kill-") as folder:
        report = campaign(
            Path(folder), kills=asked.kills, seed=seed, workers=asked.workers, quick=asked.quick, patience=180
        )
    show(report)
    return 1 if report.broken else 0


def show(report: Report) -> None:
    for name, count in report.counts.items():
        print(f"{name:56}{count:>8}")
    for sentence in report.broken[:40]:
        print(f"BROKEN  {sentence}")
    print(f"seed {report.seed}: {'BROKEN' if report.broken else 'kept'}, in {report.seconds:.0f} s")


if __name__ == "__main__":
    raise SystemExit(main())
