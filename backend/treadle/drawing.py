"""The drawing calls: every flow a workflow could take, and what its most recent run did, each as one file.

Whoever imports Treadle imports this module: pictures and the database are fetched when something is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from treadle.engine.events import Event
from treadle.engine.handler import WorkflowHandler
from treadle.engine.steps import specs_of
from treadle.engine.table import compile_table
from treadle.engine.workflow import Workflow
from treadle.errors import TreadleError, WorkflowRuntimeError

if TYPE_CHECKING:
    from treadle.engine.state import RunState
    from treadle.engine.table import StepTable
    from treadle.visualizer.export import Form
    from treadle.visualizer.geometry import Direction
    from treadle.visualizer.graph import Graph
    from treadle.visualizer.overlay import Overlay
    from treadle.visualizer.possible import EventFacts
    from treadle.visualizer.theme import FileTheme


def draw_all_possible_flows(
    workflow: type[Workflow] | Workflow,
    filename: str | PathLike[str] = "workflow_all_flows.html",
    *,
    title: str | None = None,
    caption: str = "All possible flows",
    direction: Direction = "TB",
    theme: FileTheme | None = None,
    notebook: bool = False,  # noqa: ARG001 - LlamaIndex's; the file is the same
    max_label_length: int | None = None,
) -> Path:
    """Draw every flow a workflow could take into a file, and return its path.

    `workflow` is a class, of which no instance is made, or an instance, drawn with the steps added to it. `filename`
    ends in .html (zoom and pan, one file, no network) or .svg. `direction` is TB, from top to bottom, or LR. `theme` is
    light or dark; without it an .html file follows its reader and an .svg file is light. `max_label_length` shortens
    names, in characters. What may be wrong with the workflow stands at the foot of an .html file.
    (The seed: Visualizing a workflow.)

    Raises WorkflowValidationError for a step whose signature cannot be read, TreadleError for another suffix.

    >>> from treadle import StartEvent, StopEvent, Workflow, draw_all_possible_flows, step
    >>> class Hello(Workflow):
    ...     @step
    ...     async def greet(self, ev: StartEvent) -> StopEvent:
    ...         return StopEvent(result="Hello!")
    >>> draw_all_possible_flows(Hello, "hello.html").stat().st_size > 1000
    True
    """
    file = _File.named(filename, title, direction, theme, max_label_length)
    return file.write(_possible(workflow), None, caption)


def draw_most_recent_execution(
    workflow: Workflow | WorkflowHandler | str,
    filename: str | PathLike[str] = "workflow_recent_execution.html",
    *,
    title: str | None = None,
    caption: str = "",
    direction: Direction = "TB",
    theme: FileTheme | None = None,
    notebook: bool = False,  # noqa: ARG001 - LlamaIndex's; the file is the same
    max_label_length: int | None = None,
) -> Path:
    """Draw only what a run did into a file, and return its path: its steps and events, how often, and how they ended.

    `workflow` is an instance (its most recent run), the handler of a run, or the id of a run in the studio's database
    (TREADLE_DATABASE, else ./.treadle). The run may still go on; a run of another workflow that a step started is drawn
    beside the step. The other arguments are those of draw_all_possible_flows. (The seed: Visualizing most recent
    execution.)

    Raises WorkflowRuntimeError when there is no run to draw, TreadleError for another suffix.

    >>> import asyncio
    >>> from treadle import StartEvent, StopEvent, Workflow, draw_most_recent_execution, step
    >>> class Hello(Workflow):
    ...     @step
    ...     async def greet(self, ev: StartEvent) -> StopEvent:
    ...         return StopEvent(result="Hello!")
    >>> async def main():
    ...     hello = Hello()
    ...     await hello.run()
    ...     return draw_most_recent_execution(hello, "hello.svg")
    >>> asyncio.run(main()).name
    'hello.svg'
    """
    from treadle.visualizer.recent import recent_execution

    file = _File.named(filename, title, direction, theme, max_label_length)
    run = _stored(workflow) if isinstance(workflow, str) else _live(workflow)
    graph, overlay = recent_execution(run.graph, run.counts, run_status=run.status, events=run.events)
    return file.write(graph, overlay, caption or run.caption)


@dataclass(frozen=True, slots=True)
class _File:
    """Where a picture goes and how it looks."""

    path: Path
    form: Form
    title: str | None
    direction: Direction
    theme: FileTheme | None
    longest: int | None

    @classmethod
    def named(
        cls,
        filename: str | PathLike[str],
        title: str | None,
        direction: Direction,
        theme: FileTheme | None,
        longest: int | None,
    ) -> _File:
        from treadle.visualizer.export import FORMS

        path = Path(filename)
        for form in FORMS:
            if path.suffix.lower() == form:
                return cls(path, form, title, direction, theme, longest)
        raise TreadleError(f"Cannot draw into {path}: name a file that ends in {' or '.join(FORMS)}.")

    def write(self, graph: Graph, overlay: Overlay | None, caption: str) -> Path:
        from treadle.visualizer.export import picture
        from treadle.visualizer.text import shortened

        if self.longest is not None:
            nodes = tuple(replace(node, name=shortened(node.name, longest=self.longest)) for node in graph.nodes)
            graph = replace(graph, nodes=nodes)
        text = picture(
            graph,
            overlay,
            form=self.form,
            title=self.title or graph.workflow,
            caption=caption,
            direction=self.direction,
            theme=self.theme,
        )
        self.path.write_text(text, encoding="utf-8")
        return self.path


@dataclass(frozen=True, slots=True)
class _Run:
    """What a drawing tells of a run, from memory or from a database."""

    graph: Graph
    counts: Mapping[str, Any]
    status: str
    caption: str
    events: EventFacts


def _possible(workflow: object) -> Graph:
    from treadle.visualizer.possible import flows_of

    if isinstance(workflow, Workflow):
        return flows_of(workflow.workflow_name, workflow.table)
    if isinstance(workflow, type) and issubclass(workflow, Workflow):
        # Bound to nothing: nobody calls these steps, and the class may want arguments that we do not have.
        return flows_of(workflow.__name__, compile_table(specs_of(workflow).values(), object()))
    raise WorkflowRuntimeError(f"To draw all flows give a workflow class or an instance of one, not {workflow!r}.")


def _live(workflow: object) -> _Run:
    """A run in the memory of this process."""
    from treadle.engine.summary import counts
    from treadle.visualizer.possible import flows_of

    state: RunState | None
    if isinstance(workflow, WorkflowHandler):
        table, state = workflow.table, workflow.state
        name, who = workflow.workflow_name, f"Run {workflow.run_id}: "
    elif isinstance(workflow, Workflow):
        table, state = workflow.table, workflow.recent
        name, who = workflow.workflow_name, "Most recent run: "
    else:
        raise WorkflowRuntimeError(
            f"To draw a run give the instance that ran, the run's handler or its id, not {workflow!r}."
        )
    if state is None or not state.events:
        raise WorkflowRuntimeError(f"{name} has not run yet: run it first, then draw its execution.")
    caption = _caption(who, state.status, _error(state))
    return _Run(flows_of(name, table), counts(state), state.status, caption, _events(state, table))


def _stored(run_id: str) -> _Run:
    """A run in the studio's database."""
    from treadle.settings import read_settings
    from treadle.store.database import Database
    from treadle.store.runs import find_run
    from treadle.store.workflows import find_version
    from treadle.visualizer.graph import Graph

    settings = read_settings()
    unknown = WorkflowRuntimeError(
        f"There is no run {run_id} in the database {settings.database}; name another one by TREADLE_DATABASE."
    )
    if settings.state is not None and not Path(settings.database.removeprefix("sqlite:///")).is_file():
        raise unknown
    database = Database(settings.database)
    try:
        with database.read() as db:
            run = find_run(db, run_id)
            if run is None:
                raise unknown
            version = find_version(db, run.workflow, run.fingerprint)
    finally:
        database.close()
    graph = Graph.from_dict(version.graph) if version is not None else Graph(run.workflow)
    return _Run(graph, run.counts, run.status, _caption(f"Run {run_id}: ", run.status, run.error), {})


