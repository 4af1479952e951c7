// Live marks on a graph that is already drawn: the server's SVG and, when there is one, the canvas over it.
// An overlay is {nodes: {id: {status, count, label, note, line?, cells?, dim?}}, edges: {key: {status, count, label,
// trigger?, dim?}}}; a node or edge it leaves out stays as it is.

import { nodeLines, wordPlaces } from "./graph-text.js";

const STATUSES = ["done", "running", "waiting", "failed", "stopped", "idle"];
const WORDS = { stopped: "stopped before it finished", idle: "not reached" };
const TRIGGER = 7;

export function strokeWidth(mark) {
  return mark.trigger ? TRIGGER : Math.min(6, 1.5 + Math.log2(1 + Math.max(0, mark.count || 0)));
}

function setStatus(element, status) {
  for (const name of STATUSES) element.classList.toggle(`is-${name}`, name === status);
}

function times(mark) {
  return mark.label ?? (mark.count > 1 ? `×${mark.count}` : "");
}

// A count that a line below tells in full is not said twice.
function countOf(mark, { kind, lines }) {
  return kind === "person" || (lines && mark.line && times(mark).includes("/")) ? "" : times(mark);
}

function spoken(kind, name, mark) {
  const who = kind === "person" ? "a person" : `${kind} ${name}`;
  const note = mark.note && mark.status !== "idle" ? `, ${mark.note}` : "";
  return `${who}: ${WORDS[mark.status] ?? mark.status}${note}${mark.cells ? `; ${mark.line}` : ""}`;
}

export function patchSvg(svg, overlay, source) {
  const facts = new Map(source.elements.map(({ data }) => [data.id, data]));
  for (const [id, mark] of Object.entries(overlay.nodes ?? {})) {
    const node = svg.querySelector(`[data-node="${CSS.escape(id)}"]`);
    if (node && facts.has(id)) patchNode(node, mark, facts.get(id), source.icons);
  }
  for (const [key, mark] of Object.entries(overlay.edges ?? {})) {
    const name = CSS.escape(key);
    const edge = svg.querySelector(`[data-edge="${name}"]`);
    if (!edge) continue;
    setStatus(edge, mark.status);
    edge.classList.toggle("is-trigger", Boolean(mark.trigger));
    edge.classList.toggle("is-dim", Boolean(mark.dim));
    edge.querySelector(".graph-line")?.setAttribute("stroke-width", strokeWidth(mark).toFixed(2));
    const label = svg.querySelector(`[data-edge-label="${name}"]`);
    if (label) patchWords(label, mark, facts.get(`words:${key}`), facts.get(`times:${key}`));
  }
}

function patchNode(node, mark, data, icons) {
  setStatus(node, mark.status);
  node.classList.toggle("is-dim", Boolean(mark.dim));
  const label = spoken(data.kind, data.name, mark);
  node.setAttribute("aria-label", label);
  const title = node.querySelector("title");
  if (title) title.textContent = [label, ...title.textContent.split("\n").slice(1)].join("\n");
  node.querySelector(".graph-glyph")?.setAttribute("d", icons.glyphs[mark.status] ?? "");
  const count = node.querySelector(".graph-count");
  if (count) {
    count.textContent = countOf(mark, data);
    count.classList.toggle("is-long", count.textContent.length > 3);
  }
  const notes = node.querySelectorAll(".graph-note");
  nodeLines(mark, notes.length, data.shared, data.w - 16).forEach((words, at) => {
    if (notes[at]) notes[at].textContent = words;
  });
  node.classList.toggle("has-note", data.shared && Boolean(mark.line));
  node.querySelectorAll(".graph-cell").forEach((cell, at) => {
    const status = mark.cells?.[at];
    if (!status) return;
    setStatus(cell, status);
    cell.querySelector("path").setAttribute("d", icons.glyphs[status] ?? "");
  });
}

