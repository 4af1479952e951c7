"""Tell a graph in Mermaid's words, for readmes and issues whose readers draw it themselves.

Ids are numbered, because a name may be one of Mermaid's own words; whatever could mean something to its parser is
written as an entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from treadle.visualizer.geometry import Direction
from treadle.visualizer.graph import Edge, Graph, Node, containers, is_quiet
from treadle.visualizer.overlay import EdgeMark, NodeMark, Overlay, stroke_width
from treadle.visualizer.text import shortened
from treadle.visualizer.theme import FileTheme, colours

_SHAPES: Mapping[str, tuple[str, str]] = {
    "event": ('(["', '"])'),
    "step": ('["', '"]'),
    "person": ('(("', '"))'),
    "workflow": ('[["', '"]]'),
}
# What begins an entity, a string, a comment or a directive, HTML or Markdown; and what Mermaid takes for a style.
_SPECIAL = frozenset('#"%&<>`\\:{')
# Its lexer reads this anywhere in a line, strings included.
_DIRECTION = re.compile("(direction) (?=TB|BT|RL|LR|TD)", re.IGNORECASE)
_ROLES = ("step", "event", "start", "stop", "human", "workflow")
_WIDTHS: Mapping[str, str] = {
    "done": "1.5px", "running": "2.5px", "waiting": "2px,stroke-dasharray:5 3", "failed": "2px",
    "stopped": "1.5px,stroke-dasharray:2 3", "idle": "1px,stroke-dasharray:4 4",
}  # fmt: skip


def mermaid(
    graph: Graph,
    *,
    overlay: Overlay | None = None,
    direction: Direction = "TB",
    theme: FileTheme = "light",
    title: str = "",
    caption: str = "",
) -> str:
    """The graph as a Mermaid flowchart; with an `overlay` statuses and counts are told, too."""
    writer = _Writer(graph, overlay)
    heads = [f"%% {escaped(line)}" for line in (title or graph.workflow, caption) if line]
    lines = [*heads, f"flowchart {direction}", *writer.nodes(None, "  "), *writer.edges()]
    lines += _styles(graph, overlay, colours(theme))
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text on one line in which nothing means anything to Mermaid."""
    line = "".join(char if char.isprintable() else " " for char in text)
    plain = "".join(f"#{ord(char)};" if char in _SPECIAL else char for char in " ".join(line.split()))
    return _DIRECTION.sub(r"\1#32;", plain)


class _Writer:
    def __init__(self, graph: Graph, overlay: Overlay | None) -> None:
        self._graph = graph
        self._overlay = overlay
        self._frames = containers(graph.nodes)
        self._around = {frame for around in self._frames.values() for frame in around}
        self._ids = {node.id: f"n{at}" for at, node in enumerate(graph.nodes)}

    def nodes(self, frame: str | None, indent: str) -> Iterator[str]:
        """The nodes that stand directly in a frame, and what stands in the frames among them."""
        for node in self._graph.nodes:
            around = self._frames[node.id]
            if (around[-1] if around else None) != frame:
                continue
            name = self._ids[node.id]
            if node.id in self._around:
                yield f'{indent}subgraph {name}["{self._words(node)}"]'
                yield from self.nodes(node.id, indent + "  ")
                yield f"{indent}end"
            else:
                left, right = _SHAPES[node.kind]
                yield f"{indent}{name}{left}{self._words(node)}{right}:::{self._class(node)}"

    def edges(self) -> Iterator[str]:
        """The edges in order, and below them how thick those are that carried something."""
        nodes = {node.id: node for node in self._graph.nodes}
        thick: dict[float, list[int]] = {}
        for at, edge in enumerate(self._graph.edges):
            mark = self._overlay.edges.get(edge.key, EdgeMark()) if self._overlay else None
            dashed = is_quiet(edge, nodes) if mark is None else not mark.count
            words = _edge_words(edge, mark)
            arrow = ("-.->" if dashed else "-->") + (f'|"{words}"|' if words else "")
            yield f"  {self._ids[edge.source]} {arrow} {self._ids[edge.target]}"
            if mark is not None and mark.count:
                thick.setdefault(stroke_width(mark.count), []).append(at)
        for width, numbers in thick.items():
            yield f"  linkStyle {','.join(map(str, numbers))} stroke-width:{width:g}px"

    def _words(self, node: Node) -> str:
        mark = self._mark(node)
        name = escaped(shortened(node.name)) or "?"
        if mark is None:
            return name
        count = f" {escaped(mark.label)}" if mark.label else ""
        told = mark.line or (mark.status if mark.status not in ("done", "idle") else "")
        return f"{name}{count}" + (f"<br>{escaped(told)}" if told else "")

    def _class(self, node: Node) -> str:
        mark = self._mark(node)
        if mark is not None:
            return mark.status
        if node.role in ("input", "response", "person"):
            return "human"
        return "event" if node.role == "plain" else node.role

    def _mark(self, node: Node) -> NodeMark | None:
        return self._overlay.nodes.get(node.id, NodeMark()) if self._overlay else None


def _edge_words(edge: Edge, mark: EdgeMark | None) -> str:
    label = mark.label if mark is not None else ""
    return " ".join(filter(None, (escaped(shortened(edge.label)), escaped(label))))


def _styles(graph: Graph, overlay: Overlay | None, tokens: Mapping[str, str]) -> Iterator[str]:
    """The look of every class that Mermaid is to know; a class that nothing has is left out."""
    ink = tokens["--graph-ink"]
    if overlay is not None:
        used = {overlay.nodes.get(node.id, NodeMark()).status for node in graph.nodes}
        for status, width in _WIDTHS.items():
            if status in used:
                fill = tokens.get(f"--graph-{status}-fill", tokens["--graph-surface"])
                line = tokens[f"--graph-{status}"]
                yield f"  classDef {status} fill:{fill},stroke:{line},color:{ink},stroke-width:{width}"
        return
    for role in _ROLES:
        known = "step" if role == "workflow" else role
        yield (
            f"  classDef {role} fill:{tokens[f'--graph-{known}-fill']},stroke:{tokens[f'--graph-{known}']},color:{ink}"
        )
