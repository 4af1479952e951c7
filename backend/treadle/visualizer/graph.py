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
TraitKind = Literal["collects", "resource", "retry", "once", "catches"]

PERSON = "person"
KINDS: frozenset[str] = frozenset(get_args(NodeKind))
ROLES: frozenset[str] = frozenset(get_args(Role))
TRAITS: frozenset[str] = frozenset(get_args(TraitKind))


@dataclass(frozen=True, slots=True)
class Trait:
    """Something about a step that is told in passing: `text` is drawn, `note` says it in full."""

    kind: TraitKind
    text: str
    note: str = ""

    def to_dict(self) -> dict[str, str]:
        """The trait as JSON values."""
        return {"kind": self.kind, "text": self.text, "note": self.note}


@dataclass(frozen=True, slots=True)
class Node:
    """One box of the picture; `line` is the step's line in its source file, when known.

    A node of kind workflow is another workflow that a step starts. Nodes that are `inside` it, by its id, are its own
    steps and events, and it is drawn as a frame around them. `warnings` are sentences about what is probably not meant.
    `instances` > 0 makes the node a group of so many executions at a time; `notes` are lines that room is kept for.
    """

    id: str
    kind: NodeKind
    name: str
    role: Role
    doc: str = ""
    num_workers: int | None = None
    line: int | None = None
    inside: str | None = None
    traits: tuple[Trait, ...] = ()
    warnings: tuple[str, ...] = ()
    instances: int = 0
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The node as JSON values; facts that are not known are left out."""
        facts = {
            "doc": self.doc,
            "num_workers": self.num_workers,
            "line": self.line,
            "inside": self.inside,
            "traits": [trait.to_dict() for trait in self.traits],
            "warnings": list(self.warnings),
            "instances": self.instances,
            "notes": list(self.notes),
        }
        known = {key: value for key, value in facts.items() if value or (value == 0 and key in ("num_workers", "line"))}
        return {"id": self.id, "kind": self.kind, "name": self.name, "role": self.role, **known}

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
            inside=data.get("inside"),
            traits=tuple(
                Trait(item["kind"], str(item.get("text", "")), str(item.get("note", "")))
                for item in data.get("traits", ())
                if item.get("kind") in TRAITS
            ),
            warnings=tuple(str(item) for item in data.get("warnings", ())),
            instances=int(data.get("instances") or 0),
            notes=tuple(str(item) for item in data.get("notes", ())),
        )


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow: an event wakes a step, or a step sends an event or starts a run of another workflow.

    In a compact graph an arrow leads from step to step and stands for events: `via` are their ids, `label` is a name.
    """

    source: str
    target: str
    via: tuple[str, ...] = ()
    label: str = ""

    @property
    def key(self) -> str:
        """The name of this edge everywhere: `source>target`, or `source>via>target`."""
        events = ("+".join(self.via),) if self.via else ()
        return ">".join((self.source, *events, self.target))

    def to_dict(self) -> dict[str, Any]:
        """The edge as JSON values."""
        ends = {"source": self.source, "target": self.target}
        return {**ends, "via": list(self.via), "label": self.label} if self.via else ends


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
        edges = (
            Edge(
                str(item["source"]),
                str(item["target"]),
                tuple(str(event) for event in item.get("via", ())),
                str(item.get("label", "")),
            )
            for item in data.get("edges", ())
        )
        return cls(
            workflow=str(data.get("workflow", "")),
            nodes=tuple(nodes.values()),
            edges=known_edges(edges, nodes),
            warnings=tuple(str(item) for item in data.get("warnings", ())),
        )


def edge_key(source: str, target: str) -> str:
    """The key of the edge between two node ids."""
    return f"{source}>{target}"


def step_id(name: str, path: str = "") -> str:
    """The node id of a step; `path` leads to the workflow it belongs to, if that is nested."""
    return f"step:{path}{name}"


def event_id(name: str, path: str = "") -> str:
    """The node id of an event class."""
    return f"event:{path}{name}"


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


def containers(nodes: Iterable[Node]) -> dict[str, tuple[str, ...]]:
    """The frames each node stands in, the outermost first; a frame that is unknown or holds itself counts for none."""
    inside = {node.id: node.inside for node in nodes}
    found: dict[str, tuple[str, ...]] = {}
    for node, frame in inside.items():
        way: list[str] = []
        at = frame
        while at is not None and at in inside:
            if at in way or at == node:
                way = []
                break
            way.append(at)
            at = inside[at]
        found[node] = tuple(reversed(way))
    return found


def is_failure(node: Node) -> bool:
    """Whether a node is the event of a step that failed."""
    return node.kind == "event" and node.name == "StepFailedEvent"


def is_quiet(edge: Edge, nodes: Mapping[str, Node]) -> bool:
    """Whether an edge is only taken when a step fails."""
    return is_failure(nodes[edge.source]) or is_failure(nodes[edge.target]) or edge.label == "StepFailedEvent"


def is_aside(edge: Edge, nodes: Mapping[str, Node]) -> bool:
    """Whether an edge leads off the way a reader follows: after a failure and back, or into another workflow."""
    caught = any(trait.kind == "catches" for trait in nodes[edge.source].traits)
    return caught or nodes[edge.target].kind == "workflow" or is_quiet(edge, nodes)
