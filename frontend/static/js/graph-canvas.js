// The graph on a canvas: Cytoscape on the coordinates the server computed. The camera moves only when it is asked to.

import { readColours, styleSheet } from "./graph-style.js";

// The first view shows all of a graph unless its words would be specks: then a readable size, from the top.
const SMALLEST = 0.25;
const READABLE = 0.7;

// Cytoscape adds a <style> unless an element of this id exists; the page's policy allows none, and graph.css has the rule.
function forgoInjectedStyle() {
  const id = "__________cytoscape_stylesheet";
  if (document.getElementById(id)) return;
  const stand = document.createElement("meta");
  stand.id = id;
  document.head.append(stand);
}

// Counts stand at the right end of a node, in their own colour, so they are labels of helper nodes.
function withCounts(elements) {
  const counts = elements.filter((item) => item.classes === "node").map(({ data, position }) => ({
    group: "nodes", classes: "count", selectable: false, grabbable: false,
    data: { id: `count:${data.id}`, text: data.kind === "person" ? "" : data.label, status: data.status },
    position: { x: position.x + data.w / 2 - 8, y: position.y },
  }));
  return [...elements, ...counts];
}

export function fitGraph(cy, bounds, { all = true } = {}) {
  const [width, height] = [cy.width(), cy.height()];
  const whole = Math.min(width / bounds.w, height / bounds.h, 1);
  const zoom = all || whole >= SMALLEST ? whole : READABLE;
  const spare = height - bounds.h * zoom;
  cy.viewport({ zoom, pan: {
    x: (width - bounds.w * zoom) / 2 - bounds.x * zoom,
    y: (spare > 0 ? spare / 2 : 0) - bounds.y * zoom,
  } });
}

export function makeCanvas(container, source, { onSelect, onOpen }) {
  forgoInjectedStyle();
  const surface = document.createElement("div");
  surface.className = "graph-canvas";
  surface.setAttribute("aria-hidden", "true");
  container.append(surface);
  const cy = globalThis.cytoscape({
    container: surface, elements: withCounts(source.elements), layout: { name: "preset", fit: false },
    style: styleSheet(readColours(container), source.icons),
    minZoom: 0.1, maxZoom: 3, autoungrabify: true, boxSelectionEnabled: false, autounselectify: true,
  });
  cy.nodes('[kind = "person"]').addClass("person");
  fitGraph(cy, source.bounds, { all: false });

  // A wheel alone scrolls the page, as everywhere; with Ctrl or Cmd (or a pinch) it zooms.
  // Caught one element further out: Cytoscape listens on its own element, and was there first.
  container.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  }, { capture: true });

  const near = (item) => {
    const kept = item.isNode() ? item.closedNeighborhood() : item.union(item.connectedNodes());
    return kept.union(kept.map((part) => cy.getElementById(`${part.isNode() ? "count" : "times"}:${part.id()}`))
      .reduce((all, part) => all.union(part), cy.collection()));
  };
  const clear = () => {
    cy.batch(() => cy.elements(".dim").removeClass("dim"));
    surface.classList.remove("is-over-node");
    surface.removeAttribute("title");
  };
  cy.on("mouseover", "node.node, edge", ({ target }) => {
    const kept = near(target);
    cy.batch(() => cy.elements().not(kept).addClass("dim"));
    surface.classList.toggle("is-over-node", target.isNode());
    surface.title = target.data("title") ?? "";
  });
  cy.on("mouseout", "node.node, edge", clear);
  surface.addEventListener("pointerleave", clear);
  cy.on("tap", "node.node", ({ target, originalEvent }) => {
    const { id, kind, name, href } = target.data();
    if (href) onOpen(href, originalEvent);
    else onSelect({ id, kind, name });
  });
  cy.on("tap", "edge", ({ target }) => onSelect({ id: target.id(), kind: "edge", name: target.id() }));
  return cy;
}

export function recolour(cy, container, icons) {
  cy.style(styleSheet(readColours(container), icons));
}
