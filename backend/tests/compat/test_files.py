"""Workflow files as people wrote them for LlamaIndex load as they are, and their graphs are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from treadle import HumanResponseEvent
from treadle.registry.loader import LoadedWorkflow, LoadFailure, load_paths
from treadle.visualizer.possible import flows_of

TUTORIAL = """
from llama_index.core.workflow import (
    Context,
    Event,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)
from llama_index.core.workflow.retry_policy import ConstantDelayRetryPolicy
from llama_index.utils.workflow import draw_all_possible_flows


class FirstEvent(Event):
    first_output: str


class MyWorkflow(Workflow):
    @step
    async def step_one(self, ctx: Context, ev: StartEvent) -> FirstEvent:
        return FirstEvent(first_output=ev.first_input)

    @step(retry_policy=ConstantDelayRetryPolicy(delay=5, maximum_attempts=10))
    async def step_two(self, ev: FirstEvent) -> StopEvent:
        return StopEvent(result=ev.first_output)


async def main():
    w = MyWorkflow(timeout=10, verbose=False)
    print(await w.run(first_input="Start the workflow."))


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
    draw_all_possible_flows(MyWorkflow, filename="basic_workflow.html")
"""

TODAY = """
from __future__ import annotations

import asyncio
from typing import Annotated

from workflows import Context, Workflow, step
from workflows.errors import WorkflowRuntimeError
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from workflows.resource import Resource


class Topic(StartEvent):
    topic: str


class Joke(Event):
    text: str


def get_words() -> list[str]:
    return ["arr"]


class JokeFlow(Workflow):
    @step
    async def tell(self, ev: Topic, words: Annotated[list, Resource(get_words)]) -> Joke:
        return Joke(text=" ".join([ev.topic, *words]))

    @step(num_workers=2)
    async def ask(self, ctx: Context, ev: Joke) -> InputRequiredEvent:
        from workflows.events import InputRequiredEvent as Asked

        return Asked(prefix=f"Is it funny? {ev.text}")

    @step
    async def judge(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=ev.response)
"""

QUALIFIED = """
import llama_index.core.workflow as lw
from workflows import events as ev, workflow


class Flow(workflow.Workflow):
    @lw.step()
    def only(self, event: ev.StartEvent) -> lw.StopEvent:
        return lw.StopEvent(result=event.get("topic"))
"""

STARRED = """
from llama_index.core.workflow import *


class Flow(Workflow):
    @step
    async def only(self, ev: "StartEvent") -> "StopEvent":
        return StopEvent(result=1)
"""

DEPLOYED = """
from llama_deploy import (
    deploy_workflow,
    WorkflowServiceConfig,
    ControlPlaneConfig,
)
from llama_index.core.workflow import Workflow, StartEvent, StopEvent, step


class InnerWorkflow(Workflow):
    @step()
    async def run_step(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=str(ev.get("arg1")) + "_result")


class OuterWorkflow(Workflow):
    @step()
    async def run_step(
        self, ev: StartEvent, inner: InnerWorkflow
    ) -> StopEvent:
        arg1 = await inner.run(arg1=ev.get("arg1"))
        return StopEvent(result=str(arg1) + "_result")


inner = InnerWorkflow()
outer = OuterWorkflow()
outer.add_workflows(inner=InnerWorkflow())


async def main():
    await deploy_workflow(
        outer,
        WorkflowServiceConfig(host="127.0.0.1", port=8002, service_name="outer"),
        ControlPlaneConfig(),
    )


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
"""

UNBOUND = """
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step


class JokeEvent(Event):
    joke: str


joke_flow = Workflow(timeout=60, verbose=True)


@step(workflow=joke_flow)
async def generate_joke(ev: StartEvent) -> JokeEvent:
    return JokeEvent(joke=f"A joke about {ev.topic}.")


@step(workflow=joke_flow)
async def critique_joke(ev: JokeEvent) -> StopEvent:
    return StopEvent(result=ev.joke)
"""


@pytest.mark.parametrize(
    ("source", "flows"),
    [
        pytest.param(
            TUTORIAL,
            {"MyWorkflow": "StartEvent>step_one step_one>FirstEvent FirstEvent>step_two step_two>StopEvent"},
            id="tutorial",
        ),
        pytest.param(
            TODAY,
            {
                "JokeFlow": "Topic>tell tell>Joke Joke>ask ask>InputRequiredEvent "
                "InputRequiredEvent>person person>HumanResponseEvent HumanResponseEvent>judge judge>StopEvent"
            },
            id="today",
        ),
        pytest.param(QUALIFIED, {"Flow": "StartEvent>only only>StopEvent"}, id="qualified"),
        pytest.param(STARRED, {"Flow": "StartEvent>only only>StopEvent"}, id="starred"),
        pytest.param(
            DEPLOYED,
            {
                "InnerWorkflow": "StartEvent>run_step run_step>StopEvent",
                "OuterWorkflow": "StartEvent>run_step run_step>StopEvent",
            },
            id="deployed",
        ),
        pytest.param(
            UNBOUND,
            {
                "joke_flow": "StartEvent>generate_joke generate_joke>JokeEvent "
                "JokeEvent>critique_joke critique_joke>StopEvent"
            },
            id="unbound",
        ),
    ],
)
@pytest.mark.usefixtures("served")
def test_file_for_llama_index_loads_with_its_graph(tmp_path: Path, source: str, flows: dict[str, str]) -> None:
    (tmp_path / "flow.py").write_text(source)
    loaded = load_paths([tmp_path])
    assert not [item.error.trace for item in loaded if isinstance(item, LoadFailure)]
    assert {item.name: edges_of(item) for item in loaded if isinstance(item, LoadedWorkflow)} == {
        name: set(edges.split()) for name, edges in flows.items()
    }


@pytest.mark.usefixtures("served")
async def test_steps_may_import_while_they_run(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(TODAY)
    (loaded,) = load_paths([tmp_path])
    assert isinstance(loaded, LoadedWorkflow)
    handler = loaded.workflow.run(topic="pirates")
    async for event in handler.stream_events():
        if type(event).__name__ == "InputRequiredEvent":
            assert event.prefix == "Is it funny? pirates arr"
            handler.ctx.send_event(HumanResponseEvent(response="yes"))
    assert await handler == "yes"


@pytest.mark.usefixtures("served")
def test_name_that_is_missing_is_told_on_the_card_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text("import json\nfrom workflows.collect import Collect\n")
    (failure,) = load_paths([tmp_path])
    assert isinstance(failure, LoadFailure)
    assert failure.error.line == 2
    assert failure.error.message.startswith("ImportError: Treadle has no Collect for workflows.collect: several")


def edges_of(item: LoadedWorkflow) -> set[str]:
    """The edges of a graph between steps and events, as `from>to`."""
    graph = flows_of(item.name, item.workflow.table)
    names = {node.id: node.name for node in graph.nodes}
    return {f"{names[edge.source]}>{names[edge.target]}" for edge in graph.edges}
