"""Draw a graph as SVG: first paint on pages, and the picture in files.

Names come from workflow files and are not trusted: every text is escaped. On pages nothing carries inline style,
because the page's policy forbids it; classes do, and `data-node` and `data-edge` let live counts find their place.
The nodes follow each other as one reads them, so that the tab key does too; `data-next`, `data-prev` and `data-beside`
(left, right) are JSON lists of the nodes that arrow keys lead to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from treadle.visualizer.arrows import edge_svg, words_svg
from treadle.visualizer.boxes import ground_svg, mini_svg, node_label, node_svg
from treadle.visualizer.caption import Caption
from treadle.visualizer.geometry import Layout
from treadle.visualizer.graph import Graph, Node, containers, is_quiet
from treadle.visualizer.markup import clean, line_path, number
from treadle.visualizer.overlay import EdgeMark, NodeMark, Overlay
from treadle.visualizer.theme import AnyTheme, file_css
from treadle.visualizer.walking import Neighbours, neighbours

__all__ = ["Href", "Theme", "clean", "line_path", "node_label", "number", "to_svg"]

Theme = Literal["embedded"] | AnyTheme
Href = Callable[[Node], str | None]


def to_svg(
    graph: Graph,
    layout: Layout,
    *,
    overlay: Overlay | None = None,
    theme: Theme = "embedded",
    href: Href | None = None,
    mini: bool = False,
    title: str | None = None,
    legend: bool = False,
    caption: str = "",
) -> str:
    """The graph as one `<svg>` element.

    `theme` is embedded (styled by the page's graph.css), or that of a file of its own: light, dark, print, or auto.
    `href` gives the address a node links to, or None. `mini` draws shapes without words, for a card. With `legend`
    what the shapes or, with an `overlay`, the colours mean stands below; so do the `caption` and what may be wrong
    with the workflow.
    """
    below = Caption.of(graph, layout.bounds, overlay=overlay, legend=legend, text=caption)
    box = below.bounds
    name = clean(title or f"{graph.workflow}: graph")
    size = f'width="{number(box.width)}" height="{number(box.height)}"'
    frame = f"{number(box.left)} {number(box.top)} {number(box.width)} {number(box.height)}"
    role = 'class="graph-svg graph-mini" role="img"' if mini else 'class="graph-svg" role="group"'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" {role} aria-label="{name}" {size} viewBox="{frame}">']
    if theme != "embedded":
        out.append(f"<style>{file_css(theme)}</style>")
        out.append(f'<rect class="graph-ground" x="{number(box.left)}" y="{number(box.top)}" {size}/>')
    out += _mini(graph, layout, overlay) if mini else _whole(graph, layout, overlay, href)
    out.append(below.svg)
    out.append("</svg>")
    return "".join(out)


def _mini(graph: Graph, layout: Layout, overlay: Overlay | None) -> list[str]:
    nodes = {node.id: node for node in graph.nodes}
    marks = _edge_marks(graph, overlay)
    edges = [
        edge_svg(route, marks[edge.key], quiet=is_quiet(edge, nodes), mini=True)
        for edge, route in zip(graph.edges, layout.routes, strict=True)
    ]
    frames = _frames(graph)
    grounds = [ground_svg(layout.by_id[node]) for node in layout.order if node in frames]
    shapes = [
        mini_svg(nodes[node], layout.by_id[node], _node_mark(node, overlay))
        for node in layout.order
        if node not in frames
    ]
    return [*grounds, '<g class="graph-edges">', *edges, '</g><g class="graph-nodes">', *shapes, "</g>"]


def _whole(graph: Graph, layout: Layout, overlay: Overlay | None, href: Href | None) -> list[str]:
    nodes = {node.id: node for node in graph.nodes}
    around = containers(graph.nodes)
    frames = _frames(graph)
    marks = _edge_marks(graph, overlay)
    near = neighbours(((edge.source, edge.target) for edge in graph.edges), layout)
    grounds = [ground_svg(layout.by_id[node]) for node in layout.order if node in frames]
    pairs = list(zip(graph.edges, layout.routes, strict=True))
    return [
        '<g class="graph-grounds" aria-hidden="true">' + "".join(grounds) + "</g>" if grounds else "",
        '<g class="graph-edges" aria-hidden="true">',
        *(edge_svg(route, marks[edge.key], quiet=is_quiet(edge, nodes), mini=False) for edge, route in pairs),
        '</g><g class="graph-nodes">',
        *(
            node_svg(
                nodes[node],
                layout.by_id[node],
                _node_mark(node, overlay),
                link=href(nodes[node]) if href else None,
                near=near.get(node, Neighbours()),
                frame=node in frames,
            )
            for node in layout.order
        ),
        '</g><g class="graph-labels" aria-hidden="true">',
        *(words_svg(edge, route, marks[edge.key], inside=bool(around[edge.target])) for edge, route in pairs),
        "</g>",
    ]


def _frames(graph: Graph) -> set[str]:
    return {frame for around in containers(graph.nodes).values() for frame in around}


def _node_mark(node: str, overlay: Overlay | None) -> NodeMark | None:
    return overlay.nodes.get(node, NodeMark()) if overlay else None


def _edge_marks(graph: Graph, overlay: Overlay | None) -> Mapping[str, EdgeMark | None]:
    return {edge.key: overlay.edges.get(edge.key, EdgeMark()) if overlay else None for edge in graph.edges}
