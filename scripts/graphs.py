"""The graphs that docs/pictures/graphs shows: workflows as the studio knows them, and runs of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    Resource,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    Workflow,
    catch_error,
    step,
)
from treadle.visualizer.compact import shown
from treadle.visualizer.geometry import Direction
from treadle.visualizer.graph import Edge, Graph, Node, known_edges
from treadle.visualizer.instances import fitted
from treadle.visualizer.layout import layout
from treadle.visualizer.overlay import Overlay, overlay_of
from treadle.visualizer.possible import flows_of
from treadle.visualizer.recent import recent_execution
from treadle.visualizer.svg import to_svg
from treadle.visualizer.theme import FileTheme

Counts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """One picture: what it shows and how; `scale` is how many pixels of the file a pixel of the drawing gets."""

    name: str
    graph: Graph
    overlay: Overlay | None = None
    direction: Direction = "TB"
    caption: str = ""
    legend: bool = False
    scale: float = 2.0

    def svg(self, theme: FileTheme) -> str:
        """The picture in one theme."""
        return to_svg(
            self.graph,
            layout(self.graph, direction=self.direction),
            overlay=self.overlay,
            theme=theme,
            title=self.graph.workflow,
            legend=self.legend,
            caption=self.caption,
        )


class JudgeEvent(Event):
    pass


class BadQueryEvent(Event):
    pass


class NaiveRAGEvent(Event):
    pass


class HighTopKEvent(Event):
    pass


class RerankEvent(Event):
    pass


class ResponseEvent(Event):
    pass


Routed = BadQueryEvent | NaiveRAGEvent | HighTopKEvent | RerankEvent


class MultiStrategyRAG(Workflow):
    """The seed's: a query is judged, improved if it is bad, answered in three ways, and the best answer wins."""

    @step
    async def judge_query(self, ev: StartEvent | JudgeEvent) -> Routed:
        raise NotImplementedError

    @step
    async def improve_query(self, ev: BadQueryEvent) -> JudgeEvent:
        raise NotImplementedError

    @step
    async def naive_rag(self, ev: NaiveRAGEvent) -> ResponseEvent:
        raise NotImplementedError

    @step
    async def high_top_k(self, ev: HighTopKEvent) -> ResponseEvent:
        raise NotImplementedError

    @step
    async def rerank(self, ev: RerankEvent) -> ResponseEvent:
        raise NotImplementedError

    @step
    async def judge_response(self, ctx: Context, ev: ResponseEvent) -> StopEvent | None:
        ready = ctx.collect_events(ev, [ResponseEvent] * 3)
        return StopEvent(result=ready[0]) if ready else None


class WorkEvent(Event):
    pass


class DoneEvent(Event):
    pass


class FanOut(Workflow):
    @step
    async def split(self, ev: StartEvent) -> WorkEvent:
        raise NotImplementedError

    @step
    async def work(self, ev: WorkEvent) -> DoneEvent:
        raise NotImplementedError

    @step
    async def join(self, ctx: Context, ev: DoneEvent) -> StopEvent | None:
        ready = ctx.collect_events(ev, [DoneEvent] * 40)
        return StopEvent(result=len(ready)) if ready else None


class CountEvent(Event):
    pass


class Counter(Workflow):
    @step
    async def count(self, ev: StartEvent | CountEvent) -> CountEvent | StopEvent:
        raise NotImplementedError


def make_llm() -> str:
    return ""


class DraftEvent(Event):
    pass


class CritiqueEvent(Event):
    pass


class Reflection(Workflow):
    @step
    async def critique(self, ev: StartEvent | DraftEvent) -> CritiqueEvent | StopEvent:
        raise NotImplementedError

    @step
    async def rewrite(self, ev: CritiqueEvent, llm: Annotated[str, Resource(make_llm)]) -> DraftEvent:
        raise NotImplementedError


class PlanEvent(Event):
    pass


class AnswerEvent(Event):
    pass


class Assistant(Workflow):
    """Nested: the answer is reflected upon by another workflow before it is sent."""

    @step
    async def plan(self, ev: StartEvent, llm: Annotated[str, Resource(make_llm)]) -> PlanEvent:
        raise NotImplementedError

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=3, delay=2))
    async def answer(self, ev: PlanEvent, reflection: Workflow = Reflection()) -> AnswerEvent:  # noqa: B008 - a slot
        raise NotImplementedError

    @step(at_most_once=True)
    async def send(self, ev: AnswerEvent) -> StopEvent:
        raise NotImplementedError

    @catch_error(for_steps=["answer"])
    async def excuse(self, ev: StepFailedEvent) -> AnswerEvent:
        raise NotImplementedError


