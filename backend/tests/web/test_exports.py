"""Graphs as files over HTTP: every form of a workflow and of a run, and clear words for what there is not."""

from __future__ import annotations

import json
import re
import sys
from html import unescape
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from .conftest import Rows

COUNTS = {
    "steps": {"ask": {"started": 2, "running": 0, "done": 2, "failed": 0, "waiting": 0}},
    "events": {"StartEvent": 1},
    "edges": {"event:StartEvent>step:ask": 2},
}
TYPES = {
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "mmd": "text/plain; charset=utf-8",
    "json": "application/json",
}


@pytest.mark.parametrize("form", TYPES)
@pytest.mark.parametrize("path", ["/workflows/Asking/graph", "/runs/r_1/graph"])
def test_graph_comes_in_every_form(form: str, path: str, studio: TestClient, rows: Rows) -> None:
    rows.run("r_1", counts=json.dumps(COUNTS))
    answer = studio.get(f"{path}.{form}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == TYPES[form]
    name = "Asking" if "workflows" in path else "Asking-r_1"
    assert answer.headers["content-disposition"] == f'inline; filename="{name}.{form}"'
    saved = studio.get(f"{path}.{form}?download=1")
    assert saved.content == answer.content
    assert saved.headers["content-disposition"].startswith("attachment;")


def test_run_is_drawn_with_its_counts(studio: TestClient, rows: Rows) -> None:
    rows.run("r_1", "failed", counts=json.dumps(COUNTS))
    data = studio.get("/runs/r_1/graph.json").json()
    assert data["run"]["status"] == "failed"
    assert {node["id"]: node["mark"]["count"] for node in data["nodes"]}["step:ask"] == 2
    only = studio.get("/runs/r_1/graph.json?show=only").json()
    assert {node["id"] for node in only["nodes"]} == {"event:StartEvent", "step:ask"}
    assert "Run r_1: failed" in studio.get("/runs/r_1/graph.html").text


def test_options_are_in_the_address(studio: TestClient) -> None:
    options = urlencode({"theme": "print", "direction": "LR", "legend": 1, "caption": "<Fig. 1>", "compact": 1})
    svg = studio.get(f"/workflows/Asking/graph.svg?{options}").text
    assert "&lt;Fig. 1&gt;" in svg and "fill: #ffffff" in svg
    assert studio.get(f"/workflows/Asking/graph.json?{options}").json()["direction"] == "LR"


def test_run_can_be_left_out_of_its_picture(studio: TestClient, rows: Rows) -> None:
    rows.run("r_1", counts=json.dumps(COUNTS))
    assert studio.get("/runs/r_1/graph.json?show=flows").json()["run"] is None


@pytest.mark.parametrize("path", ["/workflows/Asking", "/runs/r_1"])
def test_export_page_is_a_form_with_plain_links(path: str, studio: TestClient, rows: Rows) -> None:
    rows.run("r_1", counts=json.dumps(COUNTS))
    assert f'href="{path}/export" data-export' in studio.get(path).text
    page = studio.get(f"{path}/export?theme=dark&legend=1&caption=%3CFig%3E").text
    assert f'<img src="{path}/graph.svg?theme=dark&amp;legend=1&amp;caption=%3CFig%3E"' in page
    assert 'value="dark" checked' in page and 'value="&lt;Fig&gt;"' in page
    for link in re.findall(r'href="([^"]+/graph[^"]+)"', page):
        assert studio.get(unescape(link)).status_code == 200
    assert len(re.findall(r"data-form=", page)) == 6
    assert ('name="show"' in page) == path.startswith("/runs")


@pytest.mark.parametrize("query", ["theme=pink", "direction=XY", "scale=99", "compact=perhaps"])
def test_options_that_do_not_exist_are_refused(query: str, program: TestClient) -> None:
    answer = program.get(f"/workflows/Asking/graph.svg?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json()["message"]


def test_other_forms_are_refused_by_name(program: TestClient) -> None:
    answer = program.get("/workflows/Asking/graph.pdf")
    assert answer.status_code == 404
    assert "html, svg, png, mmd or json" in answer.json()["message"]


def test_png_without_its_library_says_what_to_install(program: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    answer = program.get("/workflows/Asking/graph.png")
    assert answer.status_code == 501
    assert answer.json()["code"] == "extra_missing" and "treadle[png]" in answer.json()["message"]


def test_schema_of_the_json_is_served(studio: TestClient) -> None:
    assert studio.get("/static/graph.schema.json").json()["title"] == "Treadle graph"
