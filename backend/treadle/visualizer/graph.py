"""Say what a picture of a workflow contains: nodes, edges and nothing about where they stand.

A graph is plain data that survives JSON: workers publish it, pages read it back. The declared order of nodes and edges
is part of the value, because the layout keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

NodeKind = Literal["event", "step", "person", "workflow"]
Role = Literal["start", "stop", "input", "response", "plain", "step", "person", "workflow"]

PERSON = "person"
KINDS: frozenset[str] = frozenset(get_args(NodeKind))
ROLES: frozenset[str] = frozenset(get_args(Role))


@dataclass(frozen=True, slots=True)
class Node:
    """One box of the picture; `line` is the step's line in its source file, when known.

    A node of kind workflow is a run of another workflow that a step started: only a drawing of a run has them.
    """

    id: str
    kind: NodeKind
    name: str
    role: Role
    doc: str = ""
    num_workers: int | None = None
    line: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The node as JSON values; facts that are not known are left out."""
        out: dict[str, Any] = {"id": self.id, "kind": self.kind, "name": self.name, "role": self.role}
        if self.doc:
            out["doc"] = self.doc
        if self.num_workers is not None:
            out["num_workers"] = self.num_workers
        if self.line is not None:
            out["line"] = self.line
        return out

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Node:
        """Read a node back; an unknown kind or role is drawn as the plainest thing of its sort, never refused."""
        kind = str(data.get("kind", "step"))
        role = str(data.get("role", ""))
        if kind not in KINDS:
            kind = "step"
        if role not in ROLES:
            role = "plain" if kind == "event" else kind
        return cls(
            id=str(data["id"]),
            kind=cast(NodeKind, kind),
            name=str(data.get("name", data["id"])),
            role=cast(Role, role),
            doc=str(data.get("doc") or ""),
            num_workers=data.get("num_workers"),
            line=data.get("line"),
        )


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow: an event wakes a step, or a step sends an event or starts a run of another workflow."""

    source: str
    target: str

    @property
    def key(self) -> str:
        """The name of this edge everywhere: `source>target`."""
        return edge_key(self.source, self.target)

    def to_dict(self) -> dict[str, Any]:
        """The edge as JSON values."""
        return {"source": self.source, "target": self.target}


@dataclass(frozen=True, slots=True)
class Graph:
    """A workflow as nodes and edges, in declared order."""

    workflow: str
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The graph as JSON values, the form kept in `Version.graph`."""
        return {
            "workflow": self.workflow,
            "nodes": [node.to_dict() for node in self.nodes],
            "edges": [edge.to_dict() for edge in self.edges],
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Graph:
        """Read a graph back; doubled nodes, doubled edges and edges to nowhere are dropped."""
        nodes = {str(item["id"]): Node.from_dict(item) for item in data.get("nodes", ())}
        edges = (Edge(str(item["source"]), str(item["target"])) for item in data.get("edges", ()))
        return cls(
            workflow=str(data.get("workflow", "")),
            nodes=tuple(nodes.values()),
            edges=known_edges(edges, nodes),
            warnings=tuple(str(item) for item in data.get("warnings", ())),
        )


def edge_key(source: str, target: str) -> str:
    """The key of the edge between two node ids."""
    return f"{source}>{target}"


def step_id(name: str) -> str:
    """The node id of a step."""
    return f"step:{name}"


def event_id(name: str) -> str:
    """The node id of an event class."""
    return f"event:{name}"


def nested_id(run: str) -> str:
    """The node id of a run, or of several, that a step started."""
    return f"run:{run}"


def known_edges(edges: Iterable[Edge], nodes: Mapping[str, Node]) -> tuple[Edge, ...]:
    """Each edge once, in order, and only when both its ends exist."""
    kept: dict[str, Edge] = {}
    for edge in edges:
        if edge.source in nodes and edge.target in nodes:
            kept.setdefault(edge.key, edge)
    return tuple(kept.values())