class RejectedEvent(Event):
    pass


class Approval(Workflow):
    """A person between two steps, and a loop until that person is content."""

    @step
    async def draft(self, ev: StartEvent | RejectedEvent) -> DraftEvent:
        raise NotImplementedError

    @step
    async def ask(self, ev: DraftEvent) -> InputRequiredEvent:
        raise NotImplementedError

    @step
    async def decide(self, ev: HumanResponseEvent) -> RejectedEvent | StopEvent:
        raise NotImplementedError


class LostEvent(Event):
    pass


class NeverEvent(Event):
    pass


class Odd(Workflow):
    """What may be wrong: an event nobody takes, a step nothing reaches, a step from which no way leads on."""

    @step
    async def begin(self, ev: StartEvent) -> PlanEvent | LostEvent | StopEvent:
        raise NotImplementedError

    @step
    async def wander(self, ev: PlanEvent) -> DraftEvent:
        raise NotImplementedError

    @step
    async def circle(self, ev: DraftEvent) -> PlanEvent:
        raise NotImplementedError

    @step
    async def never(self, ev: NeverEvent) -> StopEvent:
        raise NotImplementedError


def subjects() -> Iterator[Subject]:
    """Everything that is pictured."""
    rag = flows_of("MultiStrategyRAG", MultiStrategyRAG().table)
    yield Subject("rag", rag, legend=True)
    yield Subject("rag-lr", rag, direction="LR", scale=1.5)
    yield Subject("rag-compact", shown(rag, compact=True))
    yield Subject("rag-compact-lr", shown(rag, compact=True), direction="LR", scale=1.5)
    yield _run("rag-run", rag, _rag_counts())
    compact = shown(rag, compact=True)
    yield _run("rag-run-compact", compact, _rag_counts())
    chain = _chain()
    yield Subject("chain", chain, scale=1.0)
    yield Subject("chain-compact", shown(chain, compact=True), scale=1.0)
    yield Subject("chain-lr", chain, direction="LR", scale=1.0)
    counts = _fan_out_counts()
    crowd = fitted(flows_of("FanOut", FanOut().table), counts)
    begun = {"work": ["done"] * 7 + ["failed"] + ["done"] * 15 + ["failed"] + ["done"] * 12 + ["running"] * 4}
    overlay = overlay_of(crowd, counts, run_status="running", instances=begun)  # type: ignore[arg-type]
    yield Subject("fan-out", crowd, overlay, legend=True)
    counter = flows_of("Counter", Counter().table)
    yield Subject("loop", counter)
    yield Subject("self-loop", shown(counter, compact=True))
    nested = flows_of("Assistant", Assistant().table, expand=True)
    yield Subject("nested", nested, legend=True)
    yield Subject("nested-lr", nested, direction="LR", scale=1.5)
    approval = flows_of("Approval", Approval().table)
    yield Subject("person", approval)
    yield _run("person-run", approval, _approval_counts(), status="waiting")
    yield Subject("warnings", flows_of("Odd", Odd().table), legend=True)
    yield Subject("random", _random(300), scale=0.35)
    cause = "step:judge_query>event:RerankEvent"
    executed, marks = recent_execution(rag, _rag_counts(), run_status="running", highlight=cause)
    yield Subject("rag-execution", executed, marks, legend=True)


def _run(name: str, graph: Graph, counts: Counts, *, status: str = "running") -> Subject:
    graph = fitted(graph, counts)
    return Subject(name, graph, overlay_of(graph, counts, run_status=status), legend=True)


