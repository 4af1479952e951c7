"""Say what a run did to each node and each edge of a graph: the one place where counts become a status.

Counts are what the journal recorded, loops included; nothing is inferred from names. The SVG, the Cytoscape elements
and the live patches all read what is decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log2
from typing import Any

from treadle.visualizer.facts import Facts, number, table
from treadle.visualizer.graph import PERSON, Edge, Graph, Node, containers, event_id
from treadle.visualizer.instances import crowd, join_lines
from treadle.visualizer.nested import local_id
from treadle.visualizer.status import STATUS_WORDS, STATUSES, Status, status_of_run
from treadle.visualizer.text import times

__all__ = ["STATUSES", "STATUS_WORDS", "EdgeMark", "NodeMark", "Overlay", "Status", "overlay_of", "stroke_width"]


@dataclass(frozen=True, slots=True)
class NodeMark:
    """What happened at a node: `count` times; `label` is the few letters drawn in it, `note` says them in full.

    `line` are words drawn under the name: how far a join is, or how the executions of a group went. `cells` are the
    statuses of those executions. A mark that is `dim` is not part of what one looks at.
    """

    status: Status = "idle"
    count: int = 0
    label: str = ""
    note: str = ""
    line: str = ""
    cells: tuple[Status, ...] = ()
    dim: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The mark as JSON values; what it does not have is left out."""
        more = {"line": self.line, "cells": list(self.cells), "dim": self.dim}
        return {
            "status": self.status, "count": self.count, "label": self.label, "note": self.note,
            **{key: value for key, value in more.items() if value},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class EdgeMark:
    """How many events an edge carried; `trigger` marks the one that brought about what is selected."""

    status: Status = "idle"
    count: int = 0
    trigger: bool = False
    dim: bool = False

    @property
    def label(self) -> str:
        """The few letters drawn on the edge."""
        return times(self.count)

    def to_dict(self) -> dict[str, Any]:
        """The mark as JSON values; what it does not have is left out."""
        more = {"trigger": self.trigger, "dim": self.dim}
        return {
            "status": self.status, "count": self.count, "label": self.label,
            **{key: value for key, value in more.items() if value},
        }  # fmt: skip


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
    graph: Graph,
    counts: Mapping[str, Any] | None,
    *,
    run_status: str,
    open_prompts: int | None = None,
    highlight: str | None = None,
    only: Collection[str] | None = None,
    instances: Mapping[str, Sequence[Status]] | None = None,
    nested: Mapping[str, Mapping[str, Any]] | None = None,
    among: Collection[str] | None = None,
) -> Overlay:
    """The overlay of a run on the graph it was recorded with.

    `counts` is `Run.counts`. `open_prompts` is how many prompts wait for an answer; when it is not known, a run that is
    not over waits for a person if its status says so or more was asked than answered.

    `highlight` is the key of the edge that brought about the selected entry: it is drawn thickest. `only` holds the
    node ids and edge keys that belong to what one looks at, one iteration of a loop for example: the rest is dimmed.
    `instances` are the statuses of a step's executions in the order they began, by step, for steps that are drawn as
    a group; without them the group's cells are sorted by status. `nested` has, by the id of a nested workflow's frame,
    its run's `status` and `counts`. With `among` only these nodes and edges are marked, by id and key.
    """
    facts = Facts(counts, run_status, open_prompts)
    inner = {key: Facts(table(run, "counts"), str(run.get("status", "")), None) for key, run in (nested or {}).items()}
    frames = containers(graph.nodes)
    nodes: dict[str, NodeMark] = {}
    for node in graph.nodes:
        if among is not None and node.id not in among:
            continue
        mine = inner.get(frames[node.id][-1], _NOTHING) if frames[node.id] else facts
        if node.kind == "workflow":
            nodes[node.id] = _workflow_mark(node, graph, facts, inner.get(node.id))
        else:
            nodes[node.id] = _mark(node, graph, mine, frames, (instances or {}).get(node.name))
    edges = {
        edge.key: _edge_mark(edge, facts, inner, frames, nodes)
        for edge in graph.edges
        if among is None or edge.key in among
    }
    if highlight in edges:
        edges[highlight] = replace(edges[highlight], trigger=True)
    if only is not None:
        nodes = {key: mark if key in only else replace(mark, dim=True) for key, mark in nodes.items()}
        edges = {key: mark if key in only else replace(mark, dim=True) for key, mark in edges.items()}
    return Overlay(run_status, nodes, edges)


def stroke_width(count: int) -> float:
    """How thick an edge is that carried `count` events: 1.5 + log2(1 + n), up to 6 pixels."""
    return min(6.0, round(1.5 + log2(1 + max(0, count)), 2))


_NOTHING = Facts({}, "", None)


