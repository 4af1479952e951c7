// A small map of a large graph: where its nodes are, how they are, and which part is seen. A press moves there.

const MANY = 40;
const [WIDE, HIGH] = [168, 120];

export function addMap(state) {
  const { cy, container, source: { bounds } } = state;
  const nodes = cy.nodes(".box");
  if (nodes.length <= MANY) return;
  const scale = Math.min(WIDE / bounds.w, HIGH / bounds.h);
  const map = document.createElement("canvas");
  const density = globalThis.devicePixelRatio || 1;
  const [width, height] = [Math.max(24, bounds.w * scale), Math.max(24, bounds.h * scale)];
  map.className = "graph-map";
  map.setAttribute("aria-hidden", "true");
  [map.width, map.height] = [width * density, height * density];
  map.style.inlineSize = `${width}px`;
  map.style.blockSize = `${height}px`;
  container.append(map);
  const pen = map.getContext("2d");

  const draw = () => {
    const whole = cy.extent();
    const seen = whole.x1 > bounds.x || whole.y1 > bounds.y || whole.x2 < bounds.x + bounds.w || whole.y2 < bounds.y + bounds.h;
    map.hidden = !seen;
    if (!seen) return;
    const look = getComputedStyle(map);
    pen.setTransform(density * scale, 0, 0, density * scale, -bounds.x * density * scale, -bounds.y * density * scale);
    pen.clearRect(bounds.x, bounds.y, bounds.w, bounds.h);
    nodes.forEach((node) => {
      const { x, y } = node.position();
      const { w, h } = node.data();
      pen.fillStyle = node.style("border-color");
      pen.fillRect(x - w / 2, y - h / 2, w, h);
    });
    pen.strokeStyle = look.color;
    pen.lineWidth = 2 / scale;
    pen.strokeRect(whole.x1, whole.y1, whole.w, whole.h);
  };
  const move = ({ offsetX, offsetY }) => {
    const [x, y] = [bounds.x + offsetX / scale, bounds.y + offsetY / scale];
    cy.pan({ x: cy.width() / 2 - x * cy.zoom(), y: cy.height() / 2 - y * cy.zoom() });
    cy.emit("dragpan");
  };
  map.addEventListener("pointerdown", (event) => {
    map.setPointerCapture(event.pointerId);
    move(event);
  });
  map.addEventListener("pointermove", (event) => map.hasPointerCapture(event.pointerId) && move(event));
  cy.on("viewport resize", draw);
  state.map = draw;
  draw();
}
