"""The drawing calls write one file that shows what could happen, or what did, whatever they are given."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import insert

from treadle import (
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    TreadleError,
    Workflow,
    WorkflowRuntimeError,
    draw_all_possible_flows,
    draw_most_recent_execution,
    step,
)
from treadle.engine.summary import summarize
from treadle.registry.catalog import Catalog
from treadle.registry.loader import LoadedWorkflow
from treadle.resources import MIGRATIONS
from treadle.runner.publishing import publications
from treadle.store.catalog import publish
from treadle.store.database import Database
from treadle.store.migrations import migrate
from treadle.store.tables import Run

from .flows import Answer, Asking, Caught, Leg, Outer, Question, Reflection, Unsaid, Waiting, Walk


def nodes(path: Path) -> dict[str, str]:
    """What a file shows: the id of every node with its status, or with "possible"."""
    found = re.findall(r'class="graph-node is-\w+ role-\w+(?: is-(\w+))?"[^>]* data-node="([^"]+)"', path.read_text())
    return {unescape(node): status or "possible" for status, node in found}


def edges(path: Path) -> list[str]:
    return [unescape(key) for key in re.findall(r'data-edge="([^"]+)"', path.read_text())]


def words(path: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)", path.read_text())


def test_flows_of_a_class_are_drawn_without_making_an_instance(tmp_path: Path) -> None:
    path = draw_all_possible_flows(Walk, tmp_path / "walk.html")
    assert path == tmp_path / "walk.html"
    assert set(nodes(path)) == {
        "event:StartEvent", "step:set_out", "event:Leg", "step:walk", "event:Secret", "step:hide", "event:StopEvent",
    }  # fmt: skip
    assert "<title>Walk</title>" in path.read_text()


def test_default_files_land_where_the_call_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert draw_all_possible_flows(Walk) == Path("workflow_all_flows.html")
    assert (tmp_path / "workflow_all_flows.html").is_file()


def test_flows_of_an_instance_have_the_steps_added_to_it(tmp_path: Path) -> None:
    walk = Walk(1, workflow_name="My walk")

    @step(workflow=walk)
    async def rest(ev: Unsaid) -> Leg:
        return Leg()

    path = draw_all_possible_flows(walk, tmp_path / "instance.html")
    assert "step:rest" in nodes(path)
    assert "<title>My walk</title>" in path.read_text()
    assert "step:rest" not in nodes(draw_all_possible_flows(Walk, tmp_path / "class.html"))


def test_flows_lead_over_a_failure_to_who_catches_it(tmp_path: Path) -> None:
    path = draw_all_possible_flows(Caught, tmp_path / "caught.html")
    assert {"step:risky>event:StepFailedEvent", "event:StepFailedEvent>step:rescue"} <= set(edges(path))


def test_flows_of_a_workflow_with_slots_are_its_own_alone(tmp_path: Path) -> None:
    assert set(nodes(draw_all_possible_flows(Outer, tmp_path / "outer.html"))) == {
        "event:StartEvent", "step:start", "event:Leg", "step:finish", "event:StopEvent",
    }  # fmt: skip


def test_what_may_be_wrong_stands_at_the_foot(tmp_path: Path) -> None:
    class Odd(Walk):
        @step
        async def never(self, ev: Unsaid) -> StopEvent:
            return StopEvent()

    warnings = Odd(1).warnings()
    text = draw_all_possible_flows(Odd, tmp_path / "odd.html").read_text()
    assert warnings
    assert all(warning in unescape(text.partition("<footer>")[2]) for warning in warnings)


@pytest.mark.parametrize("name", ["flows.pdf", "flows"])
def test_other_suffixes_are_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(TreadleError, match=r"\.html, \.svg, \.png, \.mmd or \.json"):
        draw_all_possible_flows(Walk, tmp_path / name)
    with pytest.raises(TreadleError, match=r"\.html, \.svg, \.png, \.mmd or \.json"):
        draw_most_recent_execution(Walk(1), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("thing", [Event, "Walk", 3])
def test_flows_of_something_else_are_refused(thing: Any, tmp_path: Path) -> None:
    with pytest.raises(WorkflowRuntimeError, match="a workflow class or an instance of one"):
        draw_all_possible_flows(thing, tmp_path / "x.html")


async def test_svg_is_a_file_of_its_own_in_either_theme(tmp_path: Path) -> None:
    walk = Walk(2)
    await walk.run()
    light = draw_most_recent_execution(walk, str(tmp_path / "light.SVG"))
    dark = draw_most_recent_execution(walk, tmp_path / "dark.svg", theme="dark", direction="LR")
    pictures = [ET.fromstring(path.read_text()) for path in (light, dark)]
    assert light.read_text() != dark.read_text()
    assert pictures[0].attrib["height"] > pictures[0].attrib["width"]


def test_html_can_be_held_to_a_theme_and_names_to_a_length(tmp_path: Path) -> None:
    follows = draw_all_possible_flows(Walk, tmp_path / "a.html").read_text()
    dark = draw_all_possible_flows(Walk, tmp_path / "b.html", theme="dark", max_label_length=6, notebook=True)
    assert ":root{color-scheme:dark}" not in follows
    assert ":root{color-scheme:dark}" in dark.read_text()
    assert ">Sta…nt</text>" in dark.read_text()


async def test_execution_is_only_what_ran_and_how_often(tmp_path: Path) -> None:
    walk = Walk(2)
    handler = walk.run()
    await handler
    by_instance = draw_most_recent_execution(walk, tmp_path / "instance.html")
    assert nodes(by_instance) == dict.fromkeys(
        ["event:StartEvent", "step:set_out", "event:Leg", "step:walk", "event:StopEvent"], "done"
    )
    assert "×3" in by_instance.read_text()
    assert "completed" in by_instance.read_text()
    by_handler = draw_most_recent_execution(handler, tmp_path / "handler.html")
    assert nodes(by_handler) == nodes(by_instance)
    assert edges(by_handler) == edges(by_instance)
    assert handler.run_id in by_handler.read_text()


async def test_execution_of_the_most_recent_run_replaces_the_one_before(tmp_path: Path) -> None:
    walk = Walk(5)
    await walk.run()
    walk.legs = 0
    await walk.run()
    path = draw_most_recent_execution(walk, tmp_path / "walk.html")
    assert "×" not in "".join(words(path))


async def test_undeclared_events_are_drawn_when_they_occur(tmp_path: Path) -> None:
    class Sly(Workflow):
        @step
        async def start(self, ctx: Context, ev: StartEvent) -> StopEvent:
            ctx.send_event(Unsaid())
            return StopEvent()

    sly = Sly()
    await sly.run()
    assert "step:start>event:Unsaid" in edges(draw_most_recent_execution(sly, tmp_path / "sly.html"))


async def test_failed_execution_says_where_and_why(tmp_path: Path) -> None:
    reflection = Reflection()
    with pytest.raises(ValueError, match="nothing to see"):
        await reflection.run(fail=True)
    path = draw_most_recent_execution(reflection, tmp_path / "failed.html")
    assert nodes(path) == {"event:StartEvent": "done", "step:reflect": "failed"}
    assert "failed in reflect: ValueError: nothing to see" in path.read_text()


async def test_execution_can_be_drawn_while_it_goes_on(tmp_path: Path) -> None:
    begun, leave = asyncio.Event(), asyncio.Event()

    class Slow(Workflow):
        @step
        async def work(self, ev: StartEvent) -> StopEvent:
            begun.set()
            await leave.wait()
            return StopEvent()

    slow = Slow()
    handler = slow.run()
    await begun.wait()
    assert nodes(draw_most_recent_execution(slow, tmp_path / "s.html")) == {
        "event:StartEvent": "done", "step:work": "running",
    }  # fmt: skip
    leave.set()
    await handler
    assert nodes(draw_most_recent_execution(slow, tmp_path / "s.html"))["step:work"] == "done"


async def test_execution_grows_step_by_step(tmp_path: Path) -> None:
    handler = Walk(1).run()
    drawn = []
    while not handler.is_done():
        event = await handler.run_step()
        handler.ctx.send_event(event)
        drawn.append(list(nodes(draw_most_recent_execution(handler, tmp_path / "steps.html"))))
    start, leg, stop = ["event:StartEvent", "step:set_out"], ["event:Leg", "step:walk"], ["event:StopEvent"]
    assert drawn == [[*start, leg[0]], [*start, *leg], [*start, *leg, *stop]]


async def test_person_waits_in_the_picture_until_answered(tmp_path: Path) -> None:
    asking = Asking()
    handler = asking.run()
    async for event in handler.stream_events():
        assert isinstance(event, InputRequiredEvent)
        waiting = draw_most_recent_execution(handler, tmp_path / "waiting.html")
        assert nodes(waiting)["person"] == "waiting"
        assert "event:HumanResponseEvent" not in nodes(waiting)
        handler.ctx.send_event(HumanResponseEvent(response="10 km"))
    await handler
    answered = draw_most_recent_execution(handler, tmp_path / "answered.html")
    assert nodes(answered)["person"] == "done"
    assert "person>event:HumanResponseEvent" in edges(answered)


async def test_person_is_drawn_where_only_the_run_knows_of_one(tmp_path: Path) -> None:
    handler = Waiting().run()
    async for event in handler.stream_events():
        assert isinstance(event, Question)
        handler.ctx.send_event(Answer(response="10 km"))
    await handler
    path = draw_most_recent_execution(handler, tmp_path / "talk.html")
    assert {"step:talk>event:Question", "event:Question>person", "person>event:Answer"} <= set(edges(path))


async def test_caught_failure_is_drawn_on_the_way_it_took(tmp_path: Path) -> None:
    caught = Caught()
    assert await caught.run() == "rescued"
    path = draw_most_recent_execution(caught, tmp_path / "caught.html")
    assert {"step:risky>event:StepFailedEvent", "event:StepFailedEvent>step:rescue"} <= set(edges(path))
    assert nodes(path)["step:risky"] == "failed"


async def test_nested_runs_hang_off_the_step_that_started_them(tmp_path: Path) -> None:
    outer = Outer()
    await outer.run()
    path = draw_most_recent_execution(outer, tmp_path / "outer.html")
    nested = {node: status for node, status in nodes(path).items() if node.startswith("run:")}
    assert sorted(nested.values()) == ["done", "failed"]
    assert {f"step:start>{node}" for node in nested} <= set(edges(path))
    assert ">Reflection: completed</text>" in path.read_text()
    assert ">Reflection: failed</text>" in path.read_text()


@pytest.mark.parametrize("thing", [Walk, None])
def test_execution_of_something_that_does_not_run_is_refused(thing: Any, tmp_path: Path) -> None:
    with pytest.raises(WorkflowRuntimeError, match="the instance that ran, the run's handler or its id"):
        draw_most_recent_execution(thing, tmp_path / "x.html")


def test_never_run_workflow_says_so_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(WorkflowRuntimeError, match="Asking has not run yet: run it first"):
        draw_most_recent_execution(Asking(), tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database the settings lead to."""
    monkeypatch.setenv("TREADLE_DATABASE", str(tmp_path / "studio.db"))
    database = Database(f"sqlite:///{tmp_path / 'studio.db'}", full=False)
    migrate(database, MIGRATIONS)
    return database


