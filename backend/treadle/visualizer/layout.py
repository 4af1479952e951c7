"""Lay a graph out in ranks with right-angled edges: the one geometry behind page, file and terminal.

A nested workflow is laid out by itself and then placed as one node of the workflow around it. The same graph always
gives the same picture.
"""

from __future__ import annotations

from dataclasses import replace

from treadle.visualizer.connected import drawn
from treadle.visualizer.geometry import Bounds, Direction, Layout, Placed, Point, Route
from treadle.visualizer.graph import Edge, Graph, containers, is_aside
from treadle.visualizer.labels import Spot, label_spots
from treadle.visualizer.layering import components
from treadle.visualizer.packing import Part, Way, pack
from treadle.visualizer.sheet import Shape, Wire
from treadle.visualizer.sizes import FRAME, FRAME_TITLE, frame_width, label_size, size_of

_BETWEEN = 48.0
_MARGIN = 16.0


def layout(graph: Graph, *, direction: Direction = "TB", roomy: bool = True) -> Layout:
    """Place every node and route every edge of `graph`.

    `direction` is TB (ranks from top to bottom) or LR. `roomy` leaves space in the nodes for icons and counts. The
    words of edges that have some (a compact graph's) get a place where nothing else is.
    """
    return _Drawing(graph, direction, roomy=roomy).finish()


class _Drawing:
    def __init__(self, graph: Graph, direction: Direction, *, roomy: bool) -> None:
        self.graph = graph
        self.direction: Direction = direction
        self.number = {node.id: index for index, node in enumerate(graph.nodes)}
        self.sizes = [size_of(node, roomy=roomy) for node in graph.nodes]
        self.rooms = [label_size(edge, roomy=roomy) if edge.label else None for edge in graph.edges]
        self.frames = containers(graph.nodes)
        self.members: dict[str | None, list[int]] = {None: []}
        for index, node in enumerate(graph.nodes):
            self.members.setdefault(self.frames[node.id][-1] if self.frames[node.id] else None, []).append(index)
        self.wires: dict[str | None, list[Wire]] = {}
        nodes = {node.id: node for node in graph.nodes}
        for at, edge in enumerate(graph.edges):
            level, source, target = self._common(edge)
            room = self.rooms[at]
            weight = 1 if is_aside(edge, nodes) else 2
            wire = Wire(at, source, target, self._turned(room) if room else None, weight)
            self.wires.setdefault(level, []).append(wire)

    def finish(self) -> Layout:
        """Turn across and along into x and y, name everything, and find room for the labels."""
        whole = self._level(None)
        nodes: dict[int, Placed] = {}
        for index, (across, along, wide, deep) in whole.boxes.items():
            x, y = self._point((across, along))
            width, height = self._turned((wide, deep))
            nodes[index] = Placed(self.graph.nodes[index].id, x, y, width, height, self.sizes[index].shape)
        placed = tuple(nodes[index] for index in range(len(self.graph.nodes)))
        ways = {way.edge: way for way in whole.ways}
        lines = [tuple(map(self._point, _plain(ways[at].points))) for at in range(len(self.graph.edges))]
        given: list[Spot | None] = []
        for at, room in enumerate(self.rooms):
            label = ways[at].label
            given.append((self._point(label), room) if room is not None and label is not None else None)
        frames = [node for node in placed if node.id in self.members]
        signs = [_sign(place) for node, place in zip(self.graph.nodes, placed, strict=True) if node.warnings]
        spots = label_spots(placed, lines, given, frames, signs)
        routes = tuple(
            self._route(edge, ways[at], lines[at], spots[at]) for at, edge in enumerate(self.graph.edges)
        )
        order = tuple(self.graph.nodes[index].id for index in whole.boxes)
        return Layout(
            self.direction, placed, routes, _bounds(placed, routes), {node.id: node for node in placed}, order
        )

    def _level(self, frame: str | None) -> Part:
        """The nodes that stand directly in a frame, and all that stands in those."""
        members = self.members[frame]
        inner = {
            index: self._level(self.graph.nodes[index].id)
            for index in members
            if self.graph.nodes[index].id in self.members
        }
        wires = self.wires.get(frame, [])
        local = {index: at for at, index in enumerate(members)}
        parts = []
        for group in components(len(members), [(local[wire.source], local[wire.target]) for wire in wires]):
            number = {members[at]: position for position, at in enumerate(group)}
            inside = [
                replace(wire, source=number[wire.source], target=number[wire.target])
                for wire in wires
                if wire.source in number
            ]
            shapes = [self._shape(index, inner.get(index)) for index in number]
            starts = [at for index, at in number.items() if self.graph.nodes[index].role == "start"]
            part = drawn(shapes, inside, starts, self.direction)
            keys = list(number)
            part.boxes = {keys[at]: box for at, box in part.boxes.items()}
            parts.append(part)
        whole = pack(parts, gap=_BETWEEN)
        return self._filled(whole, inner)

    def _shape(self, index: int, inner: Part | None) -> Shape:
        size = self.sizes[index]
        if inner is None:
            return Shape(*self._turned((size.width, size.height)), round=size.shape == "pill")
        width, height = self._turned((inner.high - inner.low, inner.depth))
        title = frame_width(self.graph.nodes[index])
        return Shape(*self._turned((max(width + 2 * FRAME, title), height + FRAME + FRAME_TITLE)))

    def _filled(self, whole: Part, inner: dict[int, Part]) -> Part:
        """Move what stands in frames to where the frames are."""
        boxes = dict(whole.boxes)
        whole.boxes = {}
        lower = (FRAME_TITLE - FRAME) / 2
        for index, (across, along, wide, deep) in boxes.items():
            whole.boxes[index] = (across, along, wide, deep)
            part = inner.get(index)
            if part is None:
                continue
            middle = ((part.low + part.high) / 2, part.depth / 2)
            down, right = (0.0, lower) if self.direction == "TB" else (lower, 0.0)
            part.shift(_whole(across + down - middle[0]), _whole(along + right - middle[1]))
            whole.boxes.update(part.boxes)
            whole.ways += part.ways
        return whole

    def _common(self, edge: Edge) -> tuple[str | None, int, int]:
        """The frame in which both ends of an edge stand, and what stands for each of them there."""
        source, target = (*self.frames[edge.source], edge.source), (*self.frames[edge.target], edge.target)
        depth = 0
        while depth < min(len(source), len(target)) - 1 and source[depth] == target[depth]:
            depth += 1
        return source[depth - 1] if depth else None, self.number[source[depth]], self.number[target[depth]]

    def _turned(self, size: tuple[float, float]) -> tuple[float, float]:
        return size if self.direction == "TB" else (size[1], size[0])

    def _point(self, point: Point) -> Point:
        return self._turned((round(point[0], 2), round(point[1], 2)))

    def _route(self, edge: Edge, way: Way, points: tuple[Point, ...], spot: Spot) -> Route:
        turns = tuple((self._point(a), self._point(b)) for a, b in way.turns)
        return Route(edge.key, edge.source, edge.target, points, spot[0], way.back, spot[1], turns)


