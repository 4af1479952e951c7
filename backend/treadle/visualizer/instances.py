"""Draw many executions of one step at a time as one group: a grid of their statuses and how many there are of each.

Whether a step ran many times side by side or many times in turn is told from what was recorded: side by side when a
step sent it more events than that step ran.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from treadle.visualizer.facts import Facts, number, table
from treadle.visualizer.graph import Graph, Node, event_id, step_id
from treadle.visualizer.sizes import MOST_CELLS
from treadle.visualizer.status import Status

MOST_SINGLE = 8
"""Executions side by side that are told by a number alone."""

_WORDS: Mapping[Status, str] = {
    "done": "done",
    "failed": "failed",
    "stopped": "stopped",
    "running": "running",
    "waiting": "waiting",
    "idle": "not begun",
}


def fitted(graph: Graph, counts: Mapping[str, Any] | None) -> Graph:
    """The graph with room for what this run did: groups for steps that ran side by side, lines for joins under way.

    A layout made of it fits this run at this moment and no other; `counts` is `Run.counts`.
    """
    facts = Facts(counts, "", None)
    kinds = {node.id: node for node in graph.nodes}
    takes: dict[str, list[str]] = {}
    for edge in graph.edges:
        if kinds[edge.source].kind == "event":
            takes.setdefault(edge.target, []).append(kinds[edge.source].name)
    own = [node.kind == "step" and not node.inside for node in graph.nodes]
    nodes = (
        _fitted(node, takes.get(node.id, []), facts) if mine else node
        for node, mine in zip(graph.nodes, own, strict=True)
    )
    return replace(graph, nodes=tuple(nodes))


def join_lines(join: Mapping[str, Any]) -> tuple[str, ...]:
    """How far a join is: what it has, and what it waits for."""
    need = number(join.get("need"))
    if not need:
        return ()
    missing = ", ".join(str(name) for name in join.get("waiting_for") or ())
    collected = f"{number(join.get('have'))} of {need} collected"
    return (collected, f"waiting for {missing}") if missing else (collected,)


def crowd(
    step: Mapping[str, Any], most: int, *, over: bool, begun: Sequence[Status] | None = None
) -> tuple[tuple[Status, ...], str]:
    """The cells of a group of `most` executions, and how many of them are in each status, in words.

    `begun` are their statuses one by one, as far as they have begun. One cell stands for several when there are too
    many; every status that occurs then still has one.
    """
    cells: tuple[Status, ...]
    if begun is not None:
        rest: tuple[Status, ...] = ("idle",)
        cells = (*begun, *rest * (most - len(begun)))
        counted = Counter(cells)
    else:
        counted = _counted(step, most, over=over)
        cells = tuple(status for status in _WORDS for _ in range(counted[status]))
    words = " · ".join(f"{counted[status]} {word}" for status, word in _WORDS.items() if counted[status])
    return (_sampled(counted, len(cells)) if len(cells) > MOST_CELLS else cells), words


def _counted(step: Mapping[str, Any], most: int, *, over: bool) -> Counter[Status]:
    counted: Counter[Status] = Counter({"done": number(step.get("done"))})
    if not over:
        counted.update({"running": number(step.get("running")), "waiting": number(step.get("waiting"))})
    rest = max(0, most - counted.total())
    counted["failed"] = min(number(step.get("failed")), rest)  # attempts: a retried one is done by now
    rest -= counted["failed"]
    if over:
        begun = number(step.get("started")) - number(step.get("done")) - number(step.get("failed"))
        counted["stopped"] = min(rest, max(0, begun))
    counted["idle"] = rest - counted["stopped"]
    return counted


def _fitted(node: Node, takes: Sequence[str], facts: Facts) -> Node:
    step = table(facts.steps, node.name)
    notes = join_lines(table(facts.joins, node.name))
    many = _side_by_side(step, takes, facts)
    if notes:  # they tell more than that the step collects
        node = replace(node, notes=notes, traits=tuple(trait for trait in node.traits if trait.kind != "collects"))
    if many > MOST_SINGLE:
        return replace(node, instances=many, notes=notes or (crowd(step, many, over=False)[1],))
    return node


def _side_by_side(step: Mapping[str, Any], takes: Sequence[str], facts: Facts) -> int:
    """How many executions a step had or will have, if a step sent it many more events than that ran; else 0."""
    wide = 0
    for event in takes:
        for sender, ran in facts.steps.items():
            sent = number(facts.carried.get(f"{step_id(sender)}>{event_id(event)}"))
            if sent > MOST_SINGLE * max(1, number(ran.get("started")) if isinstance(ran, Mapping) else 0):
                wide += number(facts.events.get(event))
                break
    return max(wide, number(step.get("started")) - number(step.get("failed"))) if wide else 0


def _sampled(counted: Mapping[Status, int], total: int) -> tuple[Status, ...]:
    share = {status: max(1, counted[status] * MOST_CELLS // total) for status in _WORDS if counted[status]}
    largest = max(share, key=lambda status: share[status])
    share[largest] += MOST_CELLS - sum(share.values())
    return tuple(status for status in _WORDS for _ in range(share.get(status, 0)))
