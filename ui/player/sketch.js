// The same layers as a flat drawing, from one side, joined to view.js when it is served: what
// a visitor sees at once, until the drawing library has come and drawn the picture that turns.

const FAINT = 0.45; // of what lies behind the ball, seen through it
const GRAIN = 2; // px of a density's grains

function sketch(view) {
  const { canvas, root, wide, tall, cells, header, palette: p } = view, fine = Math.min(2, devicePixelRatio);
  Object.assign(canvas, { width: wide * fine, height: tall * fine });
  Object.assign(canvas.style, { width: `${wide}px`, height: `${tall}px` });
  const pen = canvas.getContext("2d"), { fontFamily } = getComputedStyle(root);
  pen.scale(fine, fine);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const write = (markup, x, y, color, size) => {
    Object.assign(pen, { font: `${size}px ${fontFamily}`, fillStyle: color });
    pen.fillText(letters(markup), x, y);
  };
  cells.forEach(({ x, y, w }, side) =>
    write(header.titles[side], x + w / 2, y - TITLE / 2, p.ink, wide < NARROW ? 12 : 14));
  const all = layers(view), sides = header.chart ? [0] : [0, 1];
  for (const side of sides) sketchSide(view, pen, write, side, all.filter((l) => sideOf(l) === side));
  if (header.chart) sketchChart(view, pen, write);
  root.dataset.sketched = header.steps[view.index];
}

