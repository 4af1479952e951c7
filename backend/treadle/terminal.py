"""Workflows in a terminal: run one and answer its prompts, or draw one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from rich.console import Console

from treadle.engine.events import HumanResponseEvent, InputRequiredEvent
from treadle.engine.records import event_payload
from treadle.engine.workflow import Workflow
from treadle.errors import TreadleError
from treadle.registry.loader import LoadedWorkflow, load_file, workflows_in
from treadle.runner.publishing import graph_of
from treadle.visualizer.export import possible_html


def find(target: str) -> LoadedWorkflow:
    """The workflow `FILE:CLASS` names; the class may be left out when the file has one. Raises TreadleError."""
    path, _, name = target.rpartition(":") if ":" in target else (target, "", "")
    file = Path(path)
    if not file.is_file():
        raise TreadleError(f"There is no file {path}; write FILE:CLASS, for example flows.py:MyFlow.")
    found = workflows_in(load_file(file.resolve()))
    if not name and len(found) == 1:
        name = next(iter(found))
    if name not in found:
        names = ", ".join(found) or "none"
        raise TreadleError(f"{path} has no workflow {name or 'that is the only one'}; it has: {names}.")
    return LoadedWorkflow(name, found[name], file.resolve(), file.read_text(encoding="utf-8"), "")


async def run(target: str, fields: dict[str, Any], out: Console) -> None:
    """Run a workflow to its end, printing what it streams; prompts are answered from standard input."""
    workflow = find(target).workflow
    handler = workflow.run(**fields)
    async for event in handler.stream_events():
        if isinstance(event, InputRequiredEvent):
            answer = await asyncio.to_thread(input, f"{event.prefix} ")
            handler.ctx.send_event(_response_class(workflow)(response=answer))
        else:
            out.print(f"{type(event).__name__} {event_payload(event)}", markup=False)
    out.print(str(await handler), markup=False)


def draw(target: str) -> str:
    """The HTML drawing of a workflow."""
    return possible_html(graph_of(find(target)))


def _response_class(workflow: Workflow) -> type[HumanResponseEvent]:
    taken = [kind for kind in workflow.table.routes.takers if issubclass(kind, HumanResponseEvent)]
    return taken[0] if len(taken) == 1 else HumanResponseEvent
