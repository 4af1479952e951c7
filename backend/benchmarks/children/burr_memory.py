"""Run by an interpreter that has burr: what its runs keep in memory, bytes per unit, as JSON on stdout."""

from __future__ import annotations

import asyncio
from typing import Any

from burr.core import ApplicationBuilder, Graph, GraphBuilder, State, action
from burr_engine import loop
from memory import answer, retained, sleeping

applications: list[Any] = []


async def measure(job: dict[str, Any]) -> tuple[float, list[Any]]:
    """Its applications stay referenced, like the handlers of the others."""
    if job["workflow"] == "Loop":
        graph, last = loop()
        return await retained(lambda size: asyncio.create_task(_run(graph, last, size)), size=job["size"])
    gate = asyncio.Event()
    asleep: list[None] = []

    @action(reads=[], writes=["number"])
    async def step1(state: State) -> State:
        asleep.append(None)
        await gate.wait()
        return state.update(number=1)

    one = GraphBuilder().with_actions(step1=step1).build()
    return await sleeping(
        lambda: asyncio.create_task(_run(one, "step1", 0)), asleep=lambda: len(asleep), gate=gate, size=job["size"]
    )


async def _run(graph: Graph, last: str, size: int) -> Any:
    builder = ApplicationBuilder().with_graph(graph).with_state(number=0, left=size).with_entrypoint("step1")
    applications.append(application := builder.build())
    _, _, state = await application.arun(halt_after=[last])
    return state["number"]


if __name__ == "__main__":
    answer(measure)