def _sign(place: Placed) -> tuple[float, float, float, float]:
    """Where the sign of a warning stands, on the corner of its node."""
    return place.right - 18, place.top - 9, place.right + 8, place.top + 9


def _whole(value: float) -> float:
    return float(round(value))


def _plain(way: list[Point]) -> list[Point]:
    """Without points that lie between their neighbours on one line."""
    kept: list[Point] = []
    for point in way:
        while len(kept) > 1 and (
            abs(kept[-2][0] - kept[-1][0]) < 0.02 > abs(kept[-1][0] - point[0])
            or abs(kept[-2][1] - kept[-1][1]) < 0.02 > abs(kept[-1][1] - point[1])
        ):
            kept.pop()
        kept.append(point)
    return kept


def _bounds(nodes: tuple[Placed, ...], routes: tuple[Route, ...]) -> Bounds:
    xs = [x for node in nodes for x in (node.left, node.right)]
    ys = [y for node in nodes for y in (node.top, node.bottom)]
    for route in routes:
        across, down = route.room[0] / 2, route.room[1] / 2
        xs += [x for x, _ in route.points] + [route.label[0] - across, route.label[0] + across]
        ys += [y for _, y in route.points] + [route.label[1] - down, route.label[1] + down]
    if not xs:
        return Bounds(0.0, 0.0, 2 * _MARGIN, 2 * _MARGIN)
    left, top = min(xs) - _MARGIN, min(ys) - _MARGIN
    return Bounds(left, top, round(max(xs) + _MARGIN - left, 2), round(max(ys) + _MARGIN - top, 2))
