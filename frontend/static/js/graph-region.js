// Exchanges the drawing and the events beside it for those of another address, without leaving the page.

const PARTS = ["graph-region", "entries-panel"];
const SOON = 2000;
let asked = "";
let last = 0;
let waiting = null;
let shown = location.search;

// Notes in the address what the page shows by now.
export function note(address) {
  history.replaceState(history.state, "", address);
  shown = location.search;
}

export async function exchange(address, { push = false, keepCamera = false, parts = PARTS } = {}) {
  const url = new URL(address, location.href);
  if (keepCamera && Date.now() - last < SOON) {
    // A busy run would have its picture made anew many times a second: every two seconds is enough.
    waiting ??= setTimeout(() => {
      waiting = null;
      exchange(location.href, { keepCamera, parts });
    }, SOON);
    return;
  }
  last = Date.now();
  asked = url.href;
  const answer = await fetch(url.pathname + url.search, { headers: { Accept: "text/html" } }).catch(() => null);
  if (asked !== url.href) return;
  if (!answer?.ok) {
    if (push) location.assign(url.href);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (push) history.pushState({}, "", url.href);
  shown = location.search;
  document.dispatchEvent(new CustomEvent("treadle:exchange", { detail: { keepCamera } }));
  for (const id of parts) {
    const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (!old || !fresh) continue;
    const open = [...old.querySelectorAll("details[open][id]")].map((part) => part.id);
    const focused = old.contains(document.activeElement) ? document.activeElement.dataset?.key : null;
    old.replaceWith(document.adoptNode(fresh));
    open.forEach((name) => document.getElementById(name)?.setAttribute("open", ""));
    if (focused) fresh.querySelector(`[data-key="${focused}"]`)?.focus();
  }
  globalThis.htmx?.process?.(document.getElementById("entries-panel") ?? document.body);
  document.dispatchEvent(new CustomEvent("treadle:exchanged"));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-exchange]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  exchange(link.href, { push: true });
});
document.addEventListener("treadle:stale", () => exchange(location.href, { keepCamera: true, parts: ["entries-panel"] }));
// Going to an entry on this page is a step in the history as well, and changes nothing that is drawn.
addEventListener("popstate", () => location.search !== shown && exchange(location.href));
