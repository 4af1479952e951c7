"""Traces: the traceback of a step as its author wants to read it."""

from __future__ import annotations

import traceback

_CARRIERS = ("treadle.engine.loop", "treadle.engine.table", "concurrent.futures.thread")


def trace_of(error: BaseException) -> str:
    """The traceback of `error` as text, from the first frame behind those that carried the step."""
    own = frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_globals.get("__name__", "") in _CARRIERS and frame.tb_next is not None:
            own = frame.tb_next
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, own))
