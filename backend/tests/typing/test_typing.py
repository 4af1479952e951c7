"""The public face as a type checker sees it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import treadle

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SAMPLE = HERE / "typed_api.py"
MISTAKES = HERE / "mistakes.py"


def test_sample_uses_every_public_name() -> None:
    (face,) = (
        node
        for node in ast.parse(SAMPLE.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom) and node.module == "treadle"
    )
    assert {alias.name for alias in face.names} == set(treadle.__all__)


def test_checker_accepts_the_sample_and_refuses_the_mistakes() -> None:
    """mypy, strict, with the project's own settings: no complaint about one file, those expected about the other."""
    found = check(SAMPLE, MISTAKES)
    expected = {
        (MISTAKES.name, number, code)
        for number, line in enumerate(MISTAKES.read_text(encoding="utf-8").splitlines(), 1)
        for codes in re.findall(r"  # error: ([\w, -]+)$", line)
        for code in codes.split(", ")
    }
    assert len(expected) > 20
    assert sorted(found - expected) == []
    assert sorted(expected - found) == []


def test_sample_runs() -> None:
    """What the checker believes about the sample is also what happens."""
    ran = subprocess.run([sys.executable, SAMPLE], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.stdout, ran.stderr) == ("4\n", "")


def check(*files: Path) -> set[tuple[str, int, str]]:
    """File, line and code of every error mypy finds in `files`."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", *map(str, files)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert told.returncode in (0, 1), told.stderr
    errors = re.findall(r"^(.*?):(\d+): error: .*\[([\w-]+)\]$", told.stdout, re.MULTILINE)
    assert len(errors) == told.stdout.count(": error: "), told.stdout
    return {(Path(file).name, int(line), code) for file, line, code in errors}
