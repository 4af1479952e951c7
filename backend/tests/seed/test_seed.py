"""Every Python block of the seed that concerns the engine, run as it is printed.

A block that uses a name the seed never defines cannot run as printed: those are the exceptions, shown in the report as
expected failures with their reason, and run once more with the name supplied.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from seed.blocks import Block, blocks, python_blocks
from seed.plan import ENGINE_ENDS, INTO, PARTS, PLAN
from seed.scene import LeftOut, Scene, Undefined
from seed.script import Script, bound_names, used_names

Desk = Callable[[Scene], Script]

# Blocks that cannot run as printed, by their first line: the names they use and the seed never defines. The fragments
# that the seed leaves incomplete itself (916, 923, 943, 994, 1119) are no exceptions: put together, they run.
EXCEPTIONS = {
    430: {"StepThreeEvent"},
    463: {f"Step{letter}{kind}" for letter in "ABC" for kind in ("Event", "CompleteEvent")},
    705: {f"Step{letter}{kind}" for letter in "ABC" for kind in ("Event", "CompleteEvent")},
    1016: {"QueryEvent", "RetrieveEvent"},
    1105: {"flaky_call"},
    1209: {"llm"},
}

# Blocks that run as printed after an import that the seed leaves to its reader
LEFT_OUT = {
    189: {"random"},
    207: {"random"},
    411: {"random"},
    430: {"random"},
    1119: {"Optional"},
    1126: {"Optional"},
    1144: {"InputRequiredEvent", "HumanResponseEvent"},
    1172: {"InputRequiredEvent", "HumanResponseEvent"},
}


def block_of(line: int) -> Block:
    """The block that begins at `line`, or the part of it that concerns the engine."""
    return blocks()[line].part(*PARTS[line]) if line in PARTS else blocks()[line]


def title(scene: Scene) -> str:
    return "-".join(filter(None, (f"line-{scene.line:04}", block_of(scene.line).title, scene.note)))


def supplied(kind: type[LeftOut | Undefined], scene: Scene) -> set[str]:
    """The names that text of that kind supplies and the block itself uses."""
    sources = [item.source for item in scene.before if isinstance(item, kind)]
    names = {name for source in sources for name in bound_names(ast.parse(source).body)}
    return names & used_names(block_of(scene.line).body)


def prepare(script: Script, scene: Scene, *, without: type | None = None) -> None:
    """Run what comes before the block."""
    for item in scene.before:
        if isinstance(item, int):
            script.run_block(block_of(item), into=INTO.get(item))
        elif without is None or not isinstance(item, without):
            script.run_source(item.source)
    random.seed(scene.lots)


def perform(script: Script, scene: Scene) -> None:
    """Run the block and what the reader types next."""
    script.run_block(block_of(scene.line), into=INTO.get(scene.line))
    script.run_source(scene.then)


@pytest.mark.parametrize("scene", PLAN, ids=title)
def test_block_runs_as_printed(scene: Scene, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    script = desk(scene)
    prepare(script, scene)
    capsys.readouterr()
    if scene.raises:
        with pytest.raises(Exception) as caught:  # noqa: PT011 -- type and message are compared below, as text
            perform(script, scene)
        assert f"{caught.type.__name__}: {caught.value}" == scene.raises
    else:
        perform(script, scene)
    text = capsys.readouterr().out
    if scene.prints is not None:
        assert text == scene.prints
    if scene.mixes:
        assert_mixed(text, scene.mixes)
    assert {name: script.names[name] for name in scene.leaves} == scene.leaves
    for picture in scene.draws:
        page = Path(picture.name).read_text(encoding="utf-8")
        assert references(page) == []
        assert [word for word in picture.shows if word not in page] == []
        assert [word for word in picture.hides if word in page] == []


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(
            scene,
            id=f"line-{scene.line:04}",
            marks=pytest.mark.xfail(
                raises=NameError, reason=f"the seed never defines {', '.join(sorted(supplied(Undefined, scene)))}"
            ),
        )
        for scene in {scene.line: scene for scene in PLAN if supplied(Undefined, scene)}.values()
    ],
)
def test_exception_cannot_run_as_printed(scene: Scene, desk: Desk) -> None:
    """Without the name supplied it stops at that very name."""
    script = desk(scene)
    prepare(script, scene, without=Undefined)
    try:
        perform(script, scene)
    except NameError as error:
        assert error.name in supplied(Undefined, scene)  # noqa: PT017 -- the error itself goes on, as expected
        raise


def test_exceptions_are_these() -> None:
    by_line = {scene.line: supplied(Undefined, scene) for scene in PLAN}
    assert {line: names for line, names in by_line.items() if names} == EXCEPTIONS


def test_imports_left_out_are_these() -> None:
    by_line = {scene.line: supplied(LeftOut, scene) for scene in PLAN}
    assert {line: names for line, names in by_line.items() if names} == LEFT_OUT


def test_no_block_of_the_seed_binds_what_is_supplied() -> None:
    """Names are supplied only where the whole seed has no import and no definition to take them from."""
    bound = {name for block in python_blocks() for name in bound_names(block.body)}
    missing = set().union(*EXCEPTIONS.values(), *LEFT_OUT.values())
    assert missing & bound == set()


def test_plan_has_every_block() -> None:
    """All of the engine's part, and whatever defines a workflow after it."""
    wanted = {block.first for block in python_blocks() if block.first <= ENGINE_ENDS or defines_workflow(block)}
    assert {scene.line for scene in PLAN} == wanted


def defines_workflow(block: Block) -> bool:
    classes = [node for node in block.body if isinstance(node, ast.ClassDef)]
    return any(isinstance(base, ast.Name) and base.id == "Workflow" for node in classes for base in node.bases)


def assert_mixed(text: str, parts: tuple[str, ...]) -> None:
    """`text` is the lines of `parts`, each part in its order."""
    lines = text.splitlines()
    assert sorted(lines) == sorted(line for part in parts for line in part.splitlines())
    for part in parts:
        rest = iter(lines)
        assert all(line in rest for line in part.splitlines())


def references(page: str) -> list[str]:
    """What an HTML page would fetch from elsewhere."""
    found = re.findall(r"@import|url\(\s*['\"]?(?:https?:)?//", page)

    class Attributes(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value for name, value in attrs if name in {"src", "href"} and value and value[0] != "#")

    parser = Attributes()
    parser.feed(page)
    parser.close()
    return [value for value in found if not value.startswith("data:")]
