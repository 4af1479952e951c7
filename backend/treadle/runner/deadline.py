"""The deadline of an import: a workflow file that never gets loaded must not keep its worker from all the others."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LOOK = 0.5
"""Seconds between looks at what is being imported."""
PREFIX = "_treadle_"
"""How the names begin under which workflow files are loaded."""


class ImportTakesTooLong(BaseException):
    """Raised inside a file that is still being imported after its time; no Exception, because it may catch those."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise ImportTakesTooLong in each workflow file that takes longer than `seconds`; it has its place in the trace.

    On the main thread only, by SIGALRM. Code that never comes back from C is not reached.
    """
    began: dict[str, float] = {}

    def look(_: int, frame: FrameType | None) -> None:
        name = _being_imported(frame)
        if name is None:
            return
        waited = time.monotonic() - began.setdefault(name, time.monotonic())
        if waited >= seconds:
            raise ImportTakesTooLong(
                f"Importing it takes longer than {seconds:g} seconds; do what takes long in a step, or as a resource."
            )

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, LOOK, LOOK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def _being_imported(frame: FrameType | None) -> str | None:
    """The workflow file whose module is being executed, under the name it is loaded by."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and str(frame.f_globals.get("__name__", "")).startswith(PREFIX):
            return str(frame.f_globals["__name__"])
        frame = frame.f_back
    return None
