// Times in the reader's own clock, and spans that go on counting. Marks: <time data-local>, <time data-since>.
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

function span(seconds) {
  if (seconds < 60) return `${Math.max(0, seconds).toFixed(0)} s`;
  for (const [big, small, unit, part] of [[86400, 3600, "d", "h"], [3600, 60, "h", "min"], [60, 1, "min", "s"]]) {
    if (seconds < big) continue;
    const rest = Math.floor((seconds % big) / small);
    return rest ? `${Math.floor(seconds / big)} ${unit} ${rest} ${part}` : `${Math.floor(seconds / big)} ${unit}`;
  }
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tell() {
  const today = new Date().toDateString();
  for (const element of document.querySelectorAll("time[data-local]")) {
    const at = new Date(element.dateTime);
    const near = at.toDateString() === today;
    set(element, near ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`);
    element.title = full.format(at);
  }
  for (const element of document.querySelectorAll("time[data-since]")) {
    set(element, span((Date.now() - new Date(element.dateTime)) / 1000));
  }
}

tell();
setInterval(tell, 1000);
document.addEventListener("htmx:after:swap", tell);
