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
