"""Garbage: how often a process of the studio looks for it."""

from __future__ import annotations

import gc

OFTEN = (10_000, 20, 20)
"""New objects, and rounds of the younger generation, after which a generation is looked through."""


def spare_what_is_loaded() -> None:
    """Let the collector leave alone what is loaded by now, for it stays, and is by far the most.

    Steps of all runs would wait while it is looked through, again and again.
    """
    gc.freeze()
    gc.set_threshold(*OFTEN)
