"""Run by an interpreter that has burr: the same chain and loop as its state machine, seconds per unit, as JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from itertools import pairwise
from typing import Any

from burr.core import ApplicationBuilder, Graph, GraphBuilder, State, action, default, expr


def chain(steps: int) -> tuple[Graph, str]:
    """A chain of actions, each writing one number, and the name of its last one."""

    def make(number: int) -> Any:
        @action(reads=["number"], writes=["number"])
        async def link(state: State) -> State:
            return state.update(number=number)

        return link

    names = [f"step{number}" for number in range(1, steps + 1)]
    actions = {name: make(number) for number, name in enumerate(names, start=1)}
    graph = GraphBuilder().with_actions(**actions).with_transitions(*pairwise(names)).build()
    return graph, names[-1]


def loop() -> tuple[Graph, str]:
    """An action that follows itself until nothing is left."""

    @action(reads=["left"], writes=["left"])
    async def step1(state: State) -> State:
        return state.update(left=state["left"] - 1)

    @action(reads=["left"], writes=["number"])
    async def stop(state: State) -> State:
        return state.update(number=1)

    graph = (
        GraphBuilder()
        .with_actions(step1=step1, stop=stop)
        .with_transitions(("step1", "step1", expr("left > 0")), ("step1", "stop", default))
        .build()
    )
    return graph, "stop"


async def measure(job: dict[str, Any]) -> list[float]:
    """Seconds per unit in each repetition."""
    graph, last = loop() if job["workflow"] == "Loop" else chain(10 if job["workflow"] == "Chain" else 1)
    size = job["fields"].get("size", 0)

    async def run(count: int) -> float:
        started = time.perf_counter()
        for _ in range(count):
            builder = ApplicationBuilder().with_graph(graph).with_state(number=0, left=size).with_entrypoint("step1")
            _, _, state = await builder.build().arun(halt_after=[last])
            if state["number"] != job["result"]:
                raise SystemExit(f"burr gave {state['number']}, not {job['result']!r}")
        return time.perf_counter() - started

    one = await run(1)
    if one < 1.0:
        one = min(await run(1), await run(1))
    count = max(1, min(5000, int(job["seconds"] / one)))
    found = []
    for _ in range(job["repetitions"]):
        gc.collect()
        found.append(await run(count) / count / job["units"])
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(json.load(sys.stdin)))))
