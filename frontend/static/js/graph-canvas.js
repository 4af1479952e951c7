// The graph on a canvas: Cytoscape on the coordinates the server computed. The camera moves only when it is asked to.

import { patchCount, patchLine } from "./graph-patch.js";
import { readColours, styleSheet } from "./graph-style.js";

// The first view shows all of a graph unless its words would be specks: then a readable size, from the top.
export const SMALLEST = 0.55;
export const READABLE = 0.75;

// Cytoscape adds a <style> unless an element of this id exists; the page's policy allows none, and graph.css has the rule.
function forgoInjectedStyle() {
  const id = "__________cytoscape_stylesheet";
  if (document.getElementById(id)) return;
  const stand = document.createElement("meta");
  stand.id = id;
  document.head.append(stand);
}

export function fitGraph(cy, bounds, { all = true } = {}) {
  const [width, height] = [cy.width(), cy.height()];
  const whole = Math.min(width / bounds.w, height / bounds.h, 1);
  const zoom = all || whole >= SMALLEST ? whole : READABLE;
  const [spare, aside] = [height - bounds.h * zoom, width - bounds.w * zoom];
  cy.viewport({ zoom, pan: {
    x: (aside > 0 ? aside / 2 : firstAcross(cy, zoom, width, bounds)) - bounds.x * zoom,
    y: (spare > 0 ? spare / 2 : 0) - bounds.y * zoom,
  } });
}

// Where not everything fits, the beginning stands in the middle, as far as there is something to see on both sides.
function firstAcross(cy, zoom, width, bounds) {
  const start = cy.nodes('[role = "start"]').first();
  const x = start.nonempty() ? (start.position("x") - bounds.x) * zoom : 0;
  return Math.min(0, Math.max(width - bounds.w * zoom, width / 2 - x));
}

export function makeCanvas(container, source, { onSelect, onOpen }) {
  forgoInjectedStyle();
  const surface = document.createElement("div");
  surface.className = "graph-canvas";
  surface.setAttribute("aria-hidden", "true");
  container.append(surface);
  const cy = globalThis.cytoscape({
    container: surface, elements: source.elements.map((item) => ({ ...item, pannable: true })),
    layout: { name: "preset", fit: false }, style: styleSheet(readColours(container), source.icons),
    minZoom: 0.08, maxZoom: 3, autoungrabify: true, boxSelectionEnabled: false, autounselectify: true,
  });
  dress(cy);
  fitGraph(cy, source.bounds, { all: false });

  // A wheel alone scrolls the page, as everywhere; with Ctrl or Cmd (or a pinch) it zooms.
  // Caught one element further out: Cytoscape listens on its own element, and was there first.
  container.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  }, { capture: true });

  // Cytoscape remembers where on the page it is, and does not see when what is above it grows.
  surface.addEventListener("pointerenter", () => cy.resize());
  surface.addEventListener("pointerdown", () => cy.resize(), { capture: true });

  // Cytoscape does not see the pointer leave and come back to the same node: every move is looked at.
  let over = null;
  const leave = () => {
    over = null;
    clear(cy, surface);
  };
  cy.on("mouseover mousemove", "node.node, edge", ({ target }) => {
    if (over === target) return;
    over = target;
    fadeAround(cy, target, surface);
  });
  cy.on("mouseout", "node.node, edge", leave);
  surface.addEventListener("pointerleave", leave);
  cy.on("tap", "node.node, edge", ({ target, originalEvent }) => {
    onSelect(target.id(), { aside: originalEvent.ctrlKey || originalEvent.metaKey });
  });
  cy.on("dbltap", "node.node", ({ target }) => onOpen(target.id()));
  cy.on("tap", ({ target }) => target === cy && onSelect(""));
  return cy;
}

// What each element consists of, and what only the place of drawing can know.
function dress(cy) {
  const parts = new Map();
  cy.nodes(".part").forEach((part) => {
    const of = part.data("of");
    parts.set(of, [...parts.get(of) ?? [], part]);
  });
  cy.scratch("parts", parts);
  cy.batch(() => {
    cy.edges().forEach((edge) => patchLine(edge, parts.get(edge.id()) ?? []));
    cy.nodes(".count").forEach((part) => patchCount(part, part.data("text"), part.data("status")));
    for (const owner of cy.elements(".dim, .has-note").toArray()) {
      for (const part of parts.get(owner.id()) ?? []) {
        part.toggleClass("dim", owner.hasClass("dim"));
        part.toggleClass("gone", owner.hasClass("has-note") && (part.hasClass("chip") || part.hasClass("chip-text")));
      }
    }
  });
}

// A node, what it leads to and where it comes from; of a frame all that is inside.
function near(cy, target) {
  const kept = new Set([target.id()]);
  const keep = (edge) => [edge.id(), ...edge.data("ends")].forEach((id) => kept.add(id));
  if (target.isEdge()) keep(target);
  else cy.edges().filter((edge) => edge.data("ends").includes(target.id())).forEach((edge) => keep(edge));
  if (target.hasClass("frame")) {
    cy.nodes(".node").filter((node) => kept.has(node.data("inside"))).forEach((node) => void kept.add(node.id()));
    cy.edges().filter((edge) => edge.data("ends").every((id) => kept.has(id))).forEach((edge) => void kept.add(edge.id()));
  }
  for (const id of [...kept]) {
    for (let at = cy.getElementById(id).data("inside"); at; at = cy.getElementById(at).data("inside")) kept.add(at);
  }
  return kept;
}

function fadeAround(cy, target, surface) {
  const kept = near(cy, target);
  cy.batch(() => cy.elements().forEach((part) => {
    part.toggleClass("faded", !kept.has(part.data("of") ?? part.id()));
  }));
  surface.classList.add("is-over-node");
  surface.title = target.data("title") ?? "";
}

function clear(cy, surface) {
  cy.batch(() => cy.elements(".faded").removeClass("faded"));
  surface.classList.remove("is-over-node");
  surface.removeAttribute("title");
}

export function recolour(cy, container, icons) {
  cy.style(styleSheet(readColours(container), icons));
}
