"""Run by an interpreter that has langgraph and its SQLite saver: the same work as its graphs, in waves, each timed.

Every superstep is saved before the next one starts (`durability="sync"`). One run alone goes without asyncio, which is
quicker for it; many at once need it.
"""

from __future__ import annotations

import asyncio
import json
import operator
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from storage import weight

STEPS = 10

marks: list[float] = []


class Working(TypedDict):
    number: int
    left: int


class Growing(TypedDict):
    left: int
    notes: Annotated[list[str], operator.add]


def graph(job: dict[str, Any], *, aio: bool) -> Any:
    """The job's workflow as a graph, not compiled yet."""
    quarter = max(1, job["fields"].get("size", 0) // 4)

    def link(number: int) -> Callable[[Any], dict[str, Any]]:
        return lambda _: {"number": number}

    def turn(state: Working) -> dict[str, Any]:
        left = state["left"]
        if left % quarter == 0 or left == 1:
            marks.append(time.perf_counter())
        return {"left": left - 1, "number": int(left == 1)}

    def grow(state: Growing) -> dict[str, Any]:
        left = state["left"]
        return {"left": left - 1, "notes": [f"{left:1024}"]}

    growing = job["workflow"] == "Growing"
    built: Any = StateGraph(Growing if growing else Working)
    if job["workflow"] == "Chain":
        names = [f"step{number}" for number in range(1, STEPS + 1)]
        for number, name in enumerate(names, start=1):
            built.add_node(name, _awaited(link(number)) if aio else link(number))
        for before, after in pairwise([START, *names, END]):
            built.add_edge(before, after)
    else:
        step: Callable[[Any], dict[str, Any]] = grow if growing else turn
        built.add_node("turn", _awaited(step) if aio else step)
        built.add_edge(START, "turn")
        built.add_conditional_edges("turn", lambda state: "turn" if state["left"] else END)
    return built


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Seconds of each wave, and the bytes that all of them left."""
    file = Path(job["folder"]) / "langgraph.db"
    whole = asyncio.run(_many(job, file)) if job["at_once"] > 1 else _alone(job, file)
    return {"whole": whole[job["warm"] :], "marks": marks, "bytes": weight(file)}


def _alone(job: dict[str, Any], file: Path) -> list[float]:
    whole = []
    with SqliteSaver.from_conn_string(str(file)) as saver:
        compiled = graph(job, aio=False).compile(checkpointer=saver)
        for wave in range(job["warm"] + job["waves"]):
            started = time.perf_counter()
            _check(job, compiled.invoke(_first(job), _config(job, f"{wave}"), durability="sync"))
            whole.append(time.perf_counter() - started)
    return whole


async def _many(job: dict[str, Any], file: Path) -> list[float]:
    whole = []
    async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
        compiled = graph(job, aio=True).compile(checkpointer=saver)

        async def run(name: str) -> None:
            _check(job, await compiled.ainvoke(_first(job), _config(job, name), durability="sync"))

        for wave in range(job["warm"] + job["waves"]):
            started = time.perf_counter()
            await asyncio.gather(*(run(f"{wave}-{number}") for number in range(job["at_once"])))
            whole.append(time.perf_counter() - started)
    return whole


def _first(job: dict[str, Any]) -> dict[str, Any]:
    size = job["fields"].get("size", 0)
    return {"left": size, "notes": []} if job["workflow"] == "Growing" else {"left": size, "number": 0}


def _config(job: dict[str, Any], name: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": name}, "recursion_limit": job["fields"].get("size", 0) + STEPS + 1}


def _check(job: dict[str, Any], state: dict[str, Any]) -> None:
    growing = job["workflow"] == "Growing"
    found = len(state["notes"]) if growing else state["number"]
    if found != (job["fields"]["size"] if growing else job["result"]):
        raise SystemExit(f"langgraph gave {found}")


def _awaited(step: Callable[[Any], dict[str, Any]]) -> Callable[[Any], Any]:
    async def awaited(state: Any) -> dict[str, Any]:
        return step(state)

    return awaited


if __name__ == "__main__":
    print(json.dumps(measure(json.load(sys.stdin))))
