"""A script typed in from the seed: block after block in one namespace, as a reader's notebook has it."""

from __future__ import annotations

import ast
import asyncio
from copy import copy
from inspect import iscoroutine
from types import ModuleType
from typing import Any

from seed.blocks import SEED, Block

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Script:
    """Runs blocks as they are printed, top-level `await` included, each statement at its line in the seed."""

    def __init__(self, runner: asyncio.Runner, module: ModuleType) -> None:
        self.names: dict[str, Any] = vars(module)
        self._runner = runner
        self._classes: dict[str, ast.ClassDef] = {}

    def run_block(self, block: Block, *, into: str | None = None) -> None:
        """Run `block`; what it shows alone, a method or a piece of a class, becomes part of the class `into`."""
        self._run([self._merged(node, into) for node in block.body], str(SEED))

    def run_source(self, source: str) -> None:
        """Run what is not in the seed."""
        self._run(ast.parse(source).body, "<plan>")

    def _run(self, body: list[ast.stmt], filename: str) -> None:
        self._classes.update({node.name: node for node in body if isinstance(node, ast.ClassDef)})
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(ast.Module(body, []), filename, "exec", flags, dont_inherit=True)
        awaited = eval(code, self.names)
        if iscoroutine(awaited):
            self._runner.run(awaited)

    def _merged(self, node: ast.stmt, into: str | None) -> ast.stmt:
        """The class `into` as it was last printed, with what `node` adds to it; other statements as they are."""
        if into is None:
            return node
        if isinstance(node, Function):
            return _extended(self._classes[into], [node])
        if isinstance(node, ast.ClassDef) and node.name == into:
            return _extended(self._classes[into], node.body)
        return node


def _extended(printed: ast.ClassDef, added: list[ast.stmt]) -> ast.ClassDef:
    """The printed class with members added: one of the same name takes the place of the older."""
    named = {node.name: node for node in added if isinstance(node, Function)}
    body = [named.pop(node.name, node) if isinstance(node, Function) else node for node in printed.body]
    rest = [node for node in added if not isinstance(node, Function) or node.name in named]
    extended = copy(printed)
    extended.body = [*body, *rest]
    return extended


def bound_names(body: list[ast.stmt]) -> set[str]:
    """The names that statements at the top of a block bind."""
    found = {node.name for node in body if isinstance(node, Function | ast.ClassDef)}
    acts = [node for node in body if not isinstance(node, Function | ast.ClassDef)]
    for node in (inner for act in acts for inner in ast.walk(act)):
        if isinstance(node, ast.alias):
            found.add(node.asname or node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def used_names(body: list[ast.stmt]) -> set[str]:
    """The names a block looks up, in its functions too."""
    loaded = (node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {node.id for node in loaded if isinstance(node.ctx, ast.Load)}
