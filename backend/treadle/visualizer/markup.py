"""Write SVG by hand: text made safe, numbers made short, lines with round corners."""

from __future__ import annotations

import re
from html import escape

from treadle.visualizer.geometry import Point

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ROUND = 8.0


def clean(text: str) -> str:
    """Text made safe for XML and HTML: escaped, and without the characters XML cannot hold."""
    return escape(_NOT_XML.sub("�", text), quote=True)


def number(value: float) -> str:
    """A coordinate in as few letters as possible."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def pair(point: Point) -> str:
    """A point as it stands in a path."""
    return f"{number(point[0])} {number(point[1])}"


def line_path(points: tuple[Point, ...], *, radius: float = _ROUND) -> str:
    """The path of a route with rounded corners."""
    parts = [f"M{pair(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        reach = min(radius, length(before, corner) / 2, length(corner, after) / 2)
        parts.append(f"L{pair(towards(corner, before, reach))}Q{pair(corner)} {pair(towards(corner, after, reach))}")
    return "".join(parts) + f"L{pair(points[-1])}"


def length(a: Point, b: Point) -> float:
    """How long a level or upright line is."""
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def towards(start: Point, goal: Point, distance: float) -> Point:
    """The point so far from `start` on the way to `goal`."""
    share = distance / (length(start, goal) or 1.0)
    return (start[0] + (goal[0] - start[0]) * share, start[1] + (goal[1] - start[1]) * share)
