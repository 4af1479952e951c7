"""Garbage: how often a process of the studio looks for it."""

from __future__ import annotations

import gc

OFTEN = (10_000, 20, 20)
"""New objects, and rounds of the younger generation, after which a generation is looked through."""


def spare_what_is_loaded() -> None:
    """Let the collector leave alone what is loaded by now, for it stays: looking through it takes a tenth of a second.

    Steps of all runs would wait for that, again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*OFTEN)
