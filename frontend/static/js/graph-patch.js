// Live counts on a graph that is already drawn: the server's SVG and, when there is one, the canvas over it.
// An overlay is {nodes: {id: {status, count, label, note}}, edges: {key: {status, count, label}}}; what it leaves out stays.

const STATUSES = ["done", "running", "waiting", "failed", "stopped", "idle"];

export function strokeWidth(count) {
  return Math.min(6, 1.5 + Math.log2(1 + Math.max(0, count || 0)));
}

function setStatus(element, status) {
  for (const name of STATUSES) element.classList.toggle(`is-${name}`, name === status);
}

function times(mark) {
  return mark.label ?? (mark.count > 1 ? `×${mark.count}` : "");
}

export function patchSvg(svg, overlay, icons) {
  for (const [id, mark] of Object.entries(overlay.nodes ?? {})) {
    const node = svg.querySelector(`[data-node="${CSS.escape(id)}"]`);
    if (!node) continue;
    setStatus(node, mark.status);
    const glyph = node.querySelector(".graph-glyph");
    if (glyph && icons) glyph.setAttribute("d", icons.glyphs[mark.status] ?? "");
    const count = node.querySelector(".graph-count");
    if (count && !node.classList.contains("is-person")) count.textContent = times(mark);
    const name = node.querySelector(".graph-name")?.textContent ?? id;
    const note = mark.note && mark.status !== "idle" ? `, ${mark.note}` : "";
    node.setAttribute("aria-label", `${name}: ${mark.status === "idle" ? "not reached" : mark.status}${note}`);
  }
  for (const [key, mark] of Object.entries(overlay.edges ?? {})) {
    const name = CSS.escape(key);
    const edge = svg.querySelector(`[data-edge="${name}"]`);
    if (!edge) continue;
    setStatus(edge, mark.status);
    edge.querySelector(".graph-line")?.setAttribute("stroke-width", strokeWidth(mark.count));
    const label = svg.querySelector(`[data-edge-label="${name}"]`);
    if (!label) continue;
    const text = times(mark);
    label.classList.toggle("is-empty", !text);
    label.querySelector("text").textContent = text;
  }
}

export function patchCanvas(cy, overlay) {
  cy.batch(() => {
    for (const [id, mark] of Object.entries(overlay.nodes ?? {})) {
      const node = cy.getElementById(id);
      if (node.empty()) continue;
      const kind = node.data("kind");
      const note = mark.note && mark.status !== "idle" ? `, ${mark.note}` : "";
      const words = mark.status === "idle" ? "not reached" : mark.status;
      node.data({ status: mark.status, count: mark.count, title: `${kind} ${node.data("name")}: ${words}${note}` });
      cy.getElementById(`count:${id}`).data({ status: mark.status, text: kind === "person" ? "" : times(mark) });
    }
    for (const [key, mark] of Object.entries(overlay.edges ?? {})) {
      const edge = cy.getElementById(key);
      if (edge.empty()) continue;
      edge.data({ status: mark.status, count: mark.count, width: strokeWidth(mark.count) });
      cy.getElementById(`times:${key}`).data("text", times(mark));
    }
  });
}
