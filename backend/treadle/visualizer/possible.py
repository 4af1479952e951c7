"""Draw every flow a workflow could take, from what its steps declare they accept and emit.

Nothing is run and nothing is guessed: an event that no signature names does not appear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, cast

from treadle.visualizer.graph import PERSON, Edge, Graph, Node, Role, event_id, known_edges, step_id


class StepRecord(Protocol):
    """What the picture needs to know about a step; events are named by class name."""

    @property
    def name(self) -> str: ...
    @property
    def accepts(self) -> Sequence[str]: ...
    @property
    def emits(self) -> Sequence[str]: ...
    @property
    def doc(self) -> str: ...
    @property
    def num_workers(self) -> int | None: ...
    @property
    def line(self) -> int | None: ...


def possible_flows(
    name: str,
    steps: Iterable[StepRecord],
    *,
    events: Mapping[str, tuple[str, str]] | None = None,
    warnings: Iterable[str] = (),
) -> Graph:
    """The graph of all possible flows of the workflow `name`.

    `steps` come in declared order. `events` maps an event's class name to its role (start, stop, input, response or
    plain) and its docstring; an event it does not mention is plain.
    """
    known = dict(events or {})
    records = list(steps)
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for event, (role, _) in known.items():
        if role == "start":
            _add_event(nodes, event, known)
    for record in records:
        for event in record.accepts:
            _add_event(nodes, event, known)
            edges.append(Edge(event_id(event), step_id(record.name)))
        nodes[step_id(record.name)] = Node(
            id=step_id(record.name),
            kind="step",
            name=record.name,
            role="step",
            doc=record.doc or "",
            num_workers=record.num_workers,
            line=record.line,
        )
        for event in record.emits:
            _add_event(nodes, event, known)
            edges.append(Edge(step_id(record.name), event_id(event)))
    edges.extend(_person_edges(nodes))
    return Graph(
        workflow=name,
        nodes=tuple(nodes.values()),
        edges=known_edges(edges, nodes),
        warnings=tuple(warnings),
    )


def _add_event(nodes: dict[str, Node], event: str, known: Mapping[str, tuple[str, str]]) -> None:
    role, doc = known.get(event, ("plain", ""))
    node = Node(id=event_id(event), kind="event", name=event, role=cast(Role, role), doc=doc or "")
    nodes.setdefault(node.id, node)


def _person_edges(nodes: dict[str, Node]) -> list[Edge]:
    """A person stands between what is asked and what is answered; added to `nodes` only when something is asked."""
    asked = [node.id for node in nodes.values() if node.role == "input"]
    answered = [node.id for node in nodes.values() if node.role == "response"]
    if not asked:
        return []
    nodes[PERSON] = Node(
        id=PERSON, kind="person", name="person", role="person", doc="Somebody who answers outside the workflow."
    )
    return [Edge(event, PERSON) for event in asked] + [Edge(PERSON, event) for event in answered]
