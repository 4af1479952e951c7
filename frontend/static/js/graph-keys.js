// The graph from the keyboard: arrows follow the edges, + - 0 zoom and fit, m and d draw it another way.

import { choose, chosenIn } from "./graph-choice.js";
import { fitGraph } from "./graph-canvas.js";
import { zoomBy } from "./graph-tools.js";

const MANY = 40;
const graphs = new Set();

function listOf(node, name) {
  return JSON.parse(node.getAttribute(`data-${name}`) ?? "[]");
}

// Ways on lead down in a graph from top to bottom and to the right in one from left to right.
function ahead(node, key, direction) {
  const beside = listOf(node, "beside");
  const [next, prev] = [listOf(node, "next")[0], listOf(node, "prev")[0]];
  const along = direction === "LR" ? ["ArrowRight", "ArrowLeft"] : ["ArrowDown", "ArrowUp"];
  const across = direction === "LR" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
  return { [along[0]]: next, [along[1]]: prev, [across[0]]: beside[0], [across[1]]: beside[1] }[key];
}

export function addKeys(state) {
  graphs.add(state);
  const { svg, source } = state;
  const nodes = [...svg.querySelectorAll("[data-node]")];
  // In a large graph the tab key goes past it after one node; arrows go on from there.
  if (nodes.length > MANY) nodes.forEach((node, at) => node.setAttribute("tabindex", at ? "-1" : "0"));
  svg.addEventListener("focusin", ({ target }) => {
    const node = target.closest("[data-node]");
    if (!node) return;
    if (nodes.length > MANY) nodes.forEach((other) => other.setAttribute("tabindex", other === node ? "0" : "-1"));
    if (node.matches(":focus-visible")) reveal(state, node.dataset.node);
  });
  svg.addEventListener("keydown", (event) => {
    const node = event.target.closest("[data-node]");
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) {
      const goal = ahead(node, event.key, source.direction);
      event.preventDefault();
      event.stopPropagation();
      if (goal) svg.querySelector(`[data-node="${CSS.escape(goal)}"]`)?.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      choose(state, node.dataset.node, { again: true });
    } else if (event.key === "Escape" && chosenIn(state)) choose(state, "");
  });
}

// The camera follows the focus, and only as far as it must.
function reveal({ cy, following }, id) {
  if (!cy || following) return;
  const node = cy.getElementById(id);
  if (node.empty()) return;
  const box = node.renderedBoundingBox();
  const shift = (low, high, size) => (low < 12 ? 12 - low : high > size - 12 ? size - 12 - high : 0);
  cy.panBy({ x: shift(box.x1, box.x2, cy.width()), y: shift(box.y1, box.y2, cy.height()) });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const state = [...graphs].find(({ container }) => container.isConnected);
  if (!state) return;
  const { cy, source, container } = state;
  const canvas = cy && {
    "+": () => zoomBy(state, 1.25), "=": () => zoomBy(state, 1.25), "-": () => zoomBy(state, 0.8),
    0: () => fitGraph(cy, source.bounds),
  }[event.key];
  const link = container.closest(".graph-region")?.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (canvas) canvas();
  else if (link) link.click();
  else return;
  event.preventDefault();
});
