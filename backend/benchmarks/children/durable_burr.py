"""Run by an interpreter that has burr: the same work as its state machines, saved to SQLite after each action.

One run alone uses its persister without asyncio, which is quicker for it; many at once the one made for asyncio.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from burr.core import Application, ApplicationBuilder, Graph, GraphBuilder, State, action, default, expr
from burr.core.persistence import SQLitePersister
from burr.integrations.persisters.b_aiosqlite import AsyncSQLitePersister
from burr_engine import chain
from storage import weight

marks: list[float] = []


def loop(size: int, *, growing: bool) -> tuple[Graph, str]:
    """An action that follows itself until nothing is left and keeps the time at each quarter; maybe its state grows."""
    quarter = max(1, size // 4)

    @action(reads=["left", "notes"], writes=["left", "notes"])
    async def step1(state: State) -> State:
        left = state["left"]
        if left % quarter == 0 or left == 1:
            marks.append(time.perf_counter())
        return (state.append(notes=f"{left:1024}") if growing else state).update(left=left - 1)

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


async def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Seconds of each wave, and the bytes that all of them left."""
    file, size = Path(job["folder"]) / "burr.db", job["fields"].get("size", 0)
    graph, last = chain(10) if job["workflow"] == "Chain" else loop(size, growing=job["workflow"] == "Growing")
    alone = SQLitePersister(str(file))
    alone.initialize()
    persister: Any = alone if job["at_once"] == 1 else await AsyncSQLitePersister.from_values(str(file))

    async def application(name: str) -> Application[Any]:
        builder = ApplicationBuilder().with_graph(graph).with_state(number=0, left=size, notes=[])
        builder = builder.with_entrypoint("step1").with_identifiers(app_id=name).with_state_persister(persister)
        return builder.build() if persister is alone else await builder.abuild()

    async def run(name: str) -> None:
        _, _, state = await (await application(name)).arun(halt_after=[last])
        if state["number"] != job["result"]:
            raise SystemExit(f"burr gave {state['number']}, not {job['result']!r}")

    whole = []
    for wave in range(job["warm"] + job["waves"]):
        started = time.perf_counter()
        await asyncio.gather(*(run(f"{wave}-{number}") for number in range(job["at_once"])))
        whole.append(time.perf_counter() - started)
    if persister is not alone:
        await persister.cleanup()
    alone.cleanup()
    return {"whole": whole[job["warm"] :], "marks": marks, "bytes": weight(file)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(json.load(sys.stdin)))))
