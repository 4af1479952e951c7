// What the canvas graph looks like: Cytoscape's style sheet, made from the same colour tokens as graph.css.

import { FONT } from "./graph-text.js";

const STATUSES = ["done", "running", "waiting", "failed", "stopped"];
const WIDTHS = { done: 1.5, running: 2.5, waiting: 2, failed: 2, stopped: 1.5 };
const DASHES = { waiting: [5, 3], stopped: [2, 3] };
const TOKENS = [
  "surface", "ink", "muted", "line", "focus", "idle", "frame", "back",
  ...["step", "event", "start", "stop", "human", ...STATUSES].flatMap((name) => [name, `${name}-fill`]),
];

// A custom property comes back as written (light-dark(...)); a colour that uses it comes back resolved.
export function readColours(container) {
  const probe = document.createElement("span");
  container.append(probe);
  const colours = {};
  for (const name of TOKENS) {
    probe.style.color = `var(--graph-${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colours;
}

// Drawn four times as large as it is shown, so that it stays sharp when the graph is enlarged.
function picture(body, width, height = width) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width * 4}" height="${height * 4}" ` +
    `viewBox="${-width / 2} ${-height / 2} ${width} ${height}" stroke-linecap="round" stroke-linejoin="round">${body}</svg>`;
  return { "background-image": `data:image/svg+xml;utf8,${encodeURIComponent(svg)}`, "background-fit": "cover" };
}

function glyph(icons, status, colour, scale = 1) {
  const fill = icons.filled.includes(status) ? colour : "none";
  const line = scale < 1 && fill !== "none" ? "none" : colour;
  return `<path transform="scale(${scale})" d="${icons.glyphs[status]}" fill="${fill}" stroke="${line}" stroke-width="1.8"/>`;
}

function boxStyle(colours, name, width = 1.5) {
  return { "background-color": colours[`${name}-fill`], "border-color": colours[name], "border-width": width };
}

function border(status) {
  const dash = DASHES[status];
  return { "border-style": dash ? "dashed" : "solid", ...(dash ? { "border-dash-pattern": dash } : {}) };
}

function nodeRules(colours) {
  return [
    { selector: "node.box", style: {
      shape: "round-rectangle", width: "data(w)", height: "data(h)", "corner-radius": "data(corner)",
      ...boxStyle(colours, "step"), label: "data(text)", "font-size": "data(font)", color: colours.ink,
      "text-valign": "center", "text-halign": "center", "text-margin-y": "data(lift)", "z-index": 10,
    } },
    { selector: 'node.box[kind = "event"]', style: boxStyle(colours, "event") },
    { selector: 'node.box[role = "start"]', style: boxStyle(colours, "start") },
    { selector: 'node.box[role = "stop"]', style: boxStyle(colours, "stop") },
    { selector: 'node.box[role = "input"], node.box[role = "response"]', style: boxStyle(colours, "human") },
    { selector: 'node.box[kind = "person"]', style: {
      "background-color": colours.surface, "border-color": colours.human, "border-width": 2,
    } },
    { selector: "node.frame", style: {
      shape: "round-rectangle", width: "data(w)", height: "data(h)", "corner-radius": "data(corner)",
      "background-color": colours.frame, "border-color": colours.muted, "border-width": 1.4, "border-style": "dashed",
      "border-dash-pattern": [7, 5], "z-index": 0,
    } },
    ...STATUSES.flatMap((status) => [
      { selector: `node.box[status = "${status}"]`, style: { ...boxStyle(colours, status, WIDTHS[status]), ...border(status) } },
      { selector: `node.frame[status = "${status}"]`, style: {
        "border-color": colours[status], "border-width": Math.max(1.4, WIDTHS[status]),
      } },
    ]),
    { selector: 'node.box[status = "idle"]', style: {
      "background-color": colours.surface, "border-color": colours.idle, "border-width": 1.5, color: colours.muted,
    } },
  ];
}

function partRules(colours, icons) {
  const sign = (colour) => picture(`<path d="${icons.person}" fill="${colour}"/>`, 20);
  const words = (size, colour, more = {}) => ({
    label: "data(text)", "font-size": size, color: colour, "text-valign": "center", "text-halign": "center",
    "text-margin-y": 0.8, ...more,
  });
  return [
    { selector: "node.part", style: {
      width: "data(w)", height: "data(h)", "background-opacity": 0, "border-width": 0, events: "no", "z-index": 20,
      shape: "rectangle",
    } },
    { selector: "node.badge", style: { display: "none", shape: "ellipse" } },
    { selector: "node.count", style: words(11, colours.muted, { "font-weight": 600, "text-halign": "left" }) },
    { selector: "node.count.long", style: { "font-size": 9.5 } },
    { selector: "node.frame-name", style: words(12.5, colours.muted, { "font-weight": 600, "text-halign": "right" }) },
    { selector: "node.note", style: words(10.5, colours.muted) },
    { selector: 'node.note[status = "waiting"]', style: { color: colours.waiting } },
    { selector: "node.chip-text", style: words(10.5, colours.muted, { "text-halign": "right" }) },
    ...Object.entries(icons.chips).map(([kind, path]) => ({ selector: `node.chip[icon = "${kind}"]`, style: picture(
      `<path d="${path}" fill="none" stroke="${colours.muted}" stroke-width="1.2"/>`, 10) })),
    { selector: "node.warning", style: picture(
      `<path d="${icons.warning}" fill="${colours["waiting-fill"]}" stroke="${colours.waiting}" stroke-width="1.6"/>`, 20) },
    { selector: "node.person-sign", style: sign(colours.human) },
    { selector: 'node.person-sign[status = "idle"]', style: sign(colours.muted) },
    { selector: "node.bar", style: { "background-opacity": 1, "background-color": colours.step } },
    { selector: 'node.bar[status = "idle"]', style: { "background-color": colours.idle } },
    { selector: "node.cell", style: {
      shape: "round-rectangle", "corner-radius": 3.5, "background-opacity": 1, "background-color": colours.surface,
      "border-color": colours.idle, "border-width": 1.2,
    } },
    ...STATUSES.flatMap((status) => [
      { selector: `node.badge[status = "${status}"]`, style: { display: "element", ...picture(
        `<circle r="7.5" fill="${colours[status]}"/>${glyph(icons, status, colours.surface)}`, 17) } },
      { selector: `node.count[status = "${status}"]`, style: { color: colours[status] } },
      { selector: `node.bar[status = "${status}"]`, style: { "background-color": colours[status] } },
      { selector: `node.cell[status = "${status}"]`, style: {
        ...boxStyle(colours, status, status === "running" ? 2 : 1.2), ...border(status),
        ...picture(glyph(icons, status, colours[status], 0.8), 18, 13),
      } },
    ]),
  ];
}

function edgeRules(colours) {
  const line = (name) => ({ "line-color": colours[name], "target-arrow-color": colours[name] });
  const turn = { up: "-1 1 1 1 0 -1", down: "-1 -1 1 -1 0 1", left: "1 -1 1 1 -1 0", right: "-1 -1 -1 1 1 0" };
  const state = (status) => `[status = "${status}"]`;
  return [
    { selector: "edge", style: {
      ...line("line"), "target-arrow-shape": "triangle", "arrow-scale": "data(arrow)", width: "data(width)",
      "source-endpoint": "data(from)", "target-endpoint": "data(to)", "curve-style": "straight", "z-index": 1,
      "line-cap": "round",
    } },
    { selector: "edge.bent", style: {
      "curve-style": "round-segments", "edge-distances": "endpoints", "segment-weights": "data(weights)",
      "segment-distances": "data(distances)", "segment-radii": 8, "radius-type": "arc-radius",
    } },
    { selector: "edge.back", style: line("back") },
    { selector: "edge.quiet", style: { "line-style": "dashed", "line-dash-pattern": [1.5, 4] } },
    { selector: `edge${state("done")}`, style: line("done") },
    { selector: `edge${state("idle")}`, style: {
      ...line("idle"), "line-style": "dashed", "line-dash-pattern": [4, 4], "line-cap": "butt",
    } },
    { selector: "edge.trigger", style: { "z-index": 3 } },
    { selector: "node.turn", style: {
      shape: "polygon", "background-opacity": 1, "background-color": colours.line, "z-index": 4,
    } },
    { selector: "node.turn[?back]", style: { "background-color": colours.back } },
    ...Object.entries(turn).map(([way, points]) => (
      { selector: `node.turn[towards = "${way}"]`, style: { "shape-polygon-points": points } })),
    { selector: `node.turn${state("done")}`, style: { "background-color": colours.done } },
    { selector: `node.turn${state("idle")}`, style: { "background-color": colours.idle } },
    { selector: "node.words, node.times", style: {
      label: "data(text)", "text-valign": "center", "text-halign": "center", "text-margin-y": 0.8, "font-size": 11.5,
      color: colours.muted,
      "text-background-color": colours.surface, "text-background-opacity": 1, "text-background-padding": "2.5px",
      "text-background-shape": "roundrectangle", "z-index": 21,
    } },
    { selector: "node.words[?inside], node.times[?inside]", style: { "text-background-color": colours.frame } },
    { selector: `node.words${state("done")}`, style: { color: colours.done } },
    { selector: "node.times", style: { "font-size": 11, "font-weight": 600, color: colours.done } },
  ];
}

export function styleSheet(colours, icons) {
  return [
    { selector: "node, edge", style: {
      "overlay-opacity": 0, "underlay-opacity": 0, "font-family": FONT, "z-index-compare": "manual",
    } },
    ...nodeRules(colours),
    ...partRules(colours, icons),
    ...edgeRules(colours),
    { selector: '.part[text = ""], .part.gone', style: { display: "none" } },
    { selector: ".dim", style: { opacity: 0.28 } },
    { selector: ".faded", style: { opacity: 0.2 } },
    { selector: "node.picked", style: {
      "underlay-color": colours.focus, "underlay-opacity": 0.22, "underlay-padding": 6, "underlay-shape": "round-rectangle",
    } },
    { selector: "edge.picked", style: {
      "underlay-color": colours.focus, "underlay-opacity": 0.25, "underlay-padding": 5, "z-index": 3,
    } },
    { selector: "node.focus", style: { "outline-width": 3, "outline-color": colours.focus, "outline-offset": 2 } },
  ];
}