def _rag_counts() -> Counts:
    done = {"started": 1, "done": 1}
    return {
        "steps": {
            "judge_query": {"started": 3, "done": 3},
            "improve_query": {"started": 2, "done": 2},
            "naive_rag": done,
            "high_top_k": {"started": 3, "failed": 3},
            "rerank": {"started": 1, "running": 1},
            "judge_response": {"started": 1, "done": 1, "waiting": 1},
        },
        "events": {
            "StartEvent": 1, "BadQueryEvent": 2, "JudgeEvent": 2, "NaiveRAGEvent": 1, "HighTopKEvent": 1,
            "RerankEvent": 1, "ResponseEvent": 1,
        },
        "edges": {
            "event:StartEvent>step:judge_query": 1, "step:judge_query>event:BadQueryEvent": 2,
            "event:BadQueryEvent>step:improve_query": 2, "step:improve_query>event:JudgeEvent": 2,
            "event:JudgeEvent>step:judge_query": 2, "step:judge_query>event:NaiveRAGEvent": 1,
            "step:judge_query>event:HighTopKEvent": 1, "step:judge_query>event:RerankEvent": 1,
            "event:NaiveRAGEvent>step:naive_rag": 1, "event:HighTopKEvent>step:high_top_k": 1,
            "event:RerankEvent>step:rerank": 1, "step:naive_rag>event:ResponseEvent": 1,
            "event:ResponseEvent>step:judge_response": 1,
        },
        "joins": {"judge_response": {"have": 1, "need": 3, "waiting_for": ["ResponseEvent"]}},
    }  # fmt: skip


def _fan_out_counts() -> Counts:
    return {
        "steps": {
            "split": {"started": 1, "done": 1},
            "work": {"started": 40, "done": 34, "failed": 2, "running": 4},
            "join": {"started": 34, "done": 34, "waiting": 1},
        },
        "events": {"StartEvent": 1, "WorkEvent": 40, "DoneEvent": 34},
        "edges": {
            "event:StartEvent>step:split": 1, "step:split>event:WorkEvent": 40, "event:WorkEvent>step:work": 40,
            "step:work>event:DoneEvent": 34, "event:DoneEvent>step:join": 34,
        },
        "joins": {"join": {"have": 34, "need": 40, "waiting_for": ["DoneEvent"]}},
    }  # fmt: skip


def _approval_counts() -> Counts:
    twice = {"started": 2, "done": 2}
    return {
        "steps": {"draft": twice, "ask": twice, "decide": {"started": 1, "done": 1}},
        "events": {"StartEvent": 1, "DraftEvent": 2, "InputRequiredEvent": 2, "HumanResponseEvent": 1,
                   "RejectedEvent": 1},
        "edges": {
            "event:StartEvent>step:draft": 1, "step:draft>event:DraftEvent": 2, "event:DraftEvent>step:ask": 2,
            "step:ask>event:InputRequiredEvent": 2, "event:HumanResponseEvent>step:decide": 1,
            "step:decide>event:RejectedEvent": 1, "event:RejectedEvent>step:draft": 1,
        },
        "prompts": 1,
    }  # fmt: skip


def _chain() -> Graph:
    """Sixty steps in a row, nine of which may go back."""
    back = {7: 3, 15: 9, 23: 17, 29: 19, 41: 35, 47: 47, 53: 45, 57: 41, 59: 55}
    nodes = {"event:StartEvent": Node("event:StartEvent", "event", "StartEvent", "start")}
    edges = []
    for at in range(60):
        taken = f"event:Event{at:02}" if at else "event:StartEvent"
        sent = f"event:Event{at + 1:02}" if at < 59 else "event:StopEvent"
        name = f"step:step_{at:02}"
        nodes[name] = Node(name, "step", f"step_{at:02}", "step")
        nodes[sent] = Node(sent, "event", sent[6:], "plain" if at < 59 else "stop")
        edges += [Edge(taken, name), Edge(name, sent)]
        if at in back:
            edges.append(Edge(name, f"event:Event{back[at]:02}"))
    return Graph("Chain", tuple(nodes.values()), known_edges(edges, nodes))


def _random(count: int) -> Graph:
    """Steps and events in turns, each hung up at one of the last forty, with some more edges any way."""
    lots = random.Random(7)
    kinds = ("event", "step")
    nodes = {
        (name := f"{kinds[at % 2]}:{at}"): Node(name, kinds[at % 2], f"{('Event', 'step_')[at % 2]}{at}",  # type: ignore[arg-type]
                                                ("plain", "step")[at % 2])
        for at in range(count)
    }  # fmt: skip
    names = list(nodes)
    edges = []
    for at in range(1, count):
        first = max(0, at - 40)
        edges.append(Edge(names[lots.choice(range(first + (at + 1 + first) % 2, at, 2))], names[at]))
    for _ in range(count // 6):
        at = lots.randrange(count)
        other = min(count - 1, max(0, at + lots.choice(range(-31, 32, 2))))
        if other % 2 != at % 2:
            edges.append(Edge(names[at], names[other]))
    return Graph("Random", tuple(nodes.values()), known_edges(edges, nodes))
