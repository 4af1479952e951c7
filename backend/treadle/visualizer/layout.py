"""Lay a graph out in ranks with right-angled edges: the one geometry behind page, file and terminal.

Everything is computed in "across" and "along" (sideways and from rank to rank) and turned into x and y at the end, so
both directions share every rule. The same graph always gives the same picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from treadle.visualizer.channels import entangled, tracks
from treadle.visualizer.geometry import Bounds, Direction, Layout, Placed, Point, Route, Size
from treadle.visualizer.graph import Edge, Graph
from treadle.visualizer.labels import label_spots
from treadle.visualizer.layering import components, rank
from treadle.visualizer.ordering import Lanes, lanes, untangle
from treadle.visualizer.outline import PILL, depth_at, side_room
from treadle.visualizer.packing import Part, pack
from treadle.visualizer.placing import place
from treadle.visualizer.ports import CLOSEST, ports
from treadle.visualizer.sizes import size_of

GAP = 30.0
_LANE = 7.0
_TRACK = 11.0
_MARGIN = 16.0
_LOOP = 24.0
_LEAD = {"TB": (16.0, 20.0, 46.0), "LR": (20.0, 24.0, 60.0)}


@dataclass(slots=True)
class _Box:
    across: float
    along: float
    round: bool
    loop: bool = False


def layout(graph: Graph, *, direction: Direction = "TB", roomy: bool = True) -> Layout:
    """Place every node and route every edge of `graph`.

    `direction` is TB (ranks from top to bottom) or LR. `roomy` leaves space in the nodes for icons and counts.
    """
    sizes = [size_of(node, roomy=roomy) for node in graph.nodes]
    number = {node.id: index for index, node in enumerate(graph.nodes)}
    edges = [(number[edge.source], number[edge.target]) for edge in graph.edges]
    starts = [index for index, node in enumerate(graph.nodes) if node.role == "start"]
    parts: list[Part] = []
    for members in components(len(sizes), edges):
        local = {index: at for at, index in enumerate(members)}
        inside = [at for at, (source, _) in enumerate(edges) if source in local]
        parts.append(
            _part(
                [sizes[index] for index in members],
                [(local[edges[at][0]], local[edges[at][1]]) for at in inside],
                [local[index] for index in starts if index in local],
                direction,
                members,
                inside,
            )
        )
    return _finish(graph, sizes, pack(parts, gap=GAP * 1.6), direction)


def _part(
    sizes: list[Size],
    edges: list[tuple[int, int]],
    starts: list[int],
    direction: Direction,
    members: list[int],
    inside: list[int],
) -> Part:
    """Lay out one connected part, in across and along, with its first rank at along 0."""
    boxes = [
        _Box(size.width, size.height, size.shape == "pill")
        if direction == "TB"
        else _Box(size.height, size.width, size.shape == "pill")
        for size in sizes
    ]
    proper = [at for at, (a, b) in enumerate(edges) if a != b]
    for a, b in edges:
        boxes[a].loop = boxes[a].loop or a == b
    ranked = rank(len(boxes), [edges[at] for at in proper], starts=starts)
    plan = lanes(len(boxes), ranked)
    _widen(boxes, plan, direction)
    untangle(plan)
    reach = [(box.across / 2, box.across / 2 + (_LOOP + 6 if box.loop else 0)) for box in boxes]
    reach += [(_LANE, _LANE)] * (len(plan.rank_of) - len(boxes))
    xs = place(plan, reach, gap=GAP if direction == "TB" else GAP * 0.7, turned=ranked.turned)
    room = [side_room(box.across, box.round, direction) for box in boxes]
    begin, end = ports(plan, xs, room)
    ways, middles = _ways(plan, boxes, xs, begin, end, direction)
    part = Part(members=members)
    for index, box in enumerate(boxes):
        part.boxes.append((xs[index], middles[plan.rank_of[index]], box.across, box.along))
        part.grow(xs[index] - reach[index][0], xs[index] + reach[index][1])
    for at, way, turned in zip(proper, ways, ranked.turned, strict=True):
        part.ways.append((inside[at], way[::-1] if turned else way, turned))
    for at, (a, b) in enumerate(edges):
        if a == b:
            part.ways.append((inside[at], _self_loop(xs[a], middles[plan.rank_of[a]], boxes[a]), True))
    part.measure()
    return part


def _widen(boxes: list[_Box], plan: Lanes, direction: Direction) -> None:
    """Make a node wide enough for all the edges on its busiest side."""
    for index, box in enumerate(boxes):
        busiest = max(len(plan.up[index]), len(plan.down[index]))
        missing = (busiest - 1) * CLOSEST - 2 * side_room(box.across, box.round, direction)
        if missing > 0:
            box.across += missing


def _ways(
    plan: Lanes, boxes: list[_Box], xs: list[float], begin: list[float], end: list[float], direction: Direction
) -> tuple[list[list[Point]], list[float]]:
    """The corner points of every edge from upper to lower end, and the middle line of every rank."""
    heights = [max((boxes[i].along for i in layer if i < plan.count), default=0.0) for layer in plan.layers]
    steps: list[list[tuple[int, int]]] = [[] for _ in plan.layers]
    for index, chain in enumerate(plan.chains):
        for part in range(len(chain) - 1):
            steps[plan.rank_of[chain[part]]].append((index, part))
    before, after, least = _LEAD[direction]
    cuts: dict[tuple[int, int], tuple[float, float, float]] = {}
    middles: list[float] = []
    top = 0.0
    for level, height in enumerate(heights):
        middles.append(top + height / 2)
        top += height
        spans = {key: _span(plan, xs, begin, end, *key) for key in steps[level]}
        bent = [key for key, span in spans.items() if abs(span[0] - span[1]) > 0.01]
        _part_entangled(bent, spans, plan, end)
        found = tracks([spans[key] for key in bent])
        used = max(found, default=0)
        space = max(least, before + after + used * _TRACK)
        first = top + before + (space - before - after - used * _TRACK) / 2
        for key, track in zip(bent, found, strict=True):
            cuts[key] = (*spans[key], first + track * _TRACK)
        top += space
    ways = []
    for index, chain in enumerate(plan.chains):
        a, b = chain[0], chain[-1]
        lift_a = boxes[a].along / 2 - depth_at(begin[index] - xs[a], boxes[a].across, boxes[a].round, direction)
        lift_b = boxes[b].along / 2 - depth_at(end[index] - xs[b], boxes[b].across, boxes[b].round, direction)
        way: list[Point] = [(begin[index], middles[plan.rank_of[a]] + lift_a)]
        for part in range(len(chain) - 1):
            if (index, part) in cuts:
                x1, x2, y = cuts[index, part]
                way += [(x1, y), (x2, y)]
        ways.append([*way, (end[index], middles[plan.rank_of[b]] - lift_b)])
    return ways, middles


def _span(
    plan: Lanes, xs: list[float], begin: list[float], end: list[float], index: int, part: int
) -> tuple[float, float]:
    chain = plan.chains[index]
    upper = begin[index] if part == 0 else xs[chain[part]]
    lower = end[index] if part == len(chain) - 2 else xs[chain[part + 1]]
    return upper, lower


def _part_entangled(
    bent: list[tuple[int, int]],
    spans: dict[tuple[int, int], tuple[float, float]],
    plan: Lanes,
    end: list[float],
) -> None:
    """Move the lower end of one of two edges that swap places a little inwards, so their upright parts stay apart."""
    for position, key in enumerate(bent):
        for other in bent[position + 1 :]:
            a, b = spans[key], spans[other]
            if entangled(a, b) and key[1] == len(plan.chains[key[0]]) - 2:
                shift = 6.0 if a[0] > a[1] else -6.0
                end[key[0]] += shift
                spans[key] = (a[0], a[1] + shift)


def _self_loop(across: float, along: float, box: _Box) -> list[Point]:
    """Out of the far side, round and back in beside itself."""
    off = min(8.0, box.along / 4)
    sink = 0.0
    if box.round:
        inside = max(0.0, off - (box.along / 2 - PILL))
        sink = PILL - math.sqrt(PILL**2 - inside**2)
    edge = across + box.across / 2
    return [
        (edge - sink, along - off),
        (edge + _LOOP, along - off),
        (edge + _LOOP, along + off),
        (edge - sink, along + off),
    ]


def _finish(graph: Graph, sizes: list[Size], parts: list[Part], direction: Direction) -> Layout:
    """Turn across and along into x and y, name everything, and find room for the labels."""
    nodes: dict[int, Placed] = {}
    ways: dict[int, tuple[tuple[Point, ...], bool]] = {}
    for part in parts:
        for index, (across, along, wide, deep) in zip(part.members, part.boxes, strict=True):
            x, y = _turn((across, along), direction)
            width, height = _turn((wide, deep), direction)
            nodes[index] = Placed(graph.nodes[index].id, x, y, width, height, sizes[index].shape)
        for at, way, back in part.ways:
            ways[at] = tuple(_turn(point, direction) for point in _plain(way)), back
    placed = tuple(nodes[index] for index in range(len(graph.nodes)))
    routed = [(edge, *ways[at]) for at, edge in enumerate(graph.edges)]
    spots = label_spots(placed, [points for _, points, _ in routed])
    routes = tuple(_route(item, spot) for item, spot in zip(routed, spots, strict=True))
    return Layout(direction, placed, routes, _bounds(placed, routes), {node.id: node for node in placed})


def _route(item: tuple[Edge, tuple[Point, ...], bool], spot: Point) -> Route:
    edge, points, back = item
    return Route(edge.key, edge.source, edge.target, points, spot, back)


def _turn(point: Point, direction: Direction) -> Point:
    across, along = round(point[0], 2), round(point[1], 2)
    return (across, along) if direction == "TB" else (along, across)


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
        xs += [x for x, _ in route.points] + [route.label[0] - 14, route.label[0] + 14]
        ys += [y for _, y in route.points] + [route.label[1] - 9, route.label[1] + 9]
    if not xs:
        return Bounds(0.0, 0.0, 2 * _MARGIN, 2 * _MARGIN)
    left, top = min(xs) - _MARGIN, min(ys) - _MARGIN
    return Bounds(left, top, round(max(xs) + _MARGIN - left, 2), round(max(ys) + _MARGIN - top, 2))
