"""Traces: the traceback of a step as its author wants to read it."""

from __future__ import annotations

import traceback

_CARRIERS = ("treadle.engine.carriers", "treadle.engine.table", "concurrent.futures.thread")

MOST = 64 * 1024
"""Characters of a message or a traceback that are kept."""


def message_of(error: BaseException) -> str:
    """What `error` says: user code makes it, so it may fail itself."""
    try:
        return _cut(str(error))
    except Exception as broken:  # noqa: BLE001 - a `__str__` may raise anything
        return f"<{type(error).__name__}, whose str raised {type(broken).__name__}>"


def trace_of(error: BaseException) -> str:
    """The traceback of `error` as text, from the first frame behind those that carried the step."""
    own = frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_globals.get("__name__", "") in _CARRIERS and frame.tb_next is not None:
            own = frame.tb_next
        frame = frame.tb_next
    return _cut("".join(traceback.format_exception(type(error), error, own)))


def _cut(text: str) -> str:
    """`text`, its middle left out when it is too long for anybody: steps raise errors with whole documents in them."""
    left_out = len(text) - MOST
    half = MOST // 2
    return text if left_out <= 0 else f"{text[:half]}\n... {left_out} characters left out ...\n{text[-half:]}"


def name_step(error: BaseException, step: str) -> None:
    """Add a note to `error` that says in which step it was raised."""
    note = f"in step {step}"
    if note not in getattr(error, "__notes__", ()):  # one object may be raised again and again
        error.add_note(note)
