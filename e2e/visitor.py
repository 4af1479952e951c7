"""Somebody at a browser window of a studio: what they do there again and again, and what they can see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from studio import Studio

PATIENCE = 120_000  # milliseconds until workers have loaded everything, on a machine with much else to do
# What a browser and htmx say about an answer that was no success, or that never came.
CONNECTION_ERROR = re.compile(r"Failed to load resource|Failed to fetch|network error")
# The live canvas of the graph, asked through the module that drew it.
CANVAS = """async () => {
  const { canvasOf } = await import(document.querySelector('script[src*="js/graph.js"]').src);
  const canvas = canvasOf(document.querySelector(".graph"));
  return Object.fromEntries(canvas.elements("node.node, edge").map((part) => [part.id(), part.data("status")]));
}"""
# What the server's picture says, the way a reader meets it: status class and the letters drawn.
PICTURE = """(svg) => {
  const status = (part) => [...part.classList].find((name) => name.startsWith("is-") && !/^is-(event|step|person|back)$/
    .test(name)) ?? "";
  const nodes = [...svg.querySelectorAll("[data-node]")].map((node) => [
    node.dataset.node, [status(node), node.querySelector(".graph-count").textContent]]);
  const edges = [...svg.querySelectorAll("[data-edge]")].map((edge) => [edge.dataset.edge, [status(edge),
    svg.querySelector(`[data-edge-label="${CSS.escape(edge.dataset.edge)}"]`).textContent]]);
  return Object.fromEntries([...nodes, ...edges]);
}"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A page of a studio, logged in."""

    page: Page
    studio: Studio

    def open(self, path: str) -> Page:
        self.page.goto(self.studio.url + path)
        return self.page

    def start(self, workflow: str, fields: dict[str, Any] | None = None, *, held: bool = False) -> str:
        """Start a run the way a program does; return its id. The page must be one of the studio's."""
        token = self.page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
        address = f"{self.studio.url}/workflows/{workflow}/runs?held={str(held).lower()}"
        answer = self.page.request.post(address, data=fields or {}, headers={"X-CSRF-Token": token})
        assert answer.status == 201, answer.text()
        return str(answer.json()["id"])

    def run_from_form(self, workflow: str, fields: dict[str, str] | None = None, *, held: bool = False) -> str:
        """Fill in the start form, press Run, arrive on the run's page; return the run's id."""
        self.open(f"/workflows/{workflow}")
        self.fill(fields or {})
        if held:
            self.page.get_by_label("step by step").check()
        self.page.get_by_role("region", name="Start a run").get_by_role("button", name="Run", exact=True).click()
        self.page.wait_for_url("**/runs/*")
        return urlsplit(self.page.url).path.rpartition("/")[2]

    def fill(self, fields: dict[str, str]) -> None:
        for name, value in fields.items():
            self.field(name).fill(value)

    def field(self, name: str) -> Locator:
        return self.page.get_by_label(re.compile(rf"^{name}\b"))

    def answer(self, text: str) -> None:
        """Answer the prompt that is shown."""
        self.field("response").fill(text)
        self.page.get_by_role("button", name="Send answer").click()

    def expect_status(self, status: str) -> None:
        expect(self.page.locator("#run-header")).to_have_attribute("data-run-status", status)

    @property
    def rows(self) -> Locator:
        """The event rows of a run."""
        return self.page.locator("#entries > li")

    @property
    def banner(self) -> Locator:
        """The line that says that live updates are lost."""
        return self.page.get_by_role("status").filter(has_text="Live updates lost")

    def await_workflow(self, name: str) -> None:
        """Wait on the first page, which is live, until a worker has told of a workflow."""
        self.open("/")
        link = self.page.get_by_role("link", name=f"Run {name}", exact=True)
        expect(link).to_be_visible(timeout=PATIENCE)

    def node(self, name: str) -> Locator:
        """A node of the graph, by its id: `step:judge_query`."""
        return self.page.locator(f'.graph-svg [data-node="{name}"]')

    def expect_node(self, name: str, status: str, *, count: str = "") -> None:
        node = self.node(name)
        expect(node).to_have_class(re.compile(rf"\bis-{status}\b"))
        expect(node.locator(".graph-count")).to_have_text(count)

    def expect_edge(self, key: str, status: str, *, count: str = "") -> None:
        expect(self.page.locator(f'.graph-svg [data-edge="{key}"]')).to_have_class(re.compile(rf"\bis-{status}\b"))
        expect(self.page.locator(f'.graph-svg [data-edge-label="{key}"]')).to_have_text(count)

    def graph(self) -> dict[str, list[str]]:
        """Every node and edge of the picture: its status class and the count drawn on it."""
        return dict(self.page.locator(".graph-svg").evaluate(PICTURE))

    def canvas(self) -> dict[str, str]:
        """Every node and edge of the canvas over the picture: its status."""
        return dict(self.page.evaluate(CANVAS))

    def mark(self) -> None:
        """Leave a mark in the page that a reload would wipe."""
        self.page.evaluate("() => { window.marked = true; }")

    def expect_marked(self) -> None:
        assert self.page.evaluate("() => window.marked") is True, "the page was loaded anew"
