"""`python -m treadle.compat script.py` is `python script.py`, but for what LlamaIndex's names mean."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

FACTS = """
import sys

print(sys.argv, sys.path, __name__, __file__, __spec__, __package__, type(__loader__), __builtins__)
print(vars(sys.modules["__main__"]) is globals(), sorted(globals()))
"""

RAISING = """
def divide(a, b):
    try:
        return a / b
    except ZeroDivisionError as error:
        raise ValueError("cannot") from error


divide(1, 0)
"""

JOKES = """
import asyncio
import sys

from flows.jokes import JokeFlow


async def main():
    print(await JokeFlow(timeout=10).run(topic=sys.argv[1]))


asyncio.run(main())
"""

FLOW = """
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step


class JokeFlow(Workflow):
    @step
    async def tell(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=f"A joke about {ev.topic}, by {Workflow.__module__}")
"""


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("source", "code", "end"),
    [
        pytest.param(FACTS, 0, "", id="what a script sees"),
        pytest.param("import sys\nsys.exit('bye')", 1, "bye\n", id="exit with words"),
        pytest.param("raise SystemExit(7)", 7, "", id="exit with a code"),
        pytest.param(RAISING, 1, "ValueError: cannot\n", id="exception with a cause"),
        pytest.param("x = 1\ndef (:\n", 1, "SyntaxError: invalid syntax\n", id="no Python"),
        pytest.param("raise KeyboardInterrupt", -signal.SIGINT, "KeyboardInterrupt\n", id="interrupted"),
        pytest.param("# coding: latin-1\nprint(len('\xe9'))", 0, "", id="encoding"),
    ],
)
def test_script_runs_as_python_runs_it(tmp_path: Path, source: str, code: int, end: str) -> None:
    """Byte for byte the same output, the same words on the error stream, the same end."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "script.py").write_text(source, encoding="latin-1")
    arguments = ("folder/script.py", "one", "--two")
    plain, ours = python(tmp_path, *arguments), python(tmp_path, "-m", "treadle.compat", *arguments)
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert ours.returncode == code
    assert ours.stderr.endswith(end)


def test_script_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    missing = python(tmp_path, "-m", "treadle.compat", "nowhere.py")
    assert missing.returncode == 2
    assert missing.stderr.endswith("nowhere.py': [Errno 2] No such file or directory\n")
    unnamed = python(tmp_path, "-m", "treadle.compat")
    assert (unnamed.returncode, unnamed.stderr.splitlines()[0].startswith("usage:")) == (2, True)


def test_script_and_the_modules_beside_it_get_treadle(tmp_path: Path) -> None:
    """Also what is imported from beside the script, which no rewriting of the script would reach."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "jokes.py").write_text(FLOW)
    (tmp_path / "script.py").write_text(JOKES)
    told = python(tmp_path, "-m", "treadle.compat", "script.py", "pirates")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == "A joke about pirates, by treadle.engine.workflow\n"


def test_folder_called_workflows_shadows_nothing_and_is_reached(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "jokes.py").write_text(FLOW.replace("llama_index.core.workflow", "workflows"))
    (tmp_path / "workflows" / "events.py").write_text("raise AssertionError('not this one')")
    (tmp_path / "script.py").write_text(
        JOKES.replace("flows.jokes", "workflows.jokes") + "import workflows.events as e; print(e.Event.__module__)"
    )
    told = python(tmp_path, "-m", "treadle.compat", "script.py", "pirates")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == "A joke about pirates, by treadle.engine.workflow\ntreadle.engine.events\n"


def test_package_of_the_users_own_called_workflows_stays_theirs(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "__init__.py").write_text("mine = 'mine'")
    (tmp_path / "workflows" / "events.py").write_text("mine = 'mine too'")
    (tmp_path / "workflows" / "jokes.py").write_text(FLOW)
    (tmp_path / "script.py").write_text(
        "import workflows, workflows.events\nprint(workflows.mine, workflows.events.mine)\n"
        + JOKES.replace("flows.jokes", "workflows.jokes")
    )
    told = python(tmp_path, "-m", "treadle.compat", "script.py", "pirates")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == "mine mine too\nA joke about pirates, by treadle.engine.workflow\n"


def test_name_that_is_missing_ends_a_script_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("from workflows.context.state_store import DictState\n")
    told = python(tmp_path, "-m", "treadle.compat", "script.py")
    assert told.returncode == 1
    assert "DictState for workflows.context.state_store: the state of a run is `ctx.store`" in told.stderr
