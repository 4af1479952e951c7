"""Draw every flow a workflow could take, from what its steps declare they accept and emit.

Nothing is run and nothing is guessed: an event that no signature names does not appear.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from treadle.engine.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StepFailedEvent, StopEvent
from treadle.engine.steps import StepSpec
from treadle.engine.table import StepTable
from treadle.engine.validation import findings
from treadle.visualizer.graph import PERSON, Edge, Graph, Node, Role, Trait, event_id, known_edges, step_id
from treadle.visualizer.nested import expanded
from treadle.visualizer.traits import traits_of

EventFacts = Mapping[str, tuple[Role, str]]
"""The role and the docstring of events, by class name."""

_OPEN_ENDS = frozenset({"start", "stop", "input", "response"})


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What the picture needs to know about a step; events are named by class name."""

    name: str
    accepts: Sequence[str]
    emits: Sequence[str]
    doc: str = ""
    num_workers: int | None = None
    line: int | None = None
    traits: tuple[Trait, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def flows_of(name: str, table: StepTable, *, expand: bool = False) -> Graph:
    """The graph of all possible flows of the workflow `name`, with the warnings about them.

    A step that another one catches for sends a StepFailedEvent. With `expand` the nested workflows that fill the slots
    of steps are drawn as well, each in a frame of its own, to any depth.
    """
    caught = table.routes.catchers
    found = findings(table)
    steps: list[StepRecord] = []
    events: dict[str, tuple[Role, str]] = {}
    for step in table.steps.values():
        signature = step.spec.signature
        emits = signature.emits
        if step.name in caught:
            emits = (*emits, StepFailedEvent)
        events.update(event_facts((*signature.accepts, *emits)))
        steps.append(
            StepRecord(
                step.name,
                tuple(kind.__name__ for kind in signature.accepts),
                tuple(kind.__name__ for kind in emits),
                doc_of(step.spec.function),
                step.spec.num_workers,
                _line(step.spec),
                traits_of(step.spec),
                tuple(finding.text for finding in found if finding.step == step.name),
            )
        )
    graph = possible_flows(name, steps, events=events, warnings=(finding.text for finding in found))
    return expanded(graph, table, lambda child: flows_of(child.workflow_name, child.table)) if expand else graph


def possible_flows(
    name: str,
    steps: Iterable[StepRecord],
    *,
    events: EventFacts | None = None,
    warnings: Iterable[str] = (),
) -> Graph:
    """The graph of all possible flows of the workflow `name`.

    `steps` come in declared order. An event that `events` does not mention is plain.
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
            traits=record.traits,
            warnings=record.warnings,
        )
        for event in record.emits:
            _add_event(nodes, event, known)
            edges.append(Edge(step_id(record.name), event_id(event)))
    loose = _loose_ends(nodes, edges)
    nodes.update(loose)
    edges.extend(person_edges(nodes))
    return Graph(
        workflow=name,
        nodes=tuple(nodes.values()),
        edges=known_edges(edges, nodes),
        warnings=(*warnings, *(text for node in loose.values() for text in node.warnings)),
    )


def event_facts(kinds: Iterable[type[Event]]) -> dict[str, tuple[Role, str]]:
    """The role and the docstring of event classes, by name; Treadle's own need no explanation."""
    return {
        kind.__name__: (event_role(kind), "" if kind.__module__.startswith("treadle.") else doc_of(kind))
        for kind in kinds
    }


def event_role(kind: type[Event]) -> Role:
    """The part an event class plays in a graph."""
    bases: tuple[tuple[type[Event], Role], ...] = (
        (StartEvent, "start"),
        (StopEvent, "stop"),
        (InputRequiredEvent, "input"),
        (HumanResponseEvent, "response"),
    )
    return next((role for base, role in bases if issubclass(kind, base)), "plain")


def person_edges(nodes: dict[str, Node]) -> list[Edge]:
    """A person stands between what is asked and what is answered; added to `nodes` only when something is asked."""
    asked = [node.id for node in nodes.values() if node.role == "input"]
    answered = [node.id for node in nodes.values() if node.role == "response"]
    if not asked:
        return []
    nodes[PERSON] = Node(
        id=PERSON, kind="person", name="person", role="person", doc="Somebody who answers outside the workflow."
    )
    return [Edge(event, PERSON) for event in asked] + [Edge(PERSON, event) for event in answered]


def doc_of(thing: object) -> str:
    """The docstring somebody wrote for `thing` itself, not one it inherits."""
    doc = thing.__dict__.get("__doc__") if isinstance(thing, type) else getattr(thing, "__doc__", None)
    return inspect.cleandoc(doc) if doc else ""


def _add_event(nodes: dict[str, Node], event: str, known: EventFacts) -> None:
    role, doc = known.get(event, ("plain", ""))
    node = Node(id=event_id(event), kind="event", name=event, role=role, doc=doc or "")
    nodes.setdefault(node.id, node)


def _loose_ends(nodes: Mapping[str, Node], edges: Iterable[Edge]) -> dict[str, Node]:
    """Events between steps that nobody takes or nobody sends, with a sentence about it."""
    pairs = [(edge.source, edge.target) for edge in edges]
    taken, sent = {source for source, _ in pairs}, {target for _, target in pairs}
    found: dict[str, Node] = {}
    for node in nodes.values():
        if node.kind != "event" or node.role in _OPEN_ENDS or node.name == StepFailedEvent.__name__:
            continue
        if node.id not in taken:
            text = f"No step takes {node.name}: let one accept it, or send another event."
        elif node.id not in sent:
            text = f"No step sends {node.name}: let one return it, or remove the step that waits for it."
        else:
            continue
        found[node.id] = replace(node, warnings=(text,))
    return found


def _line(spec: StepSpec) -> int | None:
    try:
        return inspect.getsourcelines(spec.function)[1]
    except OSError:
        return None
