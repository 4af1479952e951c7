// The page's one live stream: tells when it is lost, hands the graph its numbers, keeps the page light.
const feed = document.getElementById("feed");
const lost = document.getElementById("lost");
const ROWS = 2000;
let ended = false;
let retry = 1000;

function show(isLost) {
  lost.hidden = !isLost;
}

// A stream that never opened is not reopened by htmx; it is asked to connect again.
function connectLater() {
  show(true);
  setTimeout(() => window.htmx?.trigger(feed, "treadle:connect"), retry);
  retry = Math.min(retry * 2, 15000);
}

// How many prompts wait, everywhere: in the title and beside Inbox, as the server writes it.
function showWaiting(count) {
  document.title = (count ? `(${count}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  const badge = document.getElementById("inbox-count");
  badge.hidden = !count;
  badge.firstChild.data = count;
}

if (feed) {
  feed.addEventListener("htmx:sse:after:connection", () => {
    retry = 1000;
    show(false);
  });
  feed.addEventListener("htmx:sse:error", () => show(!ended));
  feed.addEventListener("htmx:sse:close", () => ended || document.hidden || show(false));
  feed.addEventListener("htmx:response:error", connectLater);
  feed.addEventListener("htmx:error", () => {
    if (!ended && !feed._htmx?.sse) connectLater();
  });
  feed.addEventListener("treadle:end", () => {
    ended = true;
  });
  // Entries of an attempt that is not the last one after all.
  feed.addEventListener("treadle:superseded", (event) => {
    for (const seq of JSON.parse(event.detail.data)) {
      const row = document.getElementById(`e${seq}`);
      row?.toggleAttribute("data-superseded", true);
      row?.querySelector(".superseded")?.removeAttribute("hidden");
    }
  });
  feed.addEventListener("treadle:waiting", (event) => showWaiting(Number(event.detail.data)));
  let counts = null;
  const tell = () => counts && document.dispatchEvent(new CustomEvent("treadle:overlay", { detail: counts }));
  feed.addEventListener("treadle:counts", (event) => {
    counts = JSON.parse(event.detail.data);
    tell();
  });
  // The stream may be quicker than the graph: whatever it said first is said again when the graph is there.
  document.addEventListener("treadle:graph", tell);
}

// New rows keep the list at its end while it was there; the page stays light however long a run is.
function keepList() {
  const entries = document.getElementById("entries");
  const list = entries?.closest(".entries-scroll");
  if (!list) return;
  const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const picked = new URL(location.href).searchParams.has("filter");
  let following = true;
  list.addEventListener("scroll", () => {
    following = atEnd();
  });
  new MutationObserver((changes) => {
    if (picked) {
      // Only some entries are listed: which of the new ones belong to them, the server knows.
      for (const { addedNodes } of changes) addedNodes.forEach((row) => row.remove());
      if (changes.some(({ addedNodes }) => addedNodes.length)) document.dispatchEvent(new CustomEvent("treadle:stale"));
      return;
    }
    document.getElementById("no-entries")?.remove();
    while (entries.childElementCount > ROWS) entries.firstElementChild.remove();
    if (following) list.scrollTop = list.scrollHeight;
  }).observe(entries, { childList: true });
  if (!location.hash && feed && !new URL(location.href).searchParams.has("at")) list.scrollTop = list.scrollHeight;
}

function openTarget() {
  const target = location.hash.startsWith("#e") && document.getElementById(location.hash.slice(1));
  const details = target && target.querySelector("details");
  if (details) details.open = true;
}

keepList();
openTarget();
addEventListener("hashchange", openTarget);
document.addEventListener("treadle:exchanged", keepList);

document.querySelector("[data-reload]")?.addEventListener("click", () => location.reload());
