"""Cytoscape draws the SVG's geometry: its bends, computed back the way it does, are the same points."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from math import hypot

import pytest
from hypothesis import given, settings

from treadle.resources import STATIC
from treadle.visualizer.elements import CYTOSCAPE_STYLE, CYTOSCAPE_STYLE_SHA256, bend, cytoscape_elements, elements_json
from treadle.visualizer.graph import Graph, Node
from treadle.visualizer.layout import layout
from treadle.visualizer.overlay import overlay_of

from .samples import RAG, graphs

VENDORED = STATIC / "vendor" / "cytoscape.min.js"


@settings(max_examples=60, deadline=None)
@given(graph=graphs())
def test_bends_give_back_the_corners(graph: Graph) -> None:
    for route in layout(graph).routes:
        (x1, y1), (x2, y2) = route.points[0], route.points[-1]
        length = hypot(x2 - x1, y2 - y1)
        weights, distances = bend(route.points)
        for (x, y), weight, distance in zip(route.points[1:-1], weights, distances, strict=True):
            assert x1 + (x2 - x1) * weight - (y2 - y1) / length * distance == pytest.approx(x, abs=0.05)
            assert y1 + (y2 - y1) * weight + (x2 - x1) / length * distance == pytest.approx(y, abs=0.05)


def test_elements_hold_every_node_and_edge_once() -> None:
    data = cytoscape_elements(RAG, layout(RAG), overlay=overlay_of(RAG, {}, run_status="running"))
    ids = [item["data"]["id"] for item in data["elements"]]
    assert len(ids) == len(set(ids))
    assert {node.id for node in RAG.nodes} | {edge.key for edge in RAG.edges} <= set(ids)
    assert all(item["data"]["status"] == "idle" for item in data["elements"] if item["classes"] == "node")


def test_elements_json_cannot_end_its_script() -> None:
    graph = Graph("x", (Node("step:a", "step", "</script><!--", "step"),))
    text = elements_json(cytoscape_elements(graph, layout(graph)))
    assert "<" not in text
    assert json.loads(text)["elements"][0]["data"]["name"] == "</script><!--"


def test_cytoscape_still_injects_the_one_style_we_know() -> None:
    """When a new version adds other styles, graph-canvas.js and the policy must be looked at again."""
    source = VENDORED.read_text(encoding="utf-8")
    assert source.count('createElement("style")') == 1
    assert "__________cytoscape_stylesheet" in source and "{ position: relative; }" in source
    assert "sha256-" + b64encode(sha256(CYTOSCAPE_STYLE.encode()).digest()).decode() == CYTOSCAPE_STYLE_SHA256
    assert CYTOSCAPE_STYLE in (STATIC / "css" / "graph.css").read_text(encoding="utf-8")
