"""The blocks of the seed: where its code is, found without the fences the text has lost.

A Python block is a maximal run of lines that parse as statements, each of which does something: a heading such as
`Visualization#` parses too, but only names a thing. Line numbers count from 1, as an editor shows them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

SEED = Path(__file__).with_name("seed.txt")

Kind = Literal["python", "shell", "printed"]

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

COMMANDS = ("pip install ", "poetry add ", "llama-agents monitor ")
GOES_ON = (" ", ")", "]", "}", "else:", "elif ", "except", "finally:")
"""How a line begins that belongs to the statement above it."""

ANNOUNCED = ("The full output will be", "We get:", "Which will instead give us", "And you'll see output like this:")
"""How the prose ends where the seed prints what a block prints."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines `first` to `last` of the seed."""

    first: int
    last: int
    kind: Kind
    text: str

    @property
    def body(self) -> list[ast.stmt]:
        """The statements of a Python block, at their lines in the seed."""
        return ast.parse("\n" * (self.first - 1) + self.text, SEED.name).body

    @property
    def title(self) -> str:
        """The last class or function the block defines, else what it does first, its imports aside."""
        named = [node.name for node in self.body if isinstance(node, Definition)]
        acts = [ast.unparse(node) for node in self.body if not isinstance(node, ast.Import | ast.ImportFrom)]
        return named[-1] if named else re.sub(r"\W+", "-", acts[0].partition("(")[0]) if acts else "imports"

    def part(self, first: int, last: int) -> Block:
        """The same block without what comes before line `first` and after line `last`."""
        lines = self.text.splitlines()[first - self.first : last - self.first + 1]
        return Block(first, last, self.kind, "\n".join(lines))


@cache
def seed_lines() -> tuple[str, ...]:
    return tuple(SEED.read_text(encoding="utf-8").splitlines())


def printed(first: int, last: int) -> str:
    """Lines of the seed as `print` would write them."""
    return "\n".join(seed_lines()[first - 1 : last]) + "\n"


@cache
def blocks() -> dict[int, Block]:
    """Every block of the seed by its first line."""
    lines = seed_lines()
    found: dict[int, Block] = {}
    at = 0
    while at < len(lines):
        kind, end = _block_at(lines, at)
        if kind is not None:
            found[at + 1] = Block(at + 1, end, kind, "\n".join(lines[at:end]))
        at = end
    return found


def python_blocks() -> Iterator[Block]:
    return (block for block in blocks().values() if block.kind == "python")


def _block_at(lines: tuple[str, ...], at: int) -> tuple[Kind | None, int]:
    """What begins at index `at`, and the index after its last line."""
    if lines[at].startswith(COMMANDS):
        return "shell", at + 1
    if (end := _code_end(lines, at)) > at:
        return "python", end
    if (end := _listing_end(lines, at)) > at:
        return "printed", end
    return None, at + 1


def _code_end(lines: tuple[str, ...], at: int) -> int:
    """The end of the run of statements at `at`, with the comments and blank lines in it; `at` if there is none."""
    end = cursor = at
    while cursor < len(lines):
        if lines[cursor].startswith("# "):
            cursor += 1
            end = cursor if end > at else end
        elif not lines[cursor] and cursor > at:
            cursor += 1
        elif (after := _statement_end(lines, cursor)) is not None:
            cursor = end = after
        else:
            break
    return end


def _statement_end(lines: tuple[str, ...], at: int) -> int | None:
    """The end of the one statement at `at`, None if what stands there is no statement."""
    end = at + 1
    while end < len(lines) and (not lines[end] or lines[end].startswith(GOES_ON) or lines[end - 1].startswith("@")):
        end += 1
    while not lines[end - 1]:
        end -= 1
    try:
        (node,) = ast.parse("\n".join(lines[at:end])).body
    except (SyntaxError, ValueError):
        return None
    return end if _acts(node) else None


def _acts(node: ast.stmt) -> bool:
    return not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call | ast.Await)


def _listing_end(lines: tuple[str, ...], at: int) -> int:
    """The end of a listing of printed lines at `at`: told of above two blank lines, over where prose goes on."""
    if at < 3 or any(lines[at - 2 : at]) or not lines[at - 3].endswith(ANNOUNCED):
        return at
    end = at
    while lines[end] and not lines[end].endswith((":", "#")):
        end += 1
    return end
