// Words on a graph: how wide they are in the fonts that draw them, and where the two words of an edge stand.

export const FONT = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

const pen = document.createElement("canvas").getContext("2d");

export function widthOf(text, size, weight = 400) {
  pen.font = `${weight} ${size}px ${FONT}`;
  return pen.measureText(text).width;
}

// All of the lines on one if they fit, else the first, cut where it must be.
export function oneLine(lines, room) {
  const whole = lines.join("; ");
  if (widthOf(whole, 10.5) <= room) return whole;
  let kept = lines[0] ?? "";
  while (kept && widthOf(`${kept}…`, 10.5) > room) kept = kept.slice(0, -1);
  return kept === (lines[0] ?? "") ? kept : `${kept.replace(/[ ;,·]+$/, "")}…`;
}

// What a node's lines say: each its own, or, where small facts stand, all on one.
export function nodeLines(mark, count, shared, room) {
  const lines = mark.line ? mark.line.split("; ") : [];
  if (shared) return [oneLine(lines, room)];
  return Array.from({ length: count }, (_, at) => lines[at] ?? "");
}

// The middles of an edge's name and count around its place, and of the patch of ground under them.
export function wordPlaces(name, times, { at, wide, aside }) {
  const named = name ? widthOf(name, 11.5) : 0;
  const counted = times ? widthOf(times, 11, 600) : 0;
  const gap = name && times ? 5 : 0;
  const box = Math.min(named + counted + gap + 10, Math.max(wide, counted + 10));
  const x = at[0] + (aside ? (box - wide) / 2 : 0);
  return { name: x - (counted + gap) / 2, times: x + (named + gap) / 2, box: { x: x - box / 2, w: box } };
}
