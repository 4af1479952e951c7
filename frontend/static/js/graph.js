// A graph on a page: the server's SVG comes first; where Cytoscape is loaded it takes over on the same coordinates.
// <div class="graph" data-graph-elements="#id-of-a-json-script"> holds the SVG. Listens on document for
// `treadle:overlay` (detail: an overlay); tells by `treadle:graph` that graphs are there to be patched.

import { makeCanvas, READABLE, recolour, SMALLEST } from "./graph-canvas.js";
import { choose, listed, restoreChoice } from "./graph-choice.js";
import { addKeys } from "./graph-keys.js";
import { addMap } from "./graph-map.js";
import { patchCanvas, patchSvg, patchTable } from "./graph-patch.js";
import { exchange } from "./graph-region.js";
import { addMoments, isPast } from "./graph-moments.js";
import { addTools, followRunning } from "./graph-tools.js";

const live = new Map();
let camera = null;

function start(container) {
  if (live.has(container)) return;
  const script = document.querySelector(container.dataset.graphElements);
  const svg = container.querySelector(".graph-svg");
  if (!script || !svg) return;
  const source = JSON.parse(script.textContent);
  const state = { container, source, svg, cy: null, following: false };
  live.set(container, state);
  addChoosing(state);
  addKeys(state);
  addMoments(state, patchOverlay);
  if (typeof globalThis.cytoscape === "function") addCanvas(state);
  restoreChoice(state);
}

// Links in the picture lead somewhere even without scripts; with them a node is chosen where it stands.
function addChoosing(state) {
  state.svg.addEventListener("click", (event) => {
    const part = event.target.closest("[data-node], [data-edge]");
    if (!part || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(state, part.dataset.node ?? part.dataset.edge, { again: event.detail === 0 });
  });
  state.svg.addEventListener("dblclick", (event) => {
    const node = event.target.closest("[data-node]");
    if (node) listed(state, node.dataset.node);
  });
}

function addCanvas(state) {
  const { container, source, svg } = state;
  // The canvas takes exactly the place the picture has, so nothing on the page moves; on a narrow page, where the
  // picture is too small to be read, it takes what its larger words need.
  const { width, height } = svg.getBoundingClientRect();
  const needed = width < source.bounds.w * SMALLEST ? Math.min(source.bounds.h * READABLE, innerHeight * 0.62) : 240;
  container.style.height = `${Math.ceil(Math.max(needed, height))}px`;
  try {
    state.cy = makeCanvas(container, source, {
      onSelect: (id) => choose(state, id), onOpen: (id) => listed(state, id),
    });
  } catch (error) {
    container.querySelector(".graph-canvas")?.remove();
    container.style.height = "";
    console.warn("The graph stays a picture:", error);
    return;
  }
  container.classList.add("is-live");
  if (camera) state.cy.viewport(camera);
  camera = null;
  addTools(state);
  addMap(state);
  const mark = (event, on) => {
    const node = event.target.closest("[data-node]");
    if (node) state.cy.getElementById(node.dataset.node).toggleClass("focus", on && node.matches(":focus-visible"));
  };
  svg.addEventListener("focusin", (event) => mark(event, true));
  svg.addEventListener("focusout", (event) => mark(event, false));
}

export function patchOverlay(state, overlay) {
  patchSvg(state.svg, overlay, state.source);
  const table = state.container.closest(".graph-region")?.querySelector(".graph-table");
  if (table) patchTable(table, overlay);
  if (!state.cy) return;
  patchCanvas(state.cy, overlay);
  state.map?.();
  if (state.following) followRunning(state);
}

export function canvasOf(container) {
  return live.get(container)?.cy ?? null;
}

// A drawing made before a step ran many times at once, or before something ran that it does not have, is too old.
function isTooOld({ source }, overlay) {
  const drawn = new Map(source.elements.map(({ data }) => [data.id, data]));
  if (Object.entries(overlay.groups ?? {}).some(([id, most]) => (
    drawn.has(id) && Math.min(drawn.get(id).instances, 100) !== most))) return true;
  const executed = new URL(location.href).searchParams.has("only");
  return executed && Object.entries(overlay.nodes).some(([id, mark]) => mark.status !== "idle" && !drawn.has(id));
}

function forgetOld() {
  for (const [container, { cy }] of live) {
    if (container.isConnected) continue;
    cy?.destroy();
    live.delete(container);
  }
}

// The camera outlives an exchange that only makes the same drawing anew.
document.addEventListener("treadle:exchange", ({ detail }) => {
  const state = live.values().next().value;
  camera = detail.keepCamera && state?.cy ? { zoom: state.cy.zoom(), pan: { ...state.cy.pan() } } : null;
});

function startAll() {
  forgetOld();
  document.querySelectorAll(".graph[data-graph-elements]").forEach(start);
}

function recolourAll() {
  for (const { cy, container, source, map } of live.values()) {
    if (!cy) continue;
    recolour(cy, container, source.icons);
    map?.();
  }
}

document.addEventListener("treadle:overlay", ({ detail }) => {
  if (isPast()) return;
  for (const state of live.values()) {
    if (isTooOld(state, detail)) exchange(location.href, { keepCamera: true });
    else patchOverlay(state, detail);
  }
});
document.addEventListener("treadle:exchanged", startAll);
document.addEventListener("htmx:after:swap", startAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolourAll);
new MutationObserver(recolourAll).observe(document.documentElement, {
  attributes: true, attributeFilter: ["data-theme", "class"],
});
startAll();
document.dispatchEvent(new CustomEvent("treadle:graph"));
