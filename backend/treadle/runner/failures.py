"""Failures of a run that never got as far as a tick, in the form the run page shows."""

from __future__ import annotations

import json

from treadle.engine.traces import trace_of


def error_json(error: BaseException) -> str:
    """An exception as the JSON of Run.error."""
    return json.dumps(
        {
            "type": type(error).__name__,
            "message": str(error),
            "step": None,
            "traceback": trace_of(error),
        }
    )