def _events(state: RunState, table: StepTable) -> EventFacts:
    """What the events of the run are, those included that no signature names: as the steps themselves know them."""
    from treadle.visualizer.possible import event_facts

    kinds = {type(event) for event in state.prompts.values()}
    if state.outcome is not None and state.outcome.event is not None:
        kinds.add(type(state.outcome.event))
    for step in table.steps.values():
        seen = getattr(step.spec.function, "__globals__", {})
        kinds.update(kind for name in state.events if _is_event(kind := seen.get(name)))
    return event_facts(kinds)


def _is_event(thing: object) -> TypeGuard[type[Event]]:
    return isinstance(thing, type) and issubclass(thing, Event)


def _error(state: RunState) -> dict[str, Any] | None:
    outcome = state.outcome
    if outcome is None or outcome.error is None:
        return None
    return {"type": outcome.error.type, "message": outcome.error.message, "step": outcome.step}


def _caption(who: str, status: str, error: Mapping[str, Any] | None) -> str:
    """How the run went, in one line."""
    from treadle.visualizer.text import shortened

    words = who + status.replace("_", " ")
    words = words[0].upper() + words[1:]
    if not error or status == "cancelled":
        return words
    where = f" in {error['step']}" if error.get("step") else ""
    return f"{words}{where}: " + shortened(f"{error.get('type')}: {error.get('message')}", longest=160)
