"""Draw the status icons as paths around the origin: a glyph on a disc, the same in SVG and on the canvas."""

from __future__ import annotations

from collections.abc import Mapping

DISC = 7.5
GLYPHS: Mapping[str, str] = {
    "done": "M-3.3.3-1 2.6 3.4-2.4",
    "running": "M-1.7-3 3.1 0-1.7 3Z",
    "waiting": "M-1.8-2.8V2.8M1.8-2.8V2.8",
    "failed": "M-2.5-2.5 2.5 2.5M2.5-2.5-2.5 2.5",
    "stopped": "M-2-2H2V2H-2Z",
    "idle": "",
}
FILLED = frozenset({"running", "stopped"})
PERSON = "M0-7.5a3.4 3.4 0 1 1 0 6.8a3.4 3.4 0 1 1 0-6.8ZM-6.5 7a6.5 5.9 0 0 1 13 0Z"
