"""The difference between the code a run was recorded with and the code that is published now."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from treadle.store.runs import RunDetail
from treadle.store.workflows import VersionRow, WorkflowRow

LINES = 2000
"""Lines of a difference that are shown."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions of a workflow; `lines` are (kind, text), kind being add, cut, same or place."""

    recorded: str
    current: str
    lines: tuple[tuple[str, str], ...]
    cut_off: bool
    remembered: bool
    """Whether the recorded version is."""


def difference_of(run: RunDetail, version: VersionRow | None, current: WorkflowRow | None) -> Difference | None:
    """How the published code differs from that of the run; None if it is the same, or nobody publishes any."""
    # After a plus sign there are the steps that a nested instance has for itself.
    recorded = run.fingerprint.partition("+")[0]
    if current is None or not current.offered or not current.fingerprint or current.fingerprint == recorded:
        return None
    known = version is not None and version.fingerprint == run.fingerprint
    old = version.source if known and version is not None else ""
    new = current.version.source if current.version is not None else ""
    told = [_line(text) for text in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3)][2:]
    return Difference(recorded, current.fingerprint, tuple(told[:LINES]) if known else (), len(told) > LINES, known)


def _line(text: str) -> tuple[str, str]:
    kinds = {"+": "add", "-": "cut", "@": "place"}
    return kinds.get(text[:1], "same"), text
