"""Replay: what changed at every entry adds up to what an overlay of that entry would have shown."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from treadle.visualizer.compact import compacted
from treadle.visualizer.export import Look, Recording, exported
from treadle.visualizer.graph import Graph
from treadle.visualizer.overlay import EdgeMark, NodeMark, Overlay, overlay_of
from treadle.visualizer.replay import replay_json
from treadle.visualizer.status import STATUSES

from .samples import APPROVAL, RAG


@dataclass(frozen=True, slots=True)
class Moment:
    at: float
    status: str
    counts: dict[str, Any]
    kind: str
    step: str | None
    event: str | None = None


def walked(graph: Graph, *, entries: int, seed: int = 1, end: str = "failed") -> list[Moment]:
    """A made-up run: steps start, finish, fail and send whatever the graph lets them."""
    lots = random.Random(seed)
    steps = [node.name for node in graph.nodes if node.kind == "step"]
    out = {name: [e.target[6:] for e in graph.edges if e.source == f"step:{name}"] for name in steps}
    into = {name: [e.source[6:] for e in graph.edges if e.target == f"step:{name}"] for name in steps}
    counts: dict[str, Any] = {"steps": {}, "events": {}, "edges": {}, "joins": {}, "prompts": 0}
    moments = []
    for at in range(entries):
        name, taken = (step := lots.choice(steps)), lots.choice(into[step])
        ran = counts["steps"].setdefault(name, dict.fromkeys(("started", "running", "done", "failed", "waiting"), 0))
        kind = lots.choice(("step_started", "step_finished", "step_failed"))
        sent = lots.choice(out[name])
        if kind == "step_started":
            ran["started"] += 1
            ran["running"] += 1
            key = f"event:{taken}>step:{name}"
        else:
            ran["running"] = max(0, ran["running"] - 1)
            ran["done" if kind == "step_finished" else "failed"] += 1
            counts["events"][sent] = counts["events"].get(sent, 0) + 1
            key = f"step:{name}>event:{sent}"
        counts["edges"][key] = counts["edges"].get(key, 0) + 1
        status = end if at == entries - 1 else lots.choice(("running", "waiting"))
        moments.append(Moment(at / 10, status, json.loads(json.dumps(counts)), kind, name, sent))
    return moments


def replayed(graph: Graph, text: str) -> Iterator[Overlay]:
    """What a page shows at every entry, from the first on."""
    data = json.loads(text)
    words = data["words"]
    nodes = {node.id: NodeMark(note="not reached") for node in graph.nodes}
    edges = {edge.key: EdgeMark() for edge in graph.edges}
    for _, _, _, _, changed, ways in data["frames"]:
        for at in range(0, len(changed), 6):
            node, status, count, label, lines, note = changed[at : at + 6]
            key = data["nodes"][node][0]
            nodes[key] = NodeMark(STATUSES[status], count, words[label], words[note], words[lines].split("|")[0])
        for at in range(0, len(ways), 4):
            edge, status, count, label = ways[at : at + 4]
            edges[data["edges"][edge]] = EdgeMark(STATUSES[status], count)
            assert words[label] == edges[data["edges"][edge]].label
        yield Overlay("", dict(nodes), dict(edges))


@pytest.mark.parametrize("graph", [RAG, APPROVAL, compacted(RAG)], ids=["rag", "person", "compact"])
@pytest.mark.parametrize("seed", range(5))
def test_every_entry_adds_up_to_its_overlay(graph: Graph, seed: int) -> None:
    whole = RAG if graph is not APPROVAL else APPROVAL
    moments = walked(whole, entries=60, seed=seed)
    last = overlay_of(graph, moments[-1].counts, run_status=moments[-1].status)
    shown = list(replayed(graph, replay_json(graph, last, moments)))
    assert len(shown) == 60
    for moment, overlay in zip(moments, shown, strict=True):
        told = overlay_of(graph, moment.counts, run_status=moment.status, open_prompts=0)
        assert overlay.nodes == told.nodes
        assert overlay.edges == told.edges


def test_last_entry_shows_what_is_drawn() -> None:
    """Even where the drawing knows more than the counts: runs in frames, and an answer that is awaited."""
    moments = walked(APPROVAL, entries=9, end="waiting")
    drawn = overlay_of(APPROVAL, moments[-1].counts, run_status="waiting", open_prompts=1)
    *_, last = replayed(APPROVAL, replay_json(APPROVAL, drawn, moments))
    assert last.nodes == drawn.nodes and last.nodes["person"].status == "waiting"


def test_frame_tells_kind_place_and_time() -> None:
    moments = walked(RAG, entries=3)
    data = json.loads(replay_json(RAG, overlay_of(RAG, {}, run_status="running"), moments))
    ms, kind, about, place, *_ = data["frames"][2]
    assert ms == 200 and data["words"][kind] == moments[2].kind.replace("_", " ")
    assert data["words"][about] == f"{moments[2].step} · {moments[2].event}"
    assert data["nodes"][place][0] == f"step:{moments[2].step}"


def test_ten_thousand_entries_stay_small() -> None:
    moments = walked(RAG, entries=10_000)
    text = replay_json(RAG, overlay_of(RAG, moments[-1].counts, run_status="failed"), moments)
    assert len(text) < 2_000_000


def test_page_of_a_run_has_a_replay_and_others_have_none() -> None:
    moments = walked(RAG, entries=5)
    run = Recording(moments[-1].status, moments[-1].counts, moments=iter(moments))
    page = exported(RAG, "html", run=run).decode()
    assert 'id="replay">{' in page and 'type="range"' in page
    assert 'id="replay"' not in exported(RAG, "html", look=Look()).decode()


def test_replay_cannot_end_its_script() -> None:
    moment = Moment(0.0, "running", {}, "</script><script>alert(1)", "</script>")
    text = replay_json(RAG, overlay_of(RAG, {}, run_status="running"), [moment])
    assert "<" not in text
    assert json.loads(text)["words"][1].startswith("</script>")
