"""A file written for LlamaIndex, imports and all: it runs as a script and is in the studio."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect

from conftest import HERE
from visitor import Visitor

SCRIPT = HERE / "flows" / "llama.py"


def test_script_runs_unchanged(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "treadle.compat", str(SCRIPT)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (told.stdout, told.stderr) == ("Dear Ada!\n", "")
    assert "LetterWorkflow" in (tmp_path / "letter.html").read_text()


def test_file_is_in_the_studio_and_runs(visitor: Visitor) -> None:
    visitor.open("/workflows/LetterWorkflow")
    for node in ("event:StartEvent", "step:draft", "event:DraftEvent", "step:review", "event:ReviewedEvent"):
        expect(visitor.node(node)).to_be_attached()
    visitor.run_from_form("LetterWorkflow", {"to": "Grace"})
    visitor.expect_status("completed")
    expect(visitor.page.get_by_text("Dear Grace!").first).to_be_visible()
    visitor.expect_edge("event:DraftEvent>step:review", "done", count="×2")
