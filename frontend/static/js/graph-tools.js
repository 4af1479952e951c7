// What moves the camera: buttons for larger, smaller and all of it, and following what runs. Only where there is a canvas.

import { fitGraph } from "./graph-canvas.js";

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  "Zoom in": "M8 3V13M3 8H13",
  "Zoom out": "M3 8H13",
  "Fit the whole graph": "M3 6V3H6M10 3H13V6M13 10V13H10M6 13H3V10",
  "Follow what runs": "M8 1.5V4M8 12V14.5M1.5 8H4M12 8H14.5M8 5.2A2.8 2.8 0 1 1 8 10.8A2.8 2.8 0 1 1 8 5.2",
};
const KEYS = { "Zoom in": "+", "Zoom out": "-", "Fit the whole graph": "0" };

function button(name, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "tool";
  element.title = KEYS[name] ? `${name} (${KEYS[name]})` : name;
  element.setAttribute("aria-label", name);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  element.append(svg);
  element.addEventListener("click", act);
  return element;
}

export function zoomBy(state, factor) {
  const { cy } = state;
  cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
}

export function addTools(state) {
  const { cy, container, source } = state;
  const region = container.closest(".graph-region");
  const tools = document.createElement("span");
  tools.className = "graph-tools";
  tools.append(
    button("Zoom in", () => zoomBy(state, 1.25)),
    button("Zoom out", () => zoomBy(state, 0.8)),
    button("Fit the whole graph", () => fitGraph(cy, source.bounds)),
  );
  if (region?.dataset.choose === "entries" && document.getElementById("feed")) tools.append(followButton(state));
  (region?.querySelector(".graph-bar") ?? container).append(tools);
}

// Off until asked for, and off again as soon as a hand moves the graph.
function followButton(state) {
  const follow = button("Follow what runs", () => {
    set(!state.following);
    if (state.following) followRunning(state);
  });
  const set = (on) => {
    state.following = on;
    follow.setAttribute("aria-pressed", String(on));
  };
  set(false);
  state.cy.on("dragpan scrollzoom pinchzoom", () => set(false));
  return follow;
}

export function followRunning({ cy }) {
  const running = cy.nodes('.box[status = "running"], .box[status = "waiting"]');
  if (running.empty()) return;
  const box = running.renderedBoundingBox();
  const inside = box.x1 > 0 && box.y1 > 0 && box.x2 < cy.width() && box.y2 < cy.height();
  if (!inside) cy.center(running);
}
