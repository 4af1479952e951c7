"""Draw the small icons as paths around the origin: the same in SVG and on the canvas."""

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
WARNING = "M0-8 8.4 6.6H-8.4ZM0-2.6V1.6M0 4.1V4.2"
CHIPS: Mapping[str, str] = {
    "collects": "M-4-3.4H4L1.2-.2V3.8L-1.2 2.6V-.2Z",
    "resource": "M0-4 3.6-2V2L0 4-3.6 2V-2ZM-3.6-2 0 0 3.6-2M0 0V4",
    "retry": "M3.2-2.4A4 4 0 1 0 4 .6M3.6-4.4V-1.9H1.1",
    "once": "M-1.6-2.2 0-3.6V3.4M-2 3.6H2",
    "catches": "M-4-2.6A4.4 4.4 0 0 0 4-2.6M0 1.8V4M-1.8 2.4 0 4.2 1.8 2.4",
}
"""What is told of a step in passing, by the kind of its trait."""
