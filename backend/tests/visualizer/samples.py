"""Graphs that the visualizer's tests draw, and strategies that invent others."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import strategies as st

from treadle.visualizer.graph import Edge, Graph, Node, known_edges
from treadle.visualizer.possible import EventFacts, StepRecord, possible_flows

ROLES: EventFacts = {
    "StartEvent": ("start", "Begins."),
    "StopEvent": ("stop", "Ends."),
    "InputRequiredEvent": ("input", ""),
    "HumanResponseEvent": ("response", ""),
}


def flow(name: str, *steps: tuple[str, str, str]) -> Graph:
    """A graph from (step, accepted events, emitted events), events as words in one string."""
    records = [StepRecord(step, accepts.split(), emits.split()) for step, accepts, emits in steps]
    used = {event for record in records for event in [*record.accepts, *record.emits]}
    return possible_flows(name, records, events={key: value for key, value in ROLES.items() if key in used})


RAG = flow(
    "MultiStrategyRAG",
    ("judge_query", "StartEvent JudgeEvent", "BadQueryEvent NaiveRAGEvent HighTopKEvent RerankEvent"),
    ("improve_query", "BadQueryEvent", "JudgeEvent"),
    ("naive_rag", "NaiveRAGEvent", "ResponseEvent"),
    ("high_top_k", "HighTopKEvent", "ResponseEvent"),
    ("rerank", "RerankEvent", "ResponseEvent"),
    ("judge_response", "ResponseEvent", "StopEvent"),
)
COUNTER = flow("Counter", ("count", "StartEvent CountEvent", "CountEvent StopEvent"))
APPROVAL = flow(
    "Approval",
    ("draft", "StartEvent RejectedEvent", "DraftEvent"),
    ("ask", "DraftEvent", "InputRequiredEvent"),
    ("decide", "HumanResponseEvent", "RejectedEvent StopEvent"),
)
CROSSED = flow(
    "Crossed", ("one", "A", "C D"), ("two", "B", "C D"), ("start", "StartEvent", "A B"), ("end", "C D", "StopEvent")
)
CHAIN = flow("Chain", *((f"step_{at}", f"E{at}" if at else "StartEvent", f"E{at + 1}") for at in range(20)))
ALL = (RAG, COUNTER, APPROVAL, CROSSED, CHAIN)


@st.composite
def graphs(draw: st.DrawFn, *, largest: int = 14) -> Graph:
    """Any graph at all: loops, self-loops, edges both ways, parts that do not touch, names of any length."""
    count = draw(st.integers(0, largest))
    names = st.text(alphabet="abcXYZ_ mWé漢", min_size=1, max_size=30)
    nodes = []
    for at in range(count):
        kind = draw(st.sampled_from(["event", "step"]))
        role = "step" if kind == "step" else draw(st.sampled_from(["start", "stop", "plain", "input"]))
        nodes.append(Node.from_dict({"id": f"{kind}:{at}", "kind": kind, "role": role, "name": draw(names)}))
    edges: list[Edge] = []
    if count:
        ends = st.integers(0, count - 1)
        pairs = draw(st.lists(st.tuples(ends, ends), max_size=2 * count))
        edges = [Edge(nodes[a].id, nodes[b].id) for a, b in pairs]
    return Graph("Any", tuple(nodes), known_edges(edges, {node.id: node for node in nodes}))


@st.composite
def large_graphs(draw: st.DrawFn, *, largest: int = 16) -> Graph:
    """Any graph, made from one number so that a thousand are quick: frames, groups, warnings, words, double edges."""
    lots = random.Random(draw(st.integers(0, 2**32)))
    count = lots.randint(0, largest)
    nodes: list[Node] = []
    for at in range(count):
        kind, role = lots.choice((("step", "step"), ("event", "plain"), ("event", "start"), ("event", "stop")))
        around = f"step:{lots.randrange(at)}" if at and lots.random() < 0.3 else None
        known = any(node.id == around for node in nodes)
        data = {
            "id": f"{kind}:{at}", "kind": kind, "role": role, "name": "Name" * lots.randint(1, 7),
            "inside": around if known or lots.random() < 0.1 else None,
            "instances": lots.choice((0, 0, 0, 0, 0, 40)), "notes": ["1 of 2 collected"] * lots.choice((0, 0, 0, 2)),
            "traits": [{"kind": "retry", "text": "3 retries"}] * lots.choice((0, 0, 1)),
            "warnings": ["Hm."] * lots.choice((0, 0, 0, 1)),
        }  # fmt: skip
        nodes.append(Node.from_dict(data))
    edges: list[Edge] = []
    for _ in range(lots.randint(0, 2 * count)):
        source, target = lots.choice(nodes).id, lots.choice(nodes).id
        event = lots.randrange(4)
        spoken = lots.random() < 0.2
        edges.append(Edge(source, target, (f"event:x{event}",) if spoken else (), "Words" * event if spoken else ""))
    return Graph("Any", tuple(nodes), known_edges(edges, {node.id: node for node in nodes}))


def run_of(*steps: tuple[str, str, str]) -> dict[str, Any]:
    """The counts of a run told as (step, event it took, event it sent); a word may be empty."""
    ran: dict[str, Counter[str]] = {}
    events: Counter[str] = Counter()
    edges: Counter[str] = Counter()
    for step, took, sent in steps:
        if step:
            ran.setdefault(step, Counter()).update(started=1, done=1)
        if took:
            edges[f"event:{took}>step:{step}"] += 1
            events[took] = max(1, events[took])
        if sent:
            events[sent] += 1
        if step and sent:
            edges[f"step:{step}>event:{sent}"] += 1
    return {"steps": ran, "events": events, "edges": edges}
