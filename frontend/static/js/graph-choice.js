// What is chosen in the graph: marked there, told under it, kept in the address as `sel`, and picked out in the events.

import { exchange, note } from "./graph-region.js";

function address(changes) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  url.hash = "";
  return url.href;
}

export function chosenIn(state) {
  return state.chosen ?? "";
}

// Chosen once more: nodes from the keyboard show their entries, everything else is let go.
export function choose(state, id, { again = false } = {}) {
  if (id && id === chosenIn(state)) {
    if (again) {
      listed(state, id);
      return;
    }
    id = "";
  }
  const wasListed = new URL(location.href).searchParams.has("filter");
  if (id.includes(">") && isRun(state)) {
    exchange(address({ sel: id, filter: "1" }), { push: true, parts: ["entries-panel"] });
  } else if (wasListed) {
    exchange(address({ sel: id, filter: "" }), { push: true, parts: ["entries-panel"] });
  } else {
    note(address({ sel: id }));
  }
  mark(state, id);
}

export function listed(state, id) {
  const data = facts(state, id);
  if (data?.href && !isRun(state)) location.assign(data.href);
  else if (data?.href?.startsWith("/")) location.assign(data.href);
  else if (isRun(state)) {
    exchange(address({ sel: id, filter: "1" }), { push: true, parts: ["entries-panel"] });
    mark(state, id);
  }
}

export function restoreChoice(state) {
  const id = new URL(location.href).searchParams.get("sel") ?? "";
  if (facts(state, id)) mark(state, id);
}

function isRun({ container }) {
  return container.closest(".graph-region")?.dataset.choose === "entries";
}

function facts({ source }, id) {
  return source.elements.find(({ data }) => data.id === id)?.data;
}

function mark(state, id) {
  state.chosen = id;
  const { svg, cy } = state;
  for (const part of svg.querySelectorAll(".is-picked")) part.classList.remove("is-picked");
  svg.querySelector(`[data-node="${CSS.escape(id)}"], [data-edge="${CSS.escape(id)}"]`)?.classList.add("is-picked");
  cy?.batch(() => {
    cy.elements(".picked").removeClass("picked");
    if (id) cy.getElementById(id).addClass("picked");
  });
  tell(state, id);
  pickOut(facts(state, id));
}

// A line under the graph: what the table says of a node, and where one can go from there.
function tell(state, id) {
  const region = state.container.closest(".graph-region");
  const card = region?.querySelector(".graph-card");
  if (!card) return;
  card.replaceChildren();
  card.hidden = !id;
  const data = facts(state, id);
  if (!data) return;
  const title = document.createElement("strong");
  title.textContent = data.ends ? data.ends.map((end) => facts(state, end)?.name ?? end).join(" → ") : data.name;
  card.append(title);
  const row = region.querySelector(`tr[data-row="${CSS.escape(id)}"]`);
  const words = data.ends ? edgeWords(data) : (data.title ?? "").replace(/^[^:]*:?\s*/, "");
  card.append(line([data.ends ? "" : data.kind, words].filter(Boolean).join(", ")));
  const notes = row?.querySelector('[data-cell="notes"]')?.textContent;
  if (notes && !state.source.overlay) card.append(line(notes));
  if (data.ends) return;
  if (data.href && !isRun(state)) card.append(link(data.href, "Source"));
  else if (data.href?.startsWith("/")) card.append(link(data.href, "Open its run"));
  else if (isRun(state)) card.append(link(address({ sel: id, filter: "1" }), "Only its events", true));
}

function edgeWords({ count }) {
  if (!count) return "carried nothing";
  return count === 1 ? "carried one event" : `carried ${count} events`;
}

function line(text) {
  const span = document.createElement("span");
  span.textContent = text;
  return span;
}

function link(href, text, inPlace = false) {
  const element = document.createElement("a");
  element.href = href;
  element.textContent = text;
  if (inPlace) element.dataset.exchange = "";
  return element;
}

// The entries of what is chosen stand out; with nothing chosen all stand out alike.
function pickOut(data) {
  const entries = document.getElementById("entries");
  if (!entries) return;
  let first = null;
  for (const row of entries.children) {
    const own = !data || data.ends || (data.kind === "step" ? row.dataset.step === data.name : row.dataset.event === data.name);
    row.classList.toggle("entry-dim", !own);
    if (own && data && !first) first = row;
  }
  if (data && !data.ends) first?.scrollIntoView({ block: "nearest" });
}