async def test_run_id_is_looked_up_in_the_studios_database(tmp_path: Path, studio: Database) -> None:
    outer = Outer()
    await outer.run()
    assert outer.recent is not None
    loaded = LoadedWorkflow("Outer", outer, Path(__file__), "", "f1")
    publish(studio, publications(Catalog.of([loaded]), now=1.0))
    summary = summarize(outer.recent)
    with studio.write() as db:
        db.execute(
            insert(Run.__table__),  # type: ignore[attr-defined]
            {"id": "r_7", "workflow": "Outer", "fingerprint": "f1", "status": summary.status, "held": False,
             "created_at": 1.0, "counts": summary.counts, "lease_until": 0.0, "epoch": 0, "entries": 3, "queue": "[]"},
        )  # fmt: skip
    studio.close()
    path = draw_most_recent_execution("r_7", tmp_path / "stored.html")
    live = draw_most_recent_execution(outer, tmp_path / "live.html")
    assert (nodes(path), edges(path)) == (nodes(live), edges(live))
    assert "Run r_7: completed" in path.read_text()


def test_unknown_run_id_names_the_database(tmp_path: Path, studio: Database) -> None:
    studio.close()
    with pytest.raises(WorkflowRuntimeError, match=r"no run r_gone in the database sqlite:////.*studio\.db"):
        draw_most_recent_execution("r_gone", tmp_path / "x.html")


def test_looking_for_a_run_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREADLE_DATABASE", str(tmp_path / "none.db"))
    with pytest.raises(WorkflowRuntimeError, match=r"none\.db"):
        draw_most_recent_execution("r_1", tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


def test_importing_the_calls_brings_no_picture_and_no_database() -> None:
    script = (
        "import sys; from treadle import draw_all_possible_flows, draw_most_recent_execution;"
        "print(*sorted(m for m in sys.modules if m.startswith(('treadle.visualizer', 'treadle.store', 'sqlalchemy'))))"
    )
    brought = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not brought
