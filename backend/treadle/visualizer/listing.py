"""Tell a graph as a table, for whoever does not see it: the same nodes, edges, statuses and counts, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from treadle.visualizer.graph import Edge, Graph, Node
from treadle.visualizer.markup import clean
from treadle.visualizer.overlay import EdgeMark, NodeMark, Overlay
from treadle.visualizer.status import STATUS_WORDS

_KINDS = {"event": "event", "step": "step", "person": "person", "workflow": "nested workflow"}
_START, _STOP = "the outside", "the end"


@dataclass(frozen=True, slots=True)
class Row:
    """A node in words; `comes_from` and `leads_to` name its neighbours, with counts when a run is told."""

    id: str
    name: str
    kind: str
    comes_from: tuple[str, ...]
    leads_to: tuple[str, ...]
    status: str = ""
    times: int = 0
    notes: tuple[str, ...] = ()
    ways_in: tuple[str, ...] = ()
    """The keys of the edges from `comes_from`, and those to `leads_to`."""
    ways_out: tuple[str, ...] = ()


def rows(graph: Graph, *, overlay: Overlay | None = None, order: Sequence[str] = ()) -> list[Row]:
    """A row for every node, in the `order` of a layout if there is one, else as declared."""
    nodes = {node.id: node for node in graph.nodes}
    into: dict[str, list[tuple[str, str]]] = {}
    out: dict[str, list[tuple[str, str]]] = {}
    for edge in graph.edges:
        carried = overlay.edges.get(edge.key, EdgeMark()) if overlay else None
        into.setdefault(edge.target, []).append((edge.key, _end(nodes[edge.source], edge, carried)))
        out.setdefault(edge.source, []).append((edge.key, _end(nodes[edge.target], edge, carried)))
    found = []
    for key in order or nodes:
        mark = overlay.nodes.get(key, NodeMark()) if overlay else None
        found.append(_row(nodes[key], nodes, into.get(key, []), out.get(key, []), mark))
    return found


def table_html(
    graph: Graph,
    *,
    overlay: Overlay | None = None,
    order: Sequence[str] = (),
    href: Callable[[Node], str | None] | None = None,
    caption: str = "",
) -> str:
    """The rows as an HTML table whose first cells are the rows' headings, linked where `href` has an address."""
    nodes = {node.id: node for node in graph.nodes}
    heads = ["Name", "Kind", "Comes from", "Leads to", *(["Status", "Times"] if overlay else []), "Notes"]
    head = "".join(f'<th scope="col">{words}</th>' for words in heads)
    body = []
    for row in rows(graph, overlay=overlay, order=order):
        link = href(nodes[row.id]) if href else None
        name = f'<a href="{clean(link)}">{clean(row.name)}</a>' if link else clean(row.name)
        cells = {"kind": clean(row.kind), "from": _ways(row.ways_in, row.comes_from)}
        cells["to"] = _ways(row.ways_out, row.leads_to)
        cells |= {"status": clean(row.status), "times": str(row.times or "")} if overlay else {}
        cells["notes"] = clean(" ".join(row.notes))
        told = "".join(f'<td data-cell="{key}">{cell}</td>' for key, cell in cells.items())
        body.append(f'<tr data-row="{clean(row.id)}"><th scope="row">{name}</th>{told}</tr>')
    title = f"<caption>{clean(caption)}</caption>" if caption else ""
    return f'<table class="graph-table">{title}<thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _ways(keys: tuple[str, ...], ends: tuple[str, ...]) -> str:
    """The ends of edges, with their counts where live pages find them."""
    if not keys:
        return clean(", ".join(ends))
    told = []
    for key, end in zip(keys, ends, strict=True):
        name, bracket, times = end.partition(" (")
        told.append(f'{clean(name)}<span data-way="{clean(key)}">{clean(bracket + times)}</span>')
    return ", ".join(told)


def _row(
    node: Node,
    nodes: dict[str, Node],
    into: Sequence[tuple[str, str]],
    out: Sequence[tuple[str, str]],
    mark: NodeMark | None,
) -> Row:
    notes = [trait.note for trait in node.traits] + list(node.warnings)
    if node.inside in nodes:
        notes.insert(0, f"Part of {nodes[node.inside].name}.")
    if mark is not None and mark.note and mark.status != "idle":
        notes.append(f"{mark.note[0].upper()}{mark.note[1:]}.")
    if mark is not None and mark.cells:
        notes.append(f"{mark.line}.")
    return Row(
        node.id,
        node.name,
        _KINDS[node.kind],
        tuple(words for _, words in into) or ((_START,) if node.role == "start" else ()),
        tuple(words for _, words in out) or ((_STOP,) if node.role == "stop" else ()),
        STATUS_WORDS[mark.status] if mark is not None else "",
        mark.count if mark is not None else 0,
        tuple(notes),
        tuple(key for key, _ in into),
        tuple(key for key, _ in out),
    )


def _end(node: Node, edge: Edge, mark: EdgeMark | None) -> str:
    """The node at the other end of an edge, the event the edge stands for, and how many it carried."""
    words = f"{node.name} by {edge.label}" if edge.label else node.name
    return words + (f" ({mark.count} times)" if mark is not None and mark.count > 1 else "")
