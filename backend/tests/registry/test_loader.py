"""Workflow files are loaded by path; a broken one is a card that says where, never a crash."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from treadle.registry.loader import LoadedWorkflow, LoadFailure, load_paths

GOOD = """
from treadle import StartEvent, StopEvent, Workflow, step

class Good(Workflow):
    @step
    async def only(self, ev: StartEvent) -> StopEvent:
        return StopEvent()
"""


def test_folder_is_loaded_without_its_broken_files(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "broken.py").write_text("x = 1\ndef (:\n")
    (tmp_path / "_private.py").write_text("raise AssertionError")
    failure, loaded = load_paths([tmp_path])
    assert isinstance(loaded, LoadedWorkflow)
    assert loaded.name == "Good"
    assert isinstance(failure, LoadFailure)
    assert (failure.name, failure.error.line) == ("broken.py", 2)
    assert failure.error.message.startswith("SyntaxError")


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("import sys\nsys.exit(3)\n", "SystemExit: 3", 2),
        ("import nothing_of_this_name\n", "ModuleNotFoundError: No module named 'nothing_of_this_name'", 1),
        ("def f():\n    return 1 / 0\n\nf()\n", "ZeroDivisionError: division by zero", 2),
    ],
)
def test_file_that_fails_to_load_says_where(tmp_path: Path, source: str, message: str, line: int) -> None:
    (tmp_path / "wrong.py").write_text(source)
    (failure,) = load_paths([tmp_path / "wrong.py"])
    assert isinstance(failure, LoadFailure)
    assert (failure.error.message, failure.error.line) == (message, line)
    assert "wrong.py" in failure.error.trace
    assert "treadle/registry" not in failure.error.trace


def test_workflow_that_needs_arguments_is_a_failure_and_an_instance_of_it_is_not(tmp_path: Path) -> None:
    needs = GOOD + "\n    def __init__(self, llm):\n        super().__init__(timeout=60)\n        self.llm = llm\n"
    (tmp_path / "needs.py").write_text(needs)
    (failure,) = load_paths([tmp_path / "needs.py"])
    assert isinstance(failure, LoadFailure)
    (tmp_path / "has.py").write_text(needs + "\nready = Good(llm='an llm')\n")
    (loaded,) = load_paths([tmp_path / "has.py"])
    assert isinstance(loaded, LoadedWorkflow)
    assert loaded.workflow.timeout == 60


def test_two_files_may_use_the_same_name_and_shadow_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(GOOD)
    (tmp_path / "json.py").write_text(GOOD)
    before = sys.modules["json"]
    assert [item.name for item in load_paths([tmp_path])] == ["Good", "json.Good"]
    assert sys.modules["json"] is before


UNBOUND = """
from treadle import StartEvent, StopEvent, Workflow, step

joke_flow = Workflow(timeout=60)
other_name = joke_flow
empty = Workflow()

@step(workflow=joke_flow)
async def tell(ev: StartEvent) -> StopEvent:
    return StopEvent(result=f"A joke about {ev.topic}.")
"""


async def test_instance_with_steps_of_its_own_is_named_by_its_variable(tmp_path: Path) -> None:
    (tmp_path / "jokes.py").write_text(UNBOUND)
    (loaded,) = load_paths([tmp_path])
    assert isinstance(loaded, LoadedWorkflow)
    assert (loaded.name, list(loaded.workflow.table.steps)) == ("joke_flow", ["tell"])
    assert await loaded.workflow.run(topic="pirates") == "A joke about pirates."


def test_instance_of_a_class_from_elsewhere_is_named_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The class itself is not this file's to offer."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "flows_from_elsewhere.py").write_text(GOOD)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    (tmp_path / "file.py").write_text("from flows_from_elsewhere import Good\n\nmine = Good(timeout=3)\n")
    (loaded,) = load_paths([tmp_path / "file.py"])
    monkeypatch.delitem(sys.modules, "flows_from_elsewhere")
    assert isinstance(loaded, LoadedWorkflow)
    assert (loaded.name, loaded.workflow.timeout) == ("mine", 3)


@pytest.mark.parametrize(
    ("instances", "names"),
    [
        ("", {"Good": 10}),
        ("only = Good(timeout=1)", {"Good": 1}),
        ("quick = Good(timeout=1)\nslow = Good(timeout=99)", {"quick": 1, "slow": 99}),
    ],
)
def test_several_instances_of_one_class_go_by_their_variables(
    tmp_path: Path, instances: str, names: dict[str, float]
) -> None:
    (tmp_path / "file.py").write_text(f"{GOOD}\n{instances}\n")
    loaded = load_paths([tmp_path])
    assert {item.name: item.workflow.timeout for item in loaded if isinstance(item, LoadedWorkflow)} == names
