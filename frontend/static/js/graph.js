// A graph on a page: the server's SVG comes first; where Cytoscape is loaded it takes over on the same coordinates.
// <div class="graph" data-graph-elements="#id-of-a-json-script"> holds the SVG. Events: listens on document for
// `treadle:overlay` (detail: an overlay), sends `treadle:select` (detail: {id, kind, name}).

import { makeCanvas, recolour } from "./graph-canvas.js";
import { patchCanvas, patchSvg } from "./graph-patch.js";
import { addTools } from "./graph-tools.js";

const live = new Map();

function select(container, detail) {
  container.dispatchEvent(new CustomEvent("treadle:select", { bubbles: true, detail }));
}

function open(href, event) {
  if (event?.ctrlKey || event?.metaKey) window.open(href, "_blank", "noopener");
  else location.assign(href);
}

function nodeDetail(element) {
  const id = element.dataset.node;
  return { id, kind: id.includes(":") ? id.split(":", 1)[0] : id, name: id.slice(id.indexOf(":") + 1) };
}

function start(container) {
  if (live.has(container)) return;
  const script = document.querySelector(container.dataset.graphElements);
  const svg = container.querySelector(".graph-svg");
  if (!script || !svg) return;
  const source = JSON.parse(script.textContent);
  const state = { source, svg, cy: null };
  live.set(container, state);
  svg.addEventListener("click", (event) => {
    const node = event.target.closest("g[data-node]");
    if (node) select(container, nodeDetail(node));
  });
  svg.addEventListener("keydown", (event) => {
    const node = event.target.closest("g[data-node]");
    if (node && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      select(container, nodeDetail(node));
    }
  });
  if (typeof globalThis.cytoscape !== "function") return;

  // The canvas takes exactly the place the picture has, so nothing on the page moves.
  container.style.height = `${Math.max(240, Math.ceil(svg.getBoundingClientRect().height))}px`;
  try {
    state.cy = makeCanvas(container, source, { onSelect: (detail) => select(container, detail), onOpen: open });
  } catch (error) {
    container.querySelector(".graph-canvas")?.remove();
    container.style.height = "";
    console.warn("The graph stays a picture:", error);
    return;
  }
  container.classList.add("is-live");
  addTools(container, state.cy, source.bounds);
  const mark = (event, on) => {
    const node = event.target.closest("[data-node]");
    if (node) state.cy.getElementById(node.dataset.node).toggleClass("focus", on && node.matches(":focus-visible"));
  };
  svg.addEventListener("focusin", (event) => mark(event, true));
  svg.addEventListener("focusout", (event) => mark(event, false));
}

export function patchOverlay(container, overlay) {
  const state = live.get(container);
  if (!state) return;
  patchSvg(state.svg, overlay, state.source.icons);
  if (state.cy) patchCanvas(state.cy, overlay);
}

export function canvasOf(container) {
  return live.get(container)?.cy ?? null;
}

function startAll() {
  for (const [container, { cy }] of live) {
    if (container.isConnected) continue;
    cy?.destroy();
    live.delete(container);
  }
  document.querySelectorAll(".graph[data-graph-elements]").forEach(start);
}

function recolourAll() {
  for (const [container, { cy, source }] of live) if (cy) recolour(cy, container, source.icons);
}

document.addEventListener("treadle:overlay", ({ detail }) => {
  for (const container of live.keys()) patchOverlay(container, detail);
});
document.addEventListener("htmx:after:swap", startAll);
document.addEventListener("htmx:afterSwap", startAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolourAll);
new MutationObserver(recolourAll).observe(document.documentElement, {
  attributes: true, attributeFilter: ["data-theme", "class"],
});
startAll();
document.dispatchEvent(new CustomEvent("treadle:graph"));
