// Light or dark as the reader chose, before anything is painted; without a choice the system decides.
{
  const root = document.documentElement;
  const key = "treadle-theme";
  const apply = (theme) => (theme ? (root.dataset.theme = theme) : delete root.dataset.theme);
  let chosen = null;
  try {
    chosen = localStorage.getItem(key);
  } catch {
    // Storage may be forbidden; the choice then lasts for this page.
  }
  apply(chosen);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      const now = root.dataset.theme ?? (dark ? "dark" : "light");
      const next = now === "dark" ? "light" : "dark";
      apply(next);
      try {
        localStorage.setItem(key, next);
      } catch {
        // As above.
      }
      document.dispatchEvent(new CustomEvent("treadle:theme", { detail: next }));
    });
  });
}