const letters = (markup) => markup.replace(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
const sideOf = ({ style: { scene, xaxis } }) => Number((scene ?? xaxis).endsWith("2"));

function sketchSide(view, pen, write, side, list) {
  const { cells, dims, state: { camera, zoom }, index, arrays, palette: p, header } = view;
  const cell = cells[side], radius = view.radius * (dims === 3 ? zoom : 1);
  const centre = [cell.x + cell.w / 2, cell.y + cell.h / 2], ways = seenFrom(camera.eye);
  const onPaper = (point) => { // -> x, y in px, and how near to the eye, in radii
    const [u, v, w] = dims === 3 ? ways.map((way) => way.reduce((s, c, a) => s + c * point[a], 0)) : [...point, 1];
    return [centre[0] + radius * u, centre[1] - radius * v, !header.curved || u * u + v * v > 1 ? 1 : w];
  };
  pen.save();
  pen.beginPath();
  pen.rect(cell.x, cell.y, cell.w, cell.h);
  pen.clip();
  const density = !side && dims === 3 ? arrays.density : undefined;
  const drawn = list.filter((l) => !l.ball && l.style.visible !== false)
    .map(({ style, xyz }) => ({ style, spots: spots(xyz(index)).map(onPaper) }));
  const draw = (front) => drawn.forEach((l) => sketchLayer(pen, write, l, (spot) => spot[2] >= 0 === front));
  if (dims === 3 && header.curved && !density) {
    pen.globalAlpha = FAINT;
    draw(false);
    pen.globalAlpha = 1;
  }
  pen.beginPath();
  pen.arc(...centre, view.outline(), 0, 2 * Math.PI);
  if (density) sketchDensity(pen, density, ways, centre, radius, [p.ball, header.densest].map(parts));
  else if (dims === 3 && header.curved) {
    Object.assign(pen, { fillStyle: p.ball, globalAlpha: FAINT });
    pen.fill();
  }
  Object.assign(pen, { globalAlpha: 1, strokeStyle: p.ring, lineWidth: 1 });
  if (header.curved) pen.stroke();
  draw(true);
  pen.restore();
}

function seenFrom({ x, y, z }) { // unit vectors to the right, up, and to the eye
  const across = Math.hypot(x, y) || 1e-9, r = Math.hypot(across, z);
  return [[-y / across, x / across, 0], [(-x * z) / across / r, (-y * z) / across / r, across / r],
    [x / r, y / r, z / r]];
}

function spots({ x, y, z }) {
  return Array.from(x, (_, i) => (z ? [x[i], y[i], z[i]] : [x[i], y[i]]));
}

function sketchLayer(pen, write, { style, spots }, seen) {
  const { mode = "", line, marker } = style, there = (spot) => spot && !Number.isNaN(spot[0]);
  pen.beginPath();
  if (style.i) { // triangles
    style.i.forEach((_, t) => trace(pen, ["i", "j", "k"].map((corner) => spots[style[corner][t]])));
    Object.assign(pen, { fillStyle: clear(style.color, style.opacity) });
    if (seen([0, 0, 1])) pen.fill();
  }
  if (style.fill) {
    trace(pen, spots.filter(there));
    Object.assign(pen, { fillStyle: style.fillcolor });
    if (seen([0, 0, 1])) pen.fill("evenodd");
    pen.beginPath();
  }
  if (mode.includes("lines") && line?.width) {
    spots.forEach((spot, i) => {
      const before = spots[i - 1];
      if (!there(spot) || !there(before) || !seen(spot)) return;
      pen.moveTo(before[0], before[1]);
      pen.lineTo(spot[0], spot[1]);
    });
    Object.assign(pen, { strokeStyle: line.color, lineWidth: line.width * 0.75 });
    pen.setLineDash(line.dash ? line.dash.split(",").map(parseFloat) : []);
    pen.stroke();
    pen.setLineDash([]);
  }
  if (mode.includes("markers")) spots.forEach((spot, i) => {
    if (!there(spot) || !seen(spot)) return;
    const half = marker.size / 2, [x, y] = spot;
    pen.fillStyle = Array.isArray(marker.color) ? marker.color[i] : marker.color;
    pen.beginPath();
    if (marker.symbol === "diamond") trace(pen, [[x - half, y], [x, y - half], [x + half, y], [x, y + half]]);
    else pen.arc(x, y, half, 0, 2 * Math.PI);
    pen.fill();
  });
  if (mode.includes("text")) spots.forEach((spot, i) => {
    if (!style.text[i] || !there(spot) || !seen(spot)) return;
    const { color, size } = style.textfont, place = style.textposition ?? "";
    const half = pen.measureText(letters(style.text[i])).width / 2 + 4;
    const x = spot[0] + (place.endsWith("right") ? half : place.endsWith("left") ? -half : 0);
    const y = spot[1] + (place.startsWith("top") ? -size : place.startsWith("bottom") ? size : 0);
    write(style.text[i], x, y, Array.isArray(color) ? color[i] : color, size);
  });
}

function trace(pen, points) {
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
}

function sketchDensity(pen, { flat, shape: [rows, cols] }, ways, [cx, cy], radius, [low, high]) {
  const half = Math.ceil((radius * BALL) / GRAIN), side = 2 * half;
  const image = new ImageData(side, side);
  for (let j = 0; j < side; j++) for (let i = 0; i < side; i++) {
    const u = (i + 0.5) / half - 1, v = 1 - (j + 0.5) / half, w = Math.sqrt(1 - u * u - v * v);
    if (Number.isNaN(w)) continue;
    const [x, y, z] = [0, 1, 2].map((a) => u * ways[0][a] + v * ways[1][a] + w * ways[2][a]);
    const row = Math.round((Math.asin(Math.max(-1, Math.min(1, z))) / Math.PI + 0.5) * (rows - 1));
    const col = Math.round((Math.atan2(y, x) / (2 * Math.PI) + 1) * cols) % cols;
    const t = flat[row * cols + col];
    image.data.set([...low.map((c, a) => c + t * (high[a] - c)), 255], 4 * (j * side + i));
  }
  const stamp = Object.assign(document.createElement("canvas"), { width: side, height: side });
  stamp.getContext("2d").putImageData(image, 0, 0);
  pen.drawImage(stamp, cx - half * GRAIN, cy - half * GRAIN, side * GRAIN, side * GRAIN);
}

function sketchChart(view, pen, write) { // its numbers come with the picture that follows
  const { header: { chart: panels }, palette: p, index } = view, inside = places(view);
  const panelOf = ({ style }) => Number(style.xaxis.slice(1)) - AXIS;
  panels.forEach((panel, i) => {
    const { x, y, w, h } = inside[i], range = yRange(panel, index);
    Object.assign(pen, { strokeStyle: p.ring, lineWidth: 1 });
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x, y + h);
    pen.lineTo(x + w, y + h);
    pen.stroke();
    pen.textAlign = "left";
    if (panel.title) write(panel.title, x, y - 11, p.ink, 12);
    pen.textAlign = "center";
    panel.x_names.forEach((name, at) => write(name, x + inPixels({ x: [at], y: [0] }, panel, range,
      inside[i])[0][0], y + h + 12, p.label, 11));
    if (panel.x_label && apart(panels, i)) write(panel.x_label, x + w / 2, y + h + 28, p.label, 12);
    for (const { style, xyz } of chartLayers(view).filter((l) => panelOf(l) === i)) {
      const placed = inPixels(xyz(index), panel, range, inside[i]).map(([px, py]) => [x + px, y + py, 1]);
      sketchLayer(pen, write, { style, spots: placed }, (spot) => spot[2] === 1);
    }
  });
}
