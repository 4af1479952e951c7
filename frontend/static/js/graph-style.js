// What the canvas graph looks like: Cytoscape's style sheet, made from the same colour tokens as graph.css.

const TOKENS = [
  "surface", "ink", "muted", "line", "focus", "idle",
  ...["step", "event", "start", "stop", "human", "done", "running", "waiting", "failed", "stopped"]
    .flatMap((name) => [name, `${name}-fill`]),
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

function picture(body) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" viewBox="-10 -10 20 20">${body}</svg>`;
  return `data:image/svg+xml;utf8,${encodeURIComponent(svg)}`;
}

function badge(icons, status, colour, surface) {
  const fill = icons.filled.includes(status) ? surface : "none";
  return picture(
    `<circle r="7.5" fill="${colour}"/><path d="${icons.glyphs[status]}" fill="${fill}" stroke="${surface}" ` +
    'stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>',
  );
}

function boxStyle(colours, name, width = 1.5) {
  return { "background-color": colours[`${name}-fill`], "border-color": colours[name], "border-width": width };
}

function statusRules(colours, icons) {
  const widths = { done: 1.5, running: 2.5, waiting: 2, failed: 2, stopped: 1.5 };
  const dashes = { waiting: [5, 3], stopped: [2, 3] };
  return Object.entries(widths).flatMap(([status, width]) => {
    const icon = badge(icons, status, colours[status], colours.surface);
    const dash = dashes[status];
    return [
      { selector: `node.node[status = "${status}"]`, style: {
        ...boxStyle(colours, status, width),
        "background-image": icon,
        "border-style": dash ? "dashed" : "solid",
        ...(dash ? { "border-dash-pattern": dash } : {}),
      } },
      { selector: `node.person[status = "${status}"]`, style: {
        "background-image": [picture(`<path d="${icons.person}" fill="${colours.human}"/>`), icon],
        "background-position-x": ["8px", "100%"], "background-position-y": ["50%", "50%"],
        "background-offset-x": ["0px", "-7px"], "background-width": ["20px", "20px"], "background-height": ["20px", "20px"],
        "background-fit": ["none", "none"], "background-clip": ["none", "none"],
        "background-image-containment": ["over", "over"],
      } },
    ];
  });
}

export function styleSheet(colours, icons) {
  const font = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
  return [
    { selector: "node, edge", style: { "overlay-opacity": 0, "font-family": font, "underlay-opacity": 0 } },
    { selector: "node.node", style: {
      shape: "round-rectangle", width: "data(w)", height: "data(h)", "corner-radius": "data(corner)",
      ...boxStyle(colours, "step"), label: "data(text)", "font-size": "data(font)", color: colours.ink,
      "text-valign": "center", "text-halign": "center", "z-index": 10,
      "background-width": "20px", "background-height": "20px", "background-fit": "none",
      "background-position-x": "7px", "background-position-y": "50%", "background-clip": "none",
      "background-image-containment": "over",
    } },
    { selector: 'node[kind = "event"]', style: { ...boxStyle(colours, "event"), "background-position-x": "5px" } },
    { selector: 'node[role = "start"]', style: boxStyle(colours, "start") },
    { selector: 'node[role = "stop"]', style: boxStyle(colours, "stop") },
    { selector: 'node[role = "input"], node[role = "response"]', style: boxStyle(colours, "human") },
    { selector: "node.person", style: {
      "background-color": colours.surface, "border-color": colours.human, "border-width": 2,
      "background-image": picture(`<path d="${icons.person}" fill="${colours.human}"/>`), "background-position-x": "8px",
    } },
    ...statusRules(colours, icons),
    { selector: 'node.node[status = "idle"]', style: {
      "background-color": colours.surface, "border-color": colours.idle, "border-width": 1.5, color: colours.muted,
    } },
    { selector: "node.count, node.times", style: {
      width: 1, height: 1, "background-opacity": 0, "border-width": 0, label: "data(text)", color: colours.done,
      "font-size": 11, "font-weight": 600, "text-valign": "center", "text-halign": "center", "z-index": 20, events: "no",
    } },
    { selector: "node.count", style: { "text-halign": "left" } },
    ...["running", "waiting", "failed", "stopped"].map((status) => (
      { selector: `node.count[status = "${status}"]`, style: { color: colours[status] } })),
    { selector: "node.times", style: {
      "text-background-color": colours.surface, "text-background-opacity": 1, "text-background-padding": "3px",
      "text-background-shape": "roundrectangle",
    } },
    { selector: 'node.times[text = ""], node.count[text = ""]', style: { display: "none" } },
    { selector: "node.anchor", style: { width: 1, height: 1, "background-opacity": 0, "border-width": 0, events: "no" } },
    { selector: "edge", style: {
      "line-color": colours.line, "target-arrow-color": colours.line, "target-arrow-shape": "triangle", "arrow-scale": 0.95,
      width: "data(width)", "source-endpoint": "data(from)", "target-endpoint": "data(to)", "curve-style": "straight",
      "z-index": 1, "line-cap": "butt",
    } },
    { selector: "edge.bent", style: {
      "curve-style": "round-segments", "edge-distances": "endpoints", "segment-weights": "data(weights)",
      "segment-distances": "data(distances)", "segment-radii": 8, "radius-type": "arc-radius",
    } },
    { selector: 'edge[status = "done"]', style: { "line-color": colours.done, "target-arrow-color": colours.done } },
    { selector: 'edge[status = "idle"]', style: {
      "line-color": colours.idle, "target-arrow-color": colours.idle, "line-style": "dashed", "line-dash-pattern": [4, 4],
    } },
    { selector: ".dim", style: { opacity: 0.25 } },
    { selector: "node.focus", style: { "outline-width": 3, "outline-color": colours.focus, "outline-offset": 2 } },
    { selector: "node.picked", style: { "underlay-color": colours.focus, "underlay-opacity": 0.18, "underlay-padding": 6 } },
  ];
}
