"""A layout hides nothing, whatever the graph: the rules as one check, tried on a thousand graphs nobody drew."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from treadle.visualizer import folding
from treadle.visualizer.compact import compacted
from treadle.visualizer.geometry import Direction, Layout, Placed, Point
from treadle.visualizer.graph import Graph, containers
from treadle.visualizer.layout import layout
from treadle.visualizer.sizes import FRAME_TITLE

from .samples import ALL, large_graphs

MANY = 150 if os.environ.get("CI") else 1000
PILL = 16.0
SLACK = 0.6
Rect = tuple[float, float, float, float]

directions = st.sampled_from(["TB", "LR"])


@settings(max_examples=MANY, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graph=large_graphs(), direction=directions, compact=st.booleans(), folds=st.booleans())
def test_any_graph_is_laid_out_cleanly(graph: Graph, direction: Direction, compact: bool, folds: bool) -> None:
    """With frames in frames, words on edges, groups, warnings; what is longer than three ranks is folded or not."""
    drawn = compacted(graph) if compact else graph
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "LONGEST", 3 if folds else 60)
        made = layout(drawn, direction=direction)
        check(drawn, made)
        assert layout(Graph.from_dict(drawn.to_dict()), direction=direction) == made


@pytest.mark.parametrize("compact", [False, True], ids=["whole", "compact"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("graph", ALL, ids=lambda graph: graph.workflow)
def test_known_workflows_are_laid_out_cleanly(graph: Graph, direction: Direction, compact: bool) -> None:
    drawn = compacted(graph) if compact else graph
    check(drawn, layout(drawn, direction=direction))


def check(graph: Graph, made: Layout) -> None:
    """Fail, with the culprits' names, if something in a layout hides something else."""
    assert [node.id for node in made.nodes] == [node.id for node in graph.nodes]
    assert [route.key for route in made.routes] == [edge.key for edge in graph.edges]
    assert sorted(made.order) == sorted(node.id for node in graph.nodes)
    frames = containers(graph.nodes)
    holders = {frame for around in frames.values() for frame in around}
    _check_nodes(made, frames)
    _check_routes(made, frames)
    solid = [(node.left, node.top, node.right, node.bottom) for node in made.nodes if node.id not in holders]
    titles = [(node.left, node.top, node.right, node.top + FRAME_TITLE) for node in made.nodes if node.id in holders]
    _check_labels(made, solid + titles)


def _check_nodes(made: Layout, frames: dict[str, tuple[str, ...]]) -> None:
    box = made.bounds
    ordered = sorted(made.nodes, key=lambda node: node.left)
    for at, a in enumerate(ordered):
        assert box.left <= a.left and a.right <= box.left + box.width, a
        assert box.top <= a.top and a.bottom <= box.top + box.height, a
        for b in ordered[at + 1 :]:
            if b.left >= a.right:
                break
            if b.id in frames[a.id] or a.id in frames[b.id]:
                continue
            assert a.bottom <= b.top or b.bottom <= a.top, f"{a} lies on {b}"
    for node in made.nodes:
        for frame in frames[node.id]:
            around = made.by_id[frame]
            assert around.left < node.left and node.right < around.right, f"{node} sticks out of {around}"
            assert around.top + FRAME_TITLE - 1 <= node.top and node.bottom < around.bottom, f"{node} in {around}"


def _check_routes(made: Layout, frames: dict[str, tuple[str, ...]]) -> None:
    box = made.bounds
    for route in made.routes:
        ends = (route.source, *frames[route.source]), (route.target, *frames[route.target])
        assert any(on_border(route.points[0], made.by_id[node]) for node in ends[0]), route
        assert any(on_border(route.points[-1], made.by_id[node]) for node in ends[1]), route
        own = {*ends[0], *ends[1]}
        lines = list(pairwise(route.points))
        parts = [(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])) for a, b in lines]
        for left, top, right, bottom in parts:
            assert right - left < 0.02 or bottom - top < 0.02, f"a slanted part in {route}"
            assert box.left <= left and right <= box.left + box.width, route
            assert box.top <= top and bottom <= box.top + box.height, route
        low, high = min(part[1] for part in parts), max(part[3] for part in parts)
        for node in made.nodes:
            if node.top >= high or node.bottom <= low or node.id in own:
                continue
            inside = (node.left + SLACK, node.top + SLACK, node.right - SLACK, node.bottom - SLACK)
            for left, top, right, bottom in parts:
                through = left < inside[2] and right > inside[0] and top < inside[3] and bottom > inside[1]
                assert not through, f"{route.key} runs behind {node.id}"


def _check_labels(made: Layout, blocks: list[Rect]) -> None:
    box = made.bounds
    labels: list[tuple[Rect, str]] = []
    for route in made.routes:
        (x, y), (wide, high) = route.label, route.room
        rect = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
        assert wide > 20 and high > 10, route
        assert box.left <= rect[0] and rect[2] <= box.left + box.width, f"the label of {route.key} leaves the picture"
        assert box.top <= rect[1] and rect[3] <= box.top + box.height, f"the label of {route.key} leaves the picture"
        labels.append((rect, route.key))
        for block in blocks:
            assert not _overlap(rect, block), f"the label of {route.key} lies on a node or a title at {block}"
    labels.sort()
    for at, (a, key) in enumerate(labels):
        for b, other in labels[at + 1 :]:
            if b[0] >= a[2]:
                break
            assert not _overlap(a, b), f"the labels of {key} and {other} lie on each other"


def on_border(point: Point, node: Placed) -> bool:
    """Whether a point lies on the outline, rounded ends included."""
    x, y = abs(point[0] - node.x), abs(point[1] - node.y)
    half_width, half_height = node.width / 2, node.height / 2
    if node.shape == "pill" and x > half_width - PILL and y > half_height - PILL:
        return abs(((x - half_width + PILL) ** 2 + (y - half_height + PILL) ** 2) ** 0.5 - PILL) < SLACK
    inside = x <= half_width + SLACK and y <= half_height + SLACK
    return inside and (abs(x - half_width) < SLACK or abs(y - half_height) < SLACK)


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] - SLACK and a[2] > b[0] + SLACK and a[1] < b[3] - SLACK and a[3] > b[1] + SLACK
