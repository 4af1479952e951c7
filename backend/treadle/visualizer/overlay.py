"""Say what a run did to each node and each edge of a graph: the one place where counts become a status.

Counts are what the journal recorded, loops included; nothing is inferred from names. The SVG, the Cytoscape elements
and the live patches all read what is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log2
from typing import Any, Literal, get_args

from treadle.visualizer.graph import PERSON, Graph, event_id
from treadle.visualizer.text import times

Status = Literal["done", "running", "waiting", "failed", "stopped", "idle"]

STATUSES: tuple[Status, ...] = get_args(Status)
STATUS_WORDS: Mapping[str, str] = {
    "done": "done",
    "running": "running",
    "waiting": "waiting",
    "failed": "failed",
    "stopped": "stopped before it finished",
    "idle": "not reached",
}
_ENDED = frozenset({"completed", "failed", "cancelled", "timed_out"})


@dataclass(frozen=True, slots=True)
class NodeMark:
    """What happened at a node: `count` times; `label` is the few letters drawn in it, `note` says them in full."""

    status: Status = "idle"
    count: int = 0
    label: str = ""
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The mark as JSON values."""
        return {"status": self.status, "count": self.count, "label": self.label, "note": self.note}


@dataclass(frozen=True, slots=True)
class EdgeMark:
    """How many events an edge carried."""

    status: Status = "idle"
    count: int = 0

    @property
    def label(self) -> str:
        """The few letters drawn on the edge."""
        return times(self.count)

    def to_dict(self) -> dict[str, Any]:
        """The mark as JSON values."""
        return {"status": self.status, "count": self.count, "label": self.label}


@dataclass(frozen=True, slots=True)
class Overlay:
    """The marks of one run, by node id and by edge key."""

    run_status: str
    nodes: Mapping[str, NodeMark] = field(default_factory=dict)
    edges: Mapping[str, EdgeMark] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The overlay as the JSON that live pages patch their graph with."""
        return {
            "run_status": self.run_status,
            "nodes": {key: mark.to_dict() for key, mark in self.nodes.items()},
            "edges": {key: mark.to_dict() for key, mark in self.edges.items()},
        }


def overlay_of(
    graph: Graph, counts: Mapping[str, Any] | None, *, run_status: str, open_prompts: int | None = None
) -> Overlay:
    """The overlay of a run on the graph it was recorded with.

    `counts` is `Run.counts`. `open_prompts` is how many prompts wait for an answer; when it is not known, a run that is
    not over waits for a person if its status says so or more was asked than answered.
    """
    facts = counts or {}
    steps, events = _table(facts, "steps"), _table(facts, "events")
    joins, carried = _table(facts, "joins"), _table(facts, "edges")
    over = run_status in _ENDED
    nodes: dict[str, NodeMark] = {}
    for node in graph.nodes:
        if node.kind == "event":
            count = _number(events.get(node.name))
            nodes[node.id] = NodeMark("done" if count else "idle", count, times(count), _times_note(count, "sent"))
        elif node.kind == "step":
            nodes[node.id] = _step_mark(_table(steps, node.name), _table(joins, node.name), run_status)
    asked, answered = _totals(graph, events)
    if any(node.id == PERSON for node in graph.nodes):
        waits = open_prompts > 0 if open_prompts is not None else run_status == "waiting" or asked > answered
        nodes[PERSON] = _person_mark(asked, answered, waits=waits and not over)
    return Overlay(run_status, nodes, _edge_marks(graph, carried, events))


def stroke_width(count: int) -> float:
    """How thick an edge is that carried `count` events: 1.5 + log2(1 + n), up to 6 pixels."""
    return min(6.0, round(1.5 + log2(1 + max(0, count)), 2))


def _step_mark(step: Mapping[str, Any], join: Mapping[str, Any], run_status: str) -> NodeMark:
    started, running, done, failed, waiting = (
        _number(step.get(key)) for key in ("started", "running", "done", "failed", "waiting")
    )
    over = run_status in _ENDED
    count = max(started, done)
    label = times(count)
    note = _times_note(count, "ran")
    if failed:
        note += f"; {failed} failed attempt{'s' if failed > 1 else ''}"
    if running and not over:
        more = f"; {running} at work now" if running > 1 or count > 1 else ""
        return NodeMark("running", count, label, note + more)
    if waiting and not over:
        return NodeMark("waiting", count, _join_label(join) or label, _join_note(join))
    if failed and (run_status == "failed" or done == 0):
        return NodeMark("failed", count, label, note)
    if running or (over and started > done + failed):
        words = "failed" if run_status == "failed" else run_status.replace("_", " ")
        return NodeMark("stopped", count, label, f"{note}; at work when the run ended as {words}")
    if waiting and not done:
        return NodeMark("stopped", count, _join_label(join) or label, _join_note(join))
    if count or waiting:
        return NodeMark("done", count, label, note)
    return NodeMark(note="not reached")


def _join_label(join: Mapping[str, Any]) -> str:
    need = _number(join.get("need"))
    return f"{_number(join.get('have'))}/{need}" if need else ""


def _join_note(join: Mapping[str, Any]) -> str:
    if not _number(join.get("need")):
        return "waits for more events"
    missing = ", ".join(str(name) for name in join.get("waiting_for") or ())
    note = f"{_number(join.get('have'))} of {_number(join.get('need'))} collected"
    return f"{note}; waiting for {missing}" if missing else note


def _person_mark(asked: int, answered: int, *, waits: bool) -> NodeMark:
    if waits:
        return NodeMark("waiting", answered, times(answered), "an answer is awaited")
    if answered:
        return NodeMark("done", answered, times(answered), _times_note(answered, "answered"))
    if asked:
        return NodeMark("stopped", 0, "", "asked, never answered")
    return NodeMark(note="not reached")


def _edge_marks(graph: Graph, carried: Mapping[str, Any], events: Mapping[str, Any]) -> dict[str, EdgeMark]:
    """Recorded counts; the ways to and from a person are not steps' ways, there the event's own count is the record."""
    by_event = {event_id(name): count for name, count in events.items()}
    marks: dict[str, EdgeMark] = {}
    for edge in graph.edges:
        count = _number(carried.get(edge.key))
        if not count and PERSON in (edge.source, edge.target):
            count = _number(by_event.get(edge.source if edge.target == PERSON else edge.target))
        marks[edge.key] = EdgeMark("done" if count else "idle", count)
    return marks


def _totals(graph: Graph, events: Mapping[str, Any]) -> tuple[int, int]:
    asked = sum(_number(events.get(node.name)) for node in graph.nodes if node.role == "input")
    answered = sum(_number(events.get(node.name)) for node in graph.nodes if node.role == "response")
    return asked, answered


def _times_note(count: int, verb: str) -> str:
    if not count:
        return "not reached"
    return f"{verb} once" if count == 1 else f"{verb} {count} times"


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
