// Forms that are pressed once: the button is locked until the answer is there, filters apply when they are changed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  const button = event.submitter;
  if (!button) return;
  setTimeout(() => {
    button.disabled = true;
  });
  // The feed redraws the button; should nothing come, it opens again by itself.
  if (form.matches("[data-lock]")) setTimeout(() => (button.disabled = false), 1500);
});

addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form:not([data-lock]) button[type=submit]")) button.disabled = false;
});

for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

for (const area of document.querySelectorAll("form textarea")) {
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) area.form.requestSubmit();
  });
}

// A form that came back with messages: start where the first one is.
document.querySelector("[aria-invalid=true]")?.focus();

// A link to a line of the source opens the source first.
function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target && target.closest("details");
  if (folded) {
    folded.open = true;
    target.scrollIntoView({ block: "center" });
  }
}
reveal();
addEventListener("hashchange", reveal);