def _mark(
    node: Node, graph: Graph, facts: Facts, frames: Mapping[str, tuple[str, ...]], begun: Sequence[Status] | None
) -> NodeMark:
    if node.kind == "event":
        count = number(facts.events.get(node.name))
        return NodeMark("done" if count else "idle", count, times(count), _times_note(count, "sent"))
    if node.kind == "person":
        beside = [other for other in graph.nodes if frames[other.id] == frames[node.id]]
        return _person_mark(beside, facts)
    mark = _step_mark(table(facts.steps, node.name), table(facts.joins, node.name), facts)
    if node.instances:
        cells, words = crowd(table(facts.steps, node.name), node.instances, over=facts.over, begun=begun)
        return replace(mark, line=mark.line or words, cells=cells)
    return mark


def _step_mark(step: Mapping[str, Any], join: Mapping[str, Any], facts: Facts) -> NodeMark:
    started, running, done, failed, waiting = (
        number(step.get(key)) for key in ("started", "running", "done", "failed", "waiting")
    )
    count = max(started, done)
    label = times(count)
    note = _times_note(count, "ran")
    if failed:
        note += f"; {failed} failed attempt{'s' if failed > 1 else ''}"
    at_rest = facts.over or facts.status == "interrupted"
    if running and not at_rest:
        more = f"; {running} at work now" if running > 1 or count > 1 else ""
        return NodeMark("running", count, label, note + more, _join_line(join))
    if waiting and not facts.over:
        return NodeMark("waiting", count, _join_label(join) or label, _join_note(join), _join_line(join))
    if failed and (facts.status == "failed" or done == 0):
        return NodeMark("failed", count, label, note)
    if running or (at_rest and started > done + failed):
        words = facts.status.replace("_", " ")
        ended = "was interrupted" if facts.status == "interrupted" else f"ended as {words}"
        return NodeMark("stopped", count, label, f"{note}; at work when the run {ended}")
    if waiting and not done:
        return NodeMark("stopped", count, _join_label(join) or label, _join_note(join), _join_line(join))
    if count or waiting:
        return NodeMark("done", count, label, note)
    return NodeMark(note="not reached")


def _join_label(join: Mapping[str, Any]) -> str:
    need = number(join.get("need"))
    return f"{number(join.get('have'))}/{need}" if need else ""


def _join_line(join: Mapping[str, Any]) -> str:
    return "; ".join(join_lines(join))


def _join_note(join: Mapping[str, Any]) -> str:
    return _join_line(join) or "waits for more events"


def _person_mark(nodes: Sequence[Node], facts: Facts) -> NodeMark:
    asked = sum(number(facts.events.get(node.name)) for node in nodes if node.role == "input")
    answered = sum(number(facts.events.get(node.name)) for node in nodes if node.role == "response")
    prompts = facts.prompts
    waits = prompts > 0 if prompts is not None else facts.status == "waiting" or asked > answered
    if waits and not facts.over:
        return NodeMark("waiting", answered, times(answered), "an answer is awaited")
    if answered:
        return NodeMark("done", answered, times(answered), _times_note(answered, "answered"))
    if asked:
        return NodeMark("stopped", 0, "", "asked, never answered")
    return NodeMark(note="not reached")


def _workflow_mark(node: Node, graph: Graph, facts: Facts, run: Facts | None) -> NodeMark:
    """The runs of a nested workflow, as far as they are recorded, and how the one that is shown went."""
    askers = {edge.source for edge in graph.edges if edge.target == node.id}
    names = {other.name for other in graph.nodes if other.id in askers}
    runs = [child for child in facts.children if child.get("step") in names and child.get("workflow") == node.name]
    told = run.status if run is not None else str(runs[-1].get("status", "")) if runs else ""
    if not told:
        return NodeMark(note="not reached")
    count = max(1, len(runs))
    note = f"{_times_note(count, 'ran')}; {told.replace('_', ' ')}"
    return NodeMark(status_of_run(told, within=facts.status), count, times(count), note)


def _edge_mark(
    edge: Edge,
    facts: Facts,
    inner: Mapping[str, Facts],
    frames: Mapping[str, tuple[str, ...]],
    nodes: Mapping[str, NodeMark],
) -> EdgeMark:
    """Recorded counts. What leads to a nested workflow has carried as many runs as that has.

    An edge that stands for events has carried what its source sent of them and its target took: both are recorded, and
    where an event has several senders and several takers this is the most it can have been.
    """
    around = frames[edge.target]
    mine = inner.get(around[-1], _NOTHING) if around else facts
    if edge.target.partition(":")[0] in ("flow", "run"):
        count = nodes[edge.target].count
    elif edge.via:
        count = sum(
            min(_carried(edge.source, via, mine), _carried(via, edge.target, mine)) for via in edge.via
        )
    else:
        count = _carried(edge.source, edge.target, mine)
    return EdgeMark("done" if count else "idle", count)


def _carried(source: str, target: str, facts: Facts) -> int:
    """What went one way; those to and from a person are no steps' ways, there the event's own count is the record."""
    source, target = local_id(source), local_id(target)
    count = number(facts.carried.get(f"{source}>{target}"))
    if not count and PERSON in (source, target):
        event = source if target == PERSON else target
        count = next((number(n) for name, n in facts.events.items() if event_id(name) == event), 0)
    return count


def _times_note(count: int, verb: str) -> str:
    if not count:
        return "not reached"
    return f"{verb} once" if count == 1 else f"{verb} {count} times"
