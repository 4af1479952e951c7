"""Limits: how deep and how large what a run keeps may be, and what it is warned of before it gets there."""

from __future__ import annotations

from dataclasses import dataclass

from treadle.engine.state import RunState
from treadle.errors import RunTooLarge

DEPTH = 100
"""Containers inside one another in one value, the outermost counted."""
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes are bytes of JSON text, which is ASCII.

    A text above `inline` is kept beside the journal, one above `blob` not at all. `context` is the whole context of a
    run, `entries` and `journal` are its whole journal; above the `warning` part of those the run page says so.
    """

    inline: int = MIB
    blob: int = 64 * MIB
    context: int = 16 * MIB
    entries: int = 1_000_000
    journal: int = 1024 * MIB
    warning: float = 0.2


LIMITS = Limits()


def check_run(state: RunState, limits: Limits = LIMITS) -> None:
    """Raise RunTooLarge when there is no room for another entry of this run."""
    if state.seq >= limits.entries:
        raise RunTooLarge(
            f"The run has {state.seq:,} entries, and no more than {limits.entries:,} are kept of one run."
            " Start the rest of the work in runs of its own, from a step that awaits them."
        )
    if state.size >= limits.journal:
        raise RunTooLarge(
            f"The run's journal is {told(state.size)}, and no more than {told(limits.journal)} is kept of one run."
            " Keep large data in files and pass their paths, or start parts of the work in runs of their own."
        )


def warnings(state: RunState, limits: Limits = LIMITS) -> list[str]:
    """What a run should be told of before it reaches a limit."""
    found = []
    if state.seq >= (many := int(limits.entries * limits.warning)):
        found.append(f"The run has more than {many:,} entries; at {limits.entries:,} it fails.")
    if state.size >= (large := int(limits.journal * limits.warning)):
        found.append(f"The run's journal is larger than {told(large)}; at {told(limits.journal)} the run fails.")
    return found


def told(size: int) -> str:
    """A number of bytes as people say it: `912 bytes`, `64 KiB`, `1.5 MiB`."""
    for unit, name in ((MIB, "MiB"), (1024, "KiB")):
        if size >= unit:
            return f"{size / unit:,.1f}".removesuffix(".0") + f" {name}"
    return f"{size} bytes"
