"""The drawing calls: every flow a workflow could take, and what its most recent run did, each as one file.

Whoever imports Treadle imports this module: pictures and the database are fetched when something is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
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
    from treadle.store.reading import Reader
    from treadle.visualizer.export import Form, Look, Recording
    from treadle.visualizer.geometry import Direction
    from treadle.visualizer.graph import Graph
    from treadle.visualizer.possible import EventFacts
    from treadle.visualizer.replay import Moment
    from treadle.visualizer.theme import AnyTheme


def draw_all_possible_flows(
    workflow: type[Workflow] | Workflow,
    filename: str | PathLike[str] = "workflow_all_flows.html",
    *,
    title: str | None = None,
    caption: str | None = None,
    direction: Direction = "TB",
    theme: AnyTheme | None = None,
    compact: bool = False,
    legend: bool | None = None,
    expand: bool = False,
    scale: float = 2.0,
    notebook: bool = False,  # noqa: ARG001 - LlamaIndex's; the file is the same
    max_label_length: int | None = None,
) -> Path:
    """Draw every flow a workflow could take into a file, and return its path.

    `workflow` is a class, of which no instance is made, or an instance, drawn with the steps added to it. The end of
    `filename` says what is written: .html (zoom and pan, one file, no network), .svg, .png (needs `treadle[png]`;
    `scale` pixels for each of the drawing's), .mmd (Mermaid) or .json (described by graph.schema.json).

    `direction` is TB, from top to bottom, or LR. `theme` is light, dark, print or auto, which follows the reader;
    without it an .html file is auto and the others are light. `compact` makes events words on the edges, `expand` draws
    the workflows in the slots of an instance's steps inside frames. `legend` and `caption` stand below the picture; an
    .html file has both unless told otherwise. `max_label_length` shortens names, in characters. What may be wrong with
    the workflow stands at the foot of an .html file. (The seed: Visualizing a workflow.)

    Raises WorkflowValidationError for a step whose signature cannot be read, TreadleError for another suffix,
    ExtraMissing for a .png without the library for that.

    >>> from treadle import StartEvent, StopEvent, Workflow, draw_all_possible_flows, step
    >>> class Hello(Workflow):
    ...     @step
    ...     async def greet(self, ev: StartEvent) -> StopEvent:
    ...         return StopEvent(result="Hello!")
    >>> draw_all_possible_flows(Hello, "hello.html").stat().st_size > 1000
    True
    """
    form = form_of(filename)
    look = _look(title, caption, direction, theme, compact, legend, scale)
    graph = possible_graph(workflow, expand=expand)
    return write(_cut(graph, max_label_length), filename, form, look=look, caption="All possible flows")


def draw_most_recent_execution(
    workflow: Workflow | WorkflowHandler | str,
    filename: str | PathLike[str] = "workflow_recent_execution.html",
    *,
    title: str | None = None,
    caption: str | None = None,
    direction: Direction = "TB",
    theme: AnyTheme | None = None,
    compact: bool = False,
    legend: bool | None = None,
    overlay: bool = False,
    scale: float = 2.0,
    notebook: bool = False,  # noqa: ARG001 - LlamaIndex's; the file is the same
    max_label_length: int | None = None,
) -> Path:
    """Draw only what a run did into a file, and return its path: its steps and events, how often, and how they ended.

    `workflow` is an instance (its most recent run), the handler of a run, or the id of a run in the studio's database
    (TREADLE_DATABASE, else ./.treadle). The run may still go on; a run of another workflow that a step started is drawn
    beside the step. With `overlay` all flows are drawn, and on them what the run did. The other arguments are those of
    draw_all_possible_flows. (The seed: Visualizing most recent execution.)

    Raises WorkflowRuntimeError when there is no run to draw, TreadleError for another suffix, ExtraMissing.

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
    form = form_of(filename)
    look = _look(title, caption, direction, theme, compact, legend, scale)
    run = stored_run(workflow) if isinstance(workflow, str) else _live(workflow)
    graph = _cut(run.graph, max_label_length)
    return write(graph, filename, form, look=look, run=run.recording(only=not overlay), caption=run.caption)


def write(
    graph: Graph,
    filename: str | PathLike[str],
    form: Form,
    *,
    look: Look,
    run: Recording | None = None,
    caption: str = "",
) -> Path:
    """Write a file of this form; nothing is written if it cannot be drawn."""
    from treadle.visualizer.export import exported

    path = Path(filename)
    path.write_bytes(exported(graph, form, look=look, run=run, caption=caption))
    return path


def form_of(filename: str | PathLike[str]) -> Form:
    """The form of the file that a name asks for by its end. Raises TreadleError for another end."""
    from treadle.visualizer.export import FORMS

    path = Path(filename)
    for form in FORMS:
        if path.suffix.lower() == f".{form}":
            return form
    names = ", ".join(f".{form}" for form in FORMS[:-1])
    raise TreadleError(f"Cannot draw into {path}: name a file that ends in {names} or .{FORMS[-1]}.")


@dataclass(frozen=True, slots=True)
class Told:
    """What a drawing tells of a run, from memory or from a database."""

    graph: Graph
    counts: Mapping[str, Any]
    status: str
    caption: str
    events: EventFacts
    at: int | None = None
    moments: Iterable[Moment] = ()

    def recording(self, *, only: bool) -> Recording:
        """The run as it is drawn: `only` what it did, or that on all flows."""
        from treadle.visualizer.export import Recording

        return Recording(
            self.status,
            self.counts,
            only=only,
            events=self.events,
            open_prompts=self.counts.get("prompts"),
            at=self.at,
            moments=self.moments,
        )


def possible_graph(workflow: object, *, expand: bool = False) -> Graph:
    """Every flow a workflow class or an instance of one could take."""
    from treadle.visualizer.possible import flows_of

    if isinstance(workflow, Workflow):
        return flows_of(workflow.workflow_name, workflow.table, expand=expand)
    if isinstance(workflow, type) and issubclass(workflow, Workflow):
        # Bound to nothing: nobody calls these steps, and the class may want arguments that we do not have.
        return flows_of(workflow.__name__, compile_table(specs_of(workflow).values(), object()), expand=expand)
    raise WorkflowRuntimeError(f"To draw all flows give a workflow class or an instance of one, not {workflow!r}.")


def _live(workflow: object) -> Told:
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
    return Told(flows_of(name, table), counts(state), state.status, caption, _events(state, table))


def stored_run(run_id: str, *, database: str | None = None, at: int | None = None) -> Told:
    """A run in the studio's database, as it is or as it was at the entry `at`.

    Raises WorkflowRuntimeError if it is not there.
    """
    from treadle.store.moments import moment, passages
    from treadle.store.runs import find_run
    from treadle.store.workflows import find_version
    from treadle.visualizer.graph import Graph
    from treadle.visualizer.replay import MOST

    with _studio(database) as (db, where):
        run = find_run(db, run_id) if db is not None else None
        if db is None or run is None:
            raise WorkflowRuntimeError(
                f"There is no run {run_id} in the database {where}; name another one by TREADLE_DATABASE."
            )
        version = find_version(db, run.workflow, run.fingerprint)
        mine = (db, run_id, run.workflow, run.fingerprint)
        then = moment(*mine, seq=at) if at is not None and at < run.entries else None
        moments = passages(*mine, seq=then.seq if then is not None else None) if run.entries <= MOST else ()
    graph = Graph.from_dict(version.graph) if version is not None else Graph(run.workflow)
    if then is not None:
        words = f"Run {run_id}: {then.status.replace('_', ' ')} at entry {then.seq} of {run.entries}"
        return Told(graph, then.counts, then.status, words, {}, then.seq, moments)
    return Told(graph, run.counts, run.status, _caption(f"Run {run_id}: ", run.status, run.error), {}, None, moments)


def newest_run(workflow: str, *, database: str | None = None) -> str:
    """The id of the newest run of a workflow in the studio's database. Raises WorkflowRuntimeError if it has none."""
    from treadle.store.runs import page_of_runs

    with _studio(database) as (db, where):
        runs = page_of_runs(db, workflow=workflow, nested=True, limit=1).runs if db is not None else ()
    if not runs:
        raise WorkflowRuntimeError(
            f"There is no run of {workflow} in the database {where}; name another one by TREADLE_DATABASE."
        )
    return runs[0].id


@contextmanager
def _studio(database: str | None) -> Iterator[tuple[Reader | None, str]]:
    """A connection to the studio's database and the name of that; None where there is no such file: none is made."""
    from treadle.settings import read_settings
    from treadle.store.database import Database

    settings = read_settings(database=database)
    if settings.state is not None and not Path(settings.database.removeprefix("sqlite:///")).is_file():
        yield None, settings.database
        return
    with closing(Database(settings.database)) as found, found.read() as db:
        yield db, settings.database


def _look(
    title: str | None,
    caption: str | None,
    direction: Direction,
    theme: AnyTheme | None,
    compact: bool,
    legend: bool | None,
    scale: float,
) -> Look:
    from treadle.visualizer.export import Look

    return Look(theme, direction, compact, legend, caption, title or "", scale)


def _cut(graph: Graph, longest: int | None) -> Graph:
    """The graph with names of at most `longest` characters."""
    from treadle.visualizer.text import shortened

    if longest is None:
        return graph
    nodes = tuple(replace(node, name=shortened(node.name, longest=longest)) for node in graph.nodes)
    return replace(graph, nodes=nodes)


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
