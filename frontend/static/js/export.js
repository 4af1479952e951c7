// Exporting a graph: opens the export page's form in a dialog, keeps preview and links as it says, copies Mermaid, and
// draws PNG files where the server cannot. Without it the page is a plain form with plain links.

function told(part, words) {
  part.querySelector("[role=status]").textContent = words;
}

function query(part) {
  const said = new URLSearchParams(new FormData(part.querySelector("form")));
  for (const [name, value] of [...said]) if (value === "") said.delete(name);
  return said;
}

function address(part, form, more = {}) {
  const said = query(part);
  for (const [name, value] of Object.entries(more)) said.set(name, value);
  return `${part.dataset.graph}.${form}?${said}`;
}

function preview(part) {
  const image = part.querySelector(".export-preview img");
  image.parentElement.classList.add("is-loading");
  image.src = address(part, "svg");
}

function relink(part) {
  for (const link of part.querySelectorAll("a[data-form]")) {
    const { form, scale } = link.dataset;
    link.href = address(part, form, scale ? { scale, download: 1 } : { download: 1 });
  }
  told(part, "");
}

async function fetched(url) {
  const answer = await fetch(url, { headers: { accept: "text/plain" } });
  if (!answer.ok) throw new Error(`the studio answered ${answer.status}`);
  return answer.text();
}

async function copy(part) {
  const text = await fetched(address(part, "mmd"));
  await navigator.clipboard.writeText(text);
  told(part, "Copied.");
}

// The browser's own letters and lines, for a studio without `treadle[png]`.
async function draw(part, link) {
  const theme = query(part).get("theme");
  const svg = await fetched(address(part, "svg", theme === "auto" ? { theme: "light" } : {}));
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const most = 16384 / Math.max(image.naturalWidth, image.naturalHeight);
  const scale = Math.min(Number(link.dataset.scale), most);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.naturalWidth * scale);
  canvas.height = Math.round(image.naturalHeight * scale);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => { canvas.toBlob(done, "image/png"); });
  if (!blob) throw new Error("this browser has no room for so large a picture");
  const saved = document.createElement("a");
  saved.href = URL.createObjectURL(blob);
  saved.download = `${decodeURIComponent(part.dataset.graph.split("/").at(-2))}.png`;
  saved.click();
  setTimeout(() => URL.revokeObjectURL(saved.href), 10_000);
}

function trying(part, act) {
  act.catch((error) => told(part, `That did not work: ${error.message}.`));
}

function start(part) {
  const form = part.querySelector("form");
  const image = part.querySelector(".export-preview img");
  const settled = () => image.parentElement.classList.remove("is-loading");
  image.addEventListener("load", settled);
  image.addEventListener("error", () => { settled(); told(part, "The preview could not be drawn."); });
  let soon;
  form.addEventListener("input", () => {
    relink(part);
    clearTimeout(soon);
    soon = setTimeout(() => preview(part), 120);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); preview(part); });
  part.querySelector("[data-without-script]").hidden = true;
  part.querySelector("[data-copy]").hidden = false;
  part.querySelector("[data-copy]").addEventListener("click", () => trying(part, copy(part)));
  if (!("drawsPng" in part.dataset)) return;
  part.querySelector(".export-drawn").hidden = false;
  part.addEventListener("click", (event) => {
    const link = event.target.closest('a[data-form="png"]');
    if (!link) return;
    event.preventDefault();
    trying(part, draw(part, link));
  });
}

// What the page shows of the graph is what is offered first.
function asShown(href) {
  const url = new URL(href);
  const shown = new URLSearchParams(location.search);
  for (const name of ["compact", "direction", "at"]) if (shown.has(name)) url.searchParams.set(name, shown.get(name));
  if (shown.has("only")) url.searchParams.set("show", "only");
  return url;
}

async function open(link) {
  const answer = await fetch(asShown(link.href), { headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = page.querySelector("#export");
  if (!part) { location.assign(link.href); return; }
  const dialog = document.createElement("dialog");
  dialog.className = "export-dialog";
  dialog.setAttribute("aria-labelledby", "export-title");
  const close = document.createElement("button");
  close.type = "button";
  close.className = "export-close";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", () => dialog.close());
  dialog.append(document.adoptNode(part), close);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  start(part);
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-export]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(link).catch(() => location.assign(link.href));
});
document.querySelectorAll("#export").forEach(start);
