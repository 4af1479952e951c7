"""`treadle draw` of a run that a database remembers: as it is, as it was, the newest, and one that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from store.remembering import Remembered
from treadle.cli import cli
from treadle.errors import WorkflowRuntimeError


def drawn(remembered: Remembered, target: str, output: Path, *options: str) -> str:
    arguments = ["draw", target, "-o", str(output), "--database", remembered.url, *options]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=True)
    if result.exception is not None:
        raise result.exception
    return output.read_text(encoding="utf-8")


def test_run_is_drawn_as_it_is_and_as_it_was(remembered: Remembered, tmp_path: Path) -> None:
    run = remembered.ids["chain"]
    whole = json.loads(drawn(remembered, run, tmp_path / "whole.json"))
    early = json.loads(drawn(remembered, run, tmp_path / "early.json", "--at", "1", "--only"))
    assert whole["run"] == {"status": "completed", "at": None}
    assert early["run"]["at"] == 1
    assert len(early["nodes"]) < len(whole["nodes"])


def test_page_of_a_run_replays_its_journal(remembered: Remembered, tmp_path: Path) -> None:
    page = drawn(remembered, remembered.ids["fan"], tmp_path / "fan.html", "--compact", "--theme", "dark")
    data = json.loads(page.partition('id="replay">')[2].partition("</script>")[0])
    assert len(data["frames"]) > 3
    assert "completed" in page


def test_unknown_run_says_where_it_was_looked_for(remembered: Remembered, tmp_path: Path) -> None:
    with pytest.raises(WorkflowRuntimeError, match="There is no run r_gone in the database"):
        drawn(remembered, "r_gone", tmp_path / "x.svg")
    assert not list(tmp_path.glob("x.*"))
