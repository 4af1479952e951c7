// The replay of a run on an exported page: a slider over its entries, each told by what it changed on the graph.
// Inlined by visualizer/leaf.py; what the numbers mean is told in visualizer/replay.py.
(() => {
  const data = JSON.parse(document.querySelector("#replay").textContent);
  const bar = document.querySelector(".replay");
  const slider = bar.querySelector("input");
  const [first, back, play, on, last] = bar.querySelectorAll("button");
  const told = bar.querySelector("output");
  const { words, frames, statuses } = data;
  const FAR = 256;
  const SIX = 6;
  const FOUR = 4;
  const idle = statuses.findIndex(([name]) => name === "idle");
  const find = (list, attribute) => {
    const found = new Map([...document.querySelectorAll(`main [${attribute}]`)]
      .map((part) => [part.getAttribute(attribute), part]));
    return list.map((name) => found.get(name));
  };
  const boxes = find(data.nodes.map(([id]) => id), "data-node");
  const lines = find(data.edges, "data-edge");
  const labels = find(data.edges, "data-edge-label");

  // State at an entry: status, count, label, lines and note of every node, status, count and label of every edge.
  const blank = () => ({
    nodes: data.nodes.map(() => [idle, 0, 0, 0, 0]), edges: data.edges.map(() => [idle, 0, 0]),
  });
  const copy = ({ nodes, edges }) => ({ nodes: [...nodes], edges: [...edges] });
  const kept = [blank()];
  let state = blank();
  let at = 0;

  const apply = ([, , , , nodes, edges]) => {
    for (let n = 0; n < nodes.length; n += SIX) state.nodes[nodes[n]] = nodes.slice(n + 1, n + SIX);
    for (let n = 0; n < edges.length; n += FOUR) state.edges[edges[n]] = edges.slice(n + 1, n + FOUR);
  };
  const reach = (goal) => {
    const near = Math.min(Math.floor(goal / FAR), kept.length - 1);
    if (goal < at || near * FAR > at) {
      state = copy(kept[near]);
      at = near * FAR;
    }
    while (at < goal) {
      apply(frames[at]);
      at += 1;
      if (at % FAR === 0 && at / FAR === kept.length) kept.push(copy(state));
    }
  };

  const setStatus = (part, now) => {
    statuses.forEach(([name], n) => part.classList.toggle(`is-${name}`, n === now));
  };
  const drawNode = (part, [, kind, name], [status, , label, line, note]) => {
    setStatus(part, status);
    const glyph = part.querySelector(".graph-glyph");
    if (glyph) glyph.setAttribute("d", statuses[status][2]);
    const [said, cells = ""] = words[line].split("|");
    const rows = part.querySelectorAll(".graph-note");
    const split = rows.length === 1 ? [said] : said.split("; ");
    rows.forEach((row, n) => { row.textContent = split[n] ?? ""; });
    const count = part.querySelector(".graph-count");
    const below = rows.length && said && words[label].includes("/");
    if (count) count.textContent = kind === "person" || below ? "" : words[label];
    part.querySelectorAll(".graph-cell").forEach((cell, n) => {
      const now = n < cells.length ? Number(cells[n]) : idle;
      setStatus(cell, now);
      cell.querySelector("path")?.setAttribute("d", statuses[now][2]);
    });
    const who = kind === "person" ? "a person" : `${kind} ${name}`;
    const more = status === idle || !note ? "" : `, ${words[note]}`;
    const spoken = `${who}: ${statuses[status][1]}${more}${cells ? `; ${said}` : ""}`;
    part.setAttribute("aria-label", spoken);
    const title = part.querySelector("title");
    if (title) title.textContent = [spoken, ...title.textContent.split("\n").slice(1)].join("\n");
  };
  const drawEdge = (part, label, [status, count, text]) => {
    setStatus(part, status);
    const wide = Math.min(6, 1.5 + Math.log2(1 + count));
    part.querySelector(".graph-line").setAttribute("stroke-width", wide.toFixed(2));
    if (!label) return;
    label.classList.toggle("is-empty", !text);
    label.querySelector(".graph-times-text").textContent = words[text];
    const name = label.querySelector(".graph-words");
    if (name) setStatus(name, status);
  };

  const shown = { nodes: [], edges: [] };
  let here = null;
  const draw = () => {
    state.nodes.forEach((mark, n) => {
      if (shown.nodes[n] === mark || !boxes[n]) return;
      drawNode(boxes[n], data.nodes[n], mark);
      shown.nodes[n] = mark;
    });
    state.edges.forEach((mark, n) => {
      if (shown.edges[n] === mark || !lines[n]) return;
      drawEdge(lines[n], labels[n], mark);
      shown.edges[n] = mark;
    });
    here?.classList.remove("is-here");
    here = at && at < frames.length ? boxes[frames[at - 1][3]] : null;
    here?.classList.add("is-here");
  };

  const seconds = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);
  const tell = () => {
    const [ms, kind, about] = at ? frames[at - 1] : [0, 0, 0];
    const what = at ? `${words[kind]}${about ? ` · ${words[about]}` : ""}` : "before the first entry";
    told.textContent = `${at} of ${frames.length} · +${seconds(ms)} · ${what}`;
    slider.setAttribute("aria-valuetext", `Entry ${at} of ${frames.length}: ${what}`);
    first.disabled = back.disabled = at === 0;
    on.disabled = last.disabled = at === frames.length;
  };
  let waits = 0;
  const go = (goal) => {
    reach(Math.max(0, Math.min(frames.length, goal)));
    slider.value = at;
    tell();
    if (!waits) waits = requestAnimationFrame(() => { waits = 0; draw(); });
  };

  // A short run plays entry by entry, a long one in some twenty seconds.
  const EVERY = 180;
  const stride = Math.max(1, Math.round(frames.length / 110));
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  };
  const start = () => {
    if (at === frames.length) go(0);
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      go(at + stride);
      if (at === frames.length) stop();
    }, EVERY);
  };
  const toggle = () => (timer ? stop() : start());
  const step = (goal) => { stop(); go(goal); };

  slider.max = frames.length;
  slider.addEventListener("input", () => step(Number(slider.value)));
  first.addEventListener("click", () => step(0));
  back.addEventListener("click", () => step(at - 1));
  play.addEventListener("click", toggle);
  on.addEventListener("click", () => step(at + 1));
  last.addEventListener("click", () => step(frames.length));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input")) return;
    const pressed = event.target.closest?.("button");
    const goals = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: frames.length };
    if (event.key in goals) step(goals[event.key]);
    else if (event.key === " " && !pressed) toggle();
    else return;
    event.preventDefault();
  });
  bar.hidden = false;
  go(frames.length);
})();
