"""What the documents show, runs; and what the public face says about itself, too."""

from __future__ import annotations

import ast
import contextlib
import doctest
import inspect
import io
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import treadle
from treadle import errors

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [path for path in sorted((ROOT / "docs").rglob("*.md")) if "```python\n" in path.read_text(encoding="utf-8")]
NAMES = sorted(treadle.__all__)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block that runs, the line its first line has on the page, and the output printed under it."""

    language: str
    code: str
    line: int
    output: str = ""

    @property
    def file(self) -> str | None:
        """The name of the file the block is, if it begins with one: `# counter.py`."""
        named = re.match(r"# ([\w.-]+\.py)\n", self.code)
        return named[1] if named else None


def blocks(page: str) -> list[Block]:
    """The blocks of a page that run, each with the ```text block next after it."""
    found: list[Block] = []
    for fence in re.finditer(r"^```(\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        language, code = fence.groups()
        if language == "text":
            last = found.pop()
            assert not last.output, f"line {last.line}: two outputs for one block"
            found.append(Block(last.language, last.code, last.line, code))
        else:
            found.append(Block(language, code, page[: fence.start(2)].count("\n") + 1))
    return found


async def run(block: Block, names: dict[str, Any], page: Path) -> str:
    """Run a block, or save it if it is a file; return what it printed."""
    if block.file:
        return save(block.file, block.code)
    if block.language == "sh":
        return run_commands(block.code)
    placed = "\n" * (block.line - 1) + block.code  # a traceback then points into the page
    code = compile(placed, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        awaited = eval(code, names)
        if code.co_flags & inspect.CO_COROUTINE:
            await awaited
    return printed.getvalue()


def save(file: str, code: str) -> str:
    Path(file).write_text(code, encoding="utf-8")
    return ""


def run_commands(lines: str) -> str:
    """Run shell lines with this interpreter and the commands installed beside it; return what they printed."""
    printed = ""
    for line in lines.splitlines():
        program, *arguments = shlex.split(line, comments=True)
        command = [str(Path(sys.executable).parent / program), *arguments]
        printed += subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return printed


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
async def test_page_prints_what_it_shows(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page are one session: later ones see what earlier ones defined; files land in an empty folder."""
    monkeypatch.chdir(tmp_path)
    page = ModuleType(f"page_{path.stem}")
    monkeypatch.setitem(sys.modules, page.__name__, page)
    for block in blocks(path.read_text(encoding="utf-8")):  # noqa: ASYNC240 - nothing runs yet that it could stop
        assert await run(block, vars(page), path) == block.output, f"{path.name}, block at line {block.line}"


def test_pages_are_read_with_their_output() -> None:
    """A block is paired with the output under it, and only with that; one without output must print nothing."""
    page = "# A\n```python\nprint(1)\n```\ntext\n```text\n1\n```\n\n```python\nx = 2\n```\n```sh\npython a.py\n```\n"
    assert blocks(page) == [
        Block("python", "print(1)\n", 3, "1\n"),
        Block("python", "x = 2\n", 11),
        Block("sh", "python a.py\n", 14),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_public_name_explains_itself(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a docstring, or a place in the tree of errors; its examples, and those of its methods, are true."""
    thing = getattr(treadle, name)
    if isinstance(thing, type) and issubclass(thing, treadle.TreadleError):
        assert re.search(rf"\b{name}\b", errors.__doc__ or "")
    else:
        assert thing.__doc__
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner()
    for examples in doctest.DocTestFinder().find(thing, name):
        assert runner.run(examples, out=sys.stderr.write).failed == 0


@pytest.mark.parametrize(
    "name",
    [
        "Context",
        "Event",
        "ExponentialBackoffRetryPolicy",
        "Resource",
        "RetryPolicy",
        "Workflow",
        "catch_error",
        "draw_all_possible_flows",
        "draw_most_recent_execution",
        "step",
    ],
)
def test_public_name_has_an_example(name: str) -> None:
    """The names one begins with show how; the test above has run what they show."""
    assert any(found.examples for found in doctest.DocTestFinder().find(getattr(treadle, name), name))


@pytest.mark.parametrize("name", NAMES)
def test_public_name_is_in_the_reference(name: str) -> None:
    reference = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
    assert re.search(rf"`@?{name}\b", reference)


async def test_readme_workflow_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, Any] = {"__name__": "readme"}
    exec(code, names)
    assert await names["Hello"]().run(name="Ada") == "Hello, Ada!"


def test_readme_pictures_are_there() -> None:
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).is_file(), picture