function patchWords(label, mark, words, room) {
  const text = times(mark);
  label.classList.toggle("is-empty", !text);
  label.classList.toggle("is-dim", Boolean(mark.dim));
  label.querySelector(".graph-times-text").textContent = text;
  if (!room) return;
  const places = wordPlaces(words?.text ?? "", text, room);
  const box = label.querySelector(".graph-times-box");
  box.setAttribute("x", places.box.x.toFixed(2));
  box.setAttribute("width", places.box.w.toFixed(2));
  label.querySelector(".graph-times-text").setAttribute("x", places.times.toFixed(2));
  const name = label.querySelector(".graph-words");
  if (!name) return;
  name.setAttribute("x", places.name.toFixed(2));
  setStatus(name, mark.status);
}

export function patchCanvas(cy, overlay) {
  const parts = cy.scratch("parts");
  cy.batch(() => {
    for (const [id, mark] of Object.entries(overlay.nodes ?? {})) {
      const node = cy.getElementById(id);
      if (node.nonempty()) patchBox(node, parts.get(id) ?? [], mark);
    }
    for (const [key, mark] of Object.entries(overlay.edges ?? {})) {
      const edge = cy.getElementById(key);
      if (edge.empty()) continue;
      edge.data({ status: mark.status, count: mark.count, width: strokeWidth(mark) });
      edge.toggleClass("dim", Boolean(mark.dim)).toggleClass("trigger", Boolean(mark.trigger));
      patchLine(edge, parts.get(key) ?? [], mark);
    }
  });
}

function patchBox(node, parts, mark) {
  const data = node.data();
  node.data({ status: mark.status, count: mark.count, title: spoken(data.kind, data.name, mark) });
  const notes = parts.filter((part) => part.hasClass("note"));
  const lines = nodeLines(mark, notes.length, data.shared, data.w - 16);
  notes.forEach((part, at) => part.data({ status: mark.status, text: lines[at] }));
  node.toggleClass("has-note", data.shared && Boolean(mark.line)).toggleClass("dim", Boolean(mark.dim));
  let cell = 0;
  for (const part of parts) {
    part.toggleClass("dim", Boolean(mark.dim));
    if (part.hasClass("count")) patchCount(part, countOf(mark, data), mark.status);
    else if (part.hasClass("cell")) part.data("status", mark.cells?.[cell++] ?? part.data("status"));
    else if (part.hasClass("chip") || part.hasClass("chip-text")) part.toggleClass("gone", node.hasClass("has-note"));
    else if (!part.hasClass("note")) part.data("status", mark.status);
  }
}

export function patchCount(part, text, status) {
  part.data({ status, text }).toggleClass("long", text.length > 3);
}

// Also when the graph is first drawn: how wide words are is known here, where they are drawn.
export function patchLine(edge, parts, mark) {
  const [words, count] = ["words", "times"].map((kind) => parts.find((part) => part.hasClass(kind)));
  edge.data("arrow", arrowScale(edge.data("width")));
  const text = mark ? times(mark) : count?.data("text") ?? "";
  for (const part of parts) {
    if (mark) part.data("status", mark.status).toggleClass("dim", Boolean(mark.dim));
  }
  if (!count) return;
  const places = wordPlaces(words?.data("text") ?? "", text, count.data());
  count.data("text", text).position("x", places.times);
  words?.position("x", places.name);
}

// The heads of the SVG: 8.5 long, and a little longer on thick lines. Cytoscape has a measure of its own for them.
function arrowScale(width) {
  const length = 8.5 * (1 + Math.max(0, width - 2.5) * 0.17);
  return length / (0.3 * Math.max((width * 13.37) ** 0.9, 29));
}

// The same numbers in the table beside the picture.
export function patchTable(table, overlay) {
  for (const [id, mark] of Object.entries(overlay.nodes ?? {})) {
    const row = table.querySelector(`tr[data-row="${CSS.escape(id)}"]`);
    const [status, count] = ["status", "times"].map((name) => row?.querySelector(`[data-cell="${name}"]`));
    if (!status) continue;
    status.textContent = WORDS[mark.status] ?? mark.status;
    count.textContent = mark.count || "";
  }
  for (const [key, mark] of Object.entries(overlay.edges ?? {})) {
    for (const end of table.querySelectorAll(`[data-way="${CSS.escape(key)}"]`)) {
      end.textContent = mark.count > 1 ? ` (${mark.count} times)` : "";
    }
  }
}
