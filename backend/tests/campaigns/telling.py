"""Telling: the counts of a campaign as lines, and what it found broken as sentences."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence


def show(seed: int, counts: Mapping[str, int], broken: Sequence[str] = (), *, seconds: float | None = None) -> None:
    """Write them to standard output."""
    lines = [f"{name:56}{count:>9}" for name, count in counts.items()]
    lines += [f"BROKEN  {sentence}" for sentence in broken[:40]]
    took = f", in {seconds:.0f} s" if seconds is not None else ""
    lines.append(f"seed {seed}: {'BROKEN' if broken else 'kept'}{took}")
    sys.stdout.write("\n".join(lines) + "\n")
