// The run at any of its entries: a slider asks the server for the counts up to there and hands them to the graph.

import { note } from "./graph-region.js";

let past = new URL(location.href).searchParams.has("at");

// Live counts are for the present: while an earlier moment is shown they must not reach the graph.
export function isPast() {
  return past;
}

export function addMoments(state, patch) {
  const form = state.container.closest(".graph-region")?.querySelector(".moments");
  if (!form) return;
  const slider = form.querySelector("input[type=range]");
  const told = form.querySelector("output");
  let wanted = 0;
  let busy = false;

  const address = (seq) => {
    const url = new URL(location.href);
    if (seq) url.searchParams.set("at", seq);
    else url.searchParams.delete("at");
    url.hash = "";
    return url;
  };
  const show = async (seq) => {
    wanted = seq;
    past = Boolean(seq);
    told.textContent = seq ? `#${seq} of ${form.dataset.last}` : `all ${form.dataset.last} entries`;
    slider.value = seq || form.dataset.last;
    point(seq);
    if (busy) return;
    busy = true;
    for (let asked = -1; asked !== wanted;) {
      asked = wanted;
      const url = address(asked);
      const answer = await fetch(`${url.pathname}/overlay.json${url.search}`).catch(() => null);
      if (answer?.ok && asked === wanted) patch(state, await answer.json());
      note(url.href);
    }
    busy = false;
  };

  slider.addEventListener("input", () => show(Number(slider.value) === Number(form.dataset.last) ? 0 : Number(slider.value)));
  form.addEventListener("submit", (event) => event.preventDefault());
  const now = () => Number(slider.value);
  const moves = {
    first: () => show(1), back: () => show(Math.max(1, now() - 1)),
    on: () => show(now() + 1 >= form.dataset.last ? 0 : now() + 1), last: () => show(0),
  };
  for (const link of form.querySelectorAll("[data-moment]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      moves[link.dataset.moment]();
    });
  }
  const entries = document.getElementById("entries");
  if (entries && !entries.dataset.moments) {
    entries.dataset.moments = "on";
    entries.addEventListener("click", ({ target }) => {
      const row = target.closest(".entry");
      if (row && target.closest(".seq")) show(Number(row.id.slice(1)));
    });
  }
  point(past ? now() : 0);
}

function point(seq) {
  for (const row of document.querySelectorAll(".entry-at")) row.classList.remove("entry-at");
  const row = seq && document.getElementById(`e${seq}`);
  if (!row) return;
  row.classList.add("entry-at");
  const list = row.closest(".entries-scroll");
  const [top, bottom] = [row.offsetTop - list.offsetTop, row.offsetTop - list.offsetTop + row.offsetHeight];
  if (top < list.scrollTop || bottom > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 2;
}
