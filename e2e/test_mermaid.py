"""Mermaid as its readers have it: the real parser, in a real browser, takes whatever is exported."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from studio import ROOT
from treadle.registry.loader import load_file, workflows_in
from treadle.visualizer.compact import compacted
from treadle.visualizer.geometry import Direction
from treadle.visualizer.graph import Edge, Graph, Node, known_edges
from treadle.visualizer.mermaid import mermaid
from treadle.visualizer.overlay import overlay_of
from treadle.visualizer.possible import flows_of

LIBRARY = Path(__file__).resolve().parent / "vendor" / "mermaid.tiny.js"
GALLERY = sorted(path for path in (ROOT / "workflows").glob("*.py") if not path.name.startswith("_"))
STRANGE = (
    "a Direction LR b",
    "end", "End", "graph", "subgraph", "class", "style", "click", "default", "linkStyle", "direction TB", "o", "x",
    "", " ", '"', '""', "'", "`code`", "`", "a[b]", "(a)", "{a}", "[[a]]", "((a))", "a|b", "a --> b", "-->", "%% no",
    "%%{init: {}}%%", "#quot;", "#", "#35;", "&amp;", "<b>bold</b>", "<script>alert(1)</script>", "a;b", "a:::b",
    "style a:#fff;", "classDef x fill:#fff;", "a\\nb", "line\nbreak", "tab\there", "1. one", "- item", "# head",
    "漢字イベント", "Ünïcödé", "🧵 loom", "\u202eright to left", "\ud800", "\x00\x1b", "$$x^2$$", "@{ shape: x }",
    "a@b",
    "click n0 href", "n" * 300, "---", "fa:fa-car", "~~~", "==>", "&",
)  # fmt: skip
PARSE = """async (texts) => {
  const failed = [];
  for (const text of texts) {
    try { await mermaid.parse(text); } catch (error) { failed.push([text, String(error)]); }
  }
  return failed;
}"""
LABELS = """async (text) => {
  const { svg } = await mermaid.render("drawing", text);
  const page = new DOMParser().parseFromString(svg, "text/html");
  return [...page.querySelectorAll(".node .nodeLabel")].map((label) => label.textContent);
}"""


@pytest.fixture
def parser(window: Callable[..., BrowserContext]) -> Iterator[Page]:
    """A page that has Mermaid and nothing else."""
    page = window().new_page()
    page.set_content("<body></body>")
    page.add_script_tag(path=LIBRARY)
    page.evaluate("() => mermaid.initialize({ startOnLoad: false })")
    yield page
    page.close()


def parsed(parser: Page, texts: list[str]) -> None:
    failed = parser.evaluate(PARSE, texts)
    assert not failed, f"{len(failed)} of {len(texts)}: {failed[0][1]}\n{failed[0][0]}"


def forms(graph: Graph) -> Iterator[str]:
    """Everything a graph can be told as."""
    directions: tuple[Direction, ...] = ("TB", "LR")
    for one in (graph, compacted(graph)):
        for direction in directions:
            yield mermaid(one, direction=direction)
        yield mermaid(one, overlay=overlay_of(one, counts_of(one), run_status="running"), theme="dark")


def counts_of(graph: Graph) -> dict[str, object]:
    """Every step in another status."""
    ways = ({"started": 3, "done": 3}, {"started": 1, "running": 1}, {"started": 1, "failed": 1}, {"waiting": 1}, {})
    steps = [node.name for node in graph.nodes if node.kind == "step"]
    return {
        "steps": {name: ways[at % len(ways)] for at, name in enumerate(steps)},
        "events": {node.name: 2 for node in graph.nodes if node.kind == "event"},
        "edges": {edge.key: at for at, edge in enumerate(graph.edges)},
        "joins": {name: {"have": 1, "need": 3, "waiting_for": ["A", "B"]} for name in steps[:2]},
    }


def test_gallery_is_understood(parser: Page) -> None:
    texts = [
        text
        for path in GALLERY
        for name, workflow in workflows_in(load_file(path)).items()
        for expand in (False, True)
        for text in forms(flows_of(name, workflow.table, expand=expand))
    ]
    assert len(texts) >= 12 * len(GALLERY)
    parsed(parser, texts)


def test_strange_names_are_understood(parser: Page) -> None:
    texts = []
    for name in STRANGE:
        nodes = {
            f"step:{name}": Node(f"step:{name}", "step", name, "step"),
            f"event:{name}": Node(f"event:{name}", "event", name, "plain"),
            "flow:f": Node("flow:f", "workflow", name, "workflow"),
            "step:in": Node("step:in", "step", name, "step", inside="flow:f"),
            "step:2": Node("step:2", "step", "next", "step"),
        }
        ends = [*nodes][:2]
        edges = [Edge(*ends), Edge(ends[1], "step:2"), Edge("step:2", "flow:f"), Edge("step:2", "step:2", ("e",), name)]
        texts += forms(Graph(name, tuple(nodes.values()), known_edges(edges, nodes)))
    parsed(parser, [text.encode("utf-8", "replace").decode() for text in texts])


def test_strange_names_are_read_as_they_are(parser: Page) -> None:
    names = [name for name in STRANGE if name.isprintable() and 0 < len(" ".join(name.split())) <= 36]
    names = [" ".join(name.split()) for name in names if not name.startswith(("fa:", "$$"))]
    nodes = tuple(Node(f"step:{at}", "step", name, "step") for at, name in enumerate(names))
    assert parser.evaluate(LABELS, mermaid(Graph("Names", nodes))) == names


def test_random_graphs_are_understood(parser: Page) -> None:
    texts: list[str] = []
    for seed in range(100):
        lots = random.Random(seed)
        nodes: dict[str, Node] = {}
        for at in range(lots.randint(0, 20)):
            kind, role = lots.choice((("step", "step"), ("event", "plain"), ("event", "start"), ("event", "stop")))
            name = "".join(lots.choices("abcXYZ_ 漢\"'[](){}<>#;:%&|`\\-=.~@!", k=lots.randint(1, 14)))
            inside = lots.choice([None, *nodes]) if lots.random() < 0.2 else None
            nodes[f"{kind}:{at}"] = Node(f"{kind}:{at}", kind, name, role, inside=inside)  # type: ignore[arg-type]
        edges = [Edge(lots.choice([*nodes]), lots.choice([*nodes])) for _ in range(2 * len(nodes))]
        texts += forms(Graph(f"Random {seed}", tuple(nodes.values()), known_edges(edges, nodes)))
    parsed(parser, texts)
