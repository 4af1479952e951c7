// The buttons on a graph: larger, smaller, all of it. They exist only where there is a canvas to move.

import { fitGraph } from "./graph-canvas.js";

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  "Zoom in": "M8 3V13M3 8H13",
  "Zoom out": "M3 8H13",
  "Fit the whole graph": "M3 6V3H6M10 3H13V6M13 10V13H10M6 13H3V10",
};

function button(name, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.title = name;
  element.setAttribute("aria-label", name);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  element.append(svg);
  element.addEventListener("click", act);
  return element;
}

export function addTools(container, cy, bounds) {
  const zoom = (factor) => cy.zoom({
    level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 },
  });
  const tools = document.createElement("div");
  tools.className = "graph-tools";
  tools.append(
    button("Zoom in", () => zoom(1.25)),
    button("Zoom out", () => zoom(0.8)),
    button("Fit the whole graph", () => fitGraph(cy, bounds)),
  );
  container.append(tools);
}
