"""Hold where everything stands: one geometry for page, file and terminal, in pixels, y growing downwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["TB", "LR"]
Shape = Literal["box", "pill"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Size:
    """How big a node is and what outline its edges end on."""

    width: float
    height: float
    shape: Shape = "box"


@dataclass(frozen=True, slots=True)
class Placed:
    """A node that has been given a place: its centre and its size.

    The frame of a nested workflow is a node too, and the nodes of that workflow stand inside it.
    """

    id: str
    x: float
    y: float
    width: float
    height: float
    shape: Shape = "box"

    @property
    def left(self) -> float:
        """The x of the left border."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """The x of the right border."""
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        """The y of the upper border."""
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        """The y of the lower border."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one edge: corner points from the source's border to the target's, every part level or upright.

    `label` is the centre of a free spot for the edge's words, `room` the width and height that is free there. `back`
    marks an edge that closes a loop. `turns` are pairs of points on the way, each the middle of a long part that runs
    against the reading direction and a point a little further on: a sign there tells which way it goes.
    """

    key: str
    source: str
    target: str
    points: tuple[Point, ...]
    label: Point
    back: bool = False
    room: tuple[float, float] = (0.0, 0.0)
    turns: tuple[tuple[Point, Point], ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """The rectangle that holds the whole picture."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where every node and every edge of a graph stands; `order` names the nodes as one reads them."""

    direction: Direction
    nodes: tuple[Placed, ...]
    routes: tuple[Route, ...]
    bounds: Bounds
    by_id: Mapping[str, Placed] = field(default_factory=dict, compare=False, repr=False)
    order: tuple[str, ...] = ()
