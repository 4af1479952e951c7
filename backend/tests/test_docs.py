"""What the documents show, runs."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", ["events", "steps", "workflow"])
def test_docstring_examples_run(module: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(f"treadle.engine.{module}"))
    assert tried > 0
    assert failed == 0


async def test_readme_workflow_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, type] = {"__name__": "readme"}
    exec(code, names)
    assert await names["Hello"]().run(name="Ada") == "Hello, Ada!"


def test_readme_pictures_are_there() -> None:
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).is_file(), picture
