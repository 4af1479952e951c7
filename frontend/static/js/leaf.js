// Zoom and pan on an exported page: moves the viewBox of the one SVG, needs nothing else. Inlined by visualizer/leaf.py.
(() => {
  const svg = document.querySelector("main svg");
  const tools = document.querySelector(".zoom");
  const home = svg.viewBox.baseVal;
  const whole = { x: home.x, y: home.y, w: home.width, h: home.height };
  let view;

  const show = () => svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
  const fit = () => {
    const box = svg.getBoundingClientRect();
    // Never larger than life: a small graph stays small and centred.
    const scale = Math.max(whole.w / box.width, whole.h / box.height, 0.8);
    view = { w: box.width * scale, h: box.height * scale };
    view.x = whole.x + (whole.w - view.w) / 2;
    view.y = whole.y + (whole.h - view.h) / 2;
    show();
  };
  const zoom = (factor, clientX, clientY) => {
    const box = svg.getBoundingClientRect();
    const along = clientX === undefined ? 0.5 : (clientX - box.left) / box.width;
    const down = clientY === undefined ? 0.5 : (clientY - box.top) / box.height;
    const w = Math.min(Math.max(view.w * factor, 80), Math.max(whole.w, box.width) * 8);
    const h = (w / view.w) * view.h;
    view = { x: view.x + (view.w - w) * along, y: view.y + (view.h - h) * down, w, h };
    show();
  };

  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(event.deltaY * 0.0015), event.clientX, event.clientY);
  }, { passive: false });
  let held = null;
  svg.addEventListener("pointerdown", (event) => {
    held = { x: event.clientX, y: event.clientY };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held) return;
    const scale = view.w / svg.getBoundingClientRect().width;
    view.x -= (event.clientX - held.x) * scale;
    view.y -= (event.clientY - held.y) * scale;
    held = { x: event.clientX, y: event.clientY };
    show();
  });
  const drop = () => { held = null; };
  svg.addEventListener("pointerup", drop);
  svg.addEventListener("pointercancel", drop);
  const [larger, smaller, all] = tools.querySelectorAll("button");
  larger.addEventListener("click", () => zoom(0.8));
  smaller.addEventListener("click", () => zoom(1.25));
  all.addEventListener("click", fit);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { "+": () => zoom(0.8), "=": () => zoom(0.8), "-": () => zoom(1.25), 0: fit }[event.key];
    if (act) act();
  });
  addEventListener("resize", fit);
  tools.hidden = false;
  fit();
})();
