// What is drawn: layers of {style, moves, xyz(frame)}, joined to view.js when it is served.

const { ring: RING, rim: RIM } = SHARED; // radii between which a plane is drawn
const FRONT = [0.857, -0.1, -0.3]; // the way to the place of a ring's name, seen from CAMERA
const lines = (color, width) => ({ mode: "lines", line: { color, width }, connectgaps: false });

function layers(view) {
  const { header, arrays, dims, palette: p, state: { show }, wide } = view;
  const list = [];
  const add = (side, moves, style, points) => {
    const id = side ? "2" : "";
    const place = dims === 3 ? { type: style.type ?? "scatter3d", scene: `scene${id}` } :
      { type: "scatter", xaxis: `x${id}`, yaxis: `y${id}` };
    const xyz = (f) => columns(points(f), dims);
    list.push({ moves, style: { ...place, hoverinfo: "skip", ...style }, xyz });
  };
  const frame = (name, f) => {
    const { flat, shape } = view.arrays[name];
    const size = flat.length / shape[0];
    return flat.subarray(f * size, (f + 1) * size);
  };
  const size = (dims === 3 || !header.curved ? 4 : 6) * (wide < 560 ? 0.8 : 1);
  const dots = header.lines ? header.colours.map((c) => blend(p.page, c, 0.6)) : header.colours;
  for (const side of header.chart ? [0] : [0, 1]) {
    const at = (name) => (side ? (f) => frame(`${name}_hat`, f) : () => arrays[name].flat);
    if (dims === 3 && header.curved) list.push(ball(side, p, side ? undefined : arrays.density, header.densest));
    if (!side && arrays.band) { // the edge is the first half of the outline
      const { flat } = arrays.band, edge = flat.subarray(0, flat.length / 2);
      add(0, false, { ...lines(p.page, 0), fill: "toself",
        fillcolor: blend(p.page, header.densest, 0.5) }, () => flat);
      add(0, false, lines(header.densest, 1.5), () => edge);
    }
    if (arrays.net) {
      const [curves, points] = arrays.net.shape;
      const bold = header.bold, thin = [...Array(curves).keys()].filter((i) => !bold.includes(i));
      for (const [chosen, color, width] of [[thin, p.net, 1.5], [bold, p.bold, 2.5]]) if (chosen.length)
        add(side, side === 1, lines(color, width), (f) => polylines(at("net")(f), chosen, points, dims));
    }
    if (!side) planeLayers(view, add);
    if (!side && arrays.levels) add(0, false, lines(blend(header.densest, p.ink, p.dark ? 0.65 : 0.45), 3),
      () => arrays.levels.flat);
    if (!side && arrays.pairs) add(0, false, { ...lines(p.pair, 1.5), visible: show.pairs }, () => {
      const { flat, shape: [arcs, points] } = arrays.pairs;
      return polylines(flat, [...Array(arcs).keys()], points, dims);
    });
    if (side && header.whiskers !== null) add(1, true, { ...lines(p.whisker, 1), visible: show.whiskers },
      (f) => segments(frame("z_hat", f), arrays.z.flat, dims));
    const rim = !side && arrays.density ? { width: wide < 560 ? 0.5 : 1, color: p.page } : { width: 0 };
    add(side, side === 1, { mode: "markers", marker: { size: size + rim.width, color: dots,
      line: rim, opacity: 1 } }, at("z"));
    if (!side) header.lines?.forEach((colour, i) => {
      const [, curves, points] = arrays[`lines${i}`].shape, all = [...Array(curves).keys()];
      add(0, true, lines(colour, 1.6), (f) => polylines(frame(`lines${i}`, f), all, points, dims));
    });
    if (arrays.arrows && (arrays.arrows_hat || !side))
      arrowLayers(view, side, add, (side || arrays.arrows.shape.length === 3) && frame, size);
  }
  return list;
}

function arrowLayers(view, side, add, frame, size) { // `frame` is false where nothing moves
  const { header, arrays, dims, palette: p } = view;
  const moves = Boolean(frame), array = side ? "arrows_hat" : "arrows";
  const at = moves ? (f) => frame(array, f) : () => arrays[array].flat;
  const colours = header.arrows.map((a) => a.colour);
  const thin = Math.min(1, Math.max(0.3, Math.sqrt(12 / colours.length))); // the more, the thinner
  const width = (dims === 3 ? 4 : 2) * thin, origin = new Float32Array(colours.length * dims);
  const all = (flag) => header.arrows.flatMap((a, i) => (a[flag] ? [i] : []));
  for (const i of side ? [] : all("trail")) {
    add(0, true, lines(blend(p.page, colours[i], 0.75), width), (f) => {
      const { flat, shape: [frames] } = view.arrays[`trail${i}`]; // may be longer while training
      const way = new Float32Array(flat.length).fill(NaN);
      way.set(flat.subarray(0, ((f + 1) * flat.length) / frames));
      return way;
    });
  }
  for (const colour of new Set(colours)) {
    const keep = (flat) => flat.map((v, j) => (colours[Math.floor(j / dims)] === colour ? v : NaN));
    add(side, moves, lines(colour, width), (f) => segments(origin, keep(at(f)), dims));
  }
  for (const i of all("both")) add(side, moves, lines(colours[i], width / 2),
    (f) => segments(origin.subarray(0, dims), pick(at(f), [i], dims).map((v) => -v), dims));
  add(side, moves, { mode: "markers", marker: { size: size * (1 + 0.2 * thin),
    symbol: "diamond", color: colours, line: { width: 1, color: p.page } } }, at);
  const name = (named, textposition, gap = "") => named.length && add(side, moves, { mode: "text",
    textposition, text: named.map((i) => `${gap}${header.arrows[i].label}${gap}`),
    textfont: { color: p.ink, size: 12 } }, (f) => pick(at(f), named, dims));
  const named = all("label"), still = (i) => header.arrows[i].still;
  if (side || !moves) name(named, "top center");
  else { // those that move pass by those that stand
    name(named.filter((i) => !still(i)), "middle right", "\u2002");
    name(named.filter(still), "middle left", "\u2002");
  }
}

function planeLayers(view, add) { // outside the globe, which may be opaque
  const { header, arrays, dims, palette: p } = view;
  (header.planes ?? []).forEach(({ label, colour }, i) => {
    const { flat, shape: [rows] } = arrays[`plane${i}`];
    const [u, v] = [flat.subarray(0, dims), flat.subarray(dims)];
    const point = (r, t) => u.map((_, a) => r * (rows === 2 ? Math.cos(t) * u[a] + Math.sin(t) * v[a] : u[a]));
    let name = point((u[dims - 1] < 0 ? -1 : 1) * (RIM + 0.04)), place = "top center";
    if (rows === 1) add(0, false, lines(colour, dims === 3 ? 7 : 3), () => join([point(-RIM), point(RIM)]));
    else {
      const turn = [...Array(121).keys()].map((s) => (2 * Math.PI * s) / 120);
      const rims = [RIM, RING, RIM + 0.004].map((r) => turn.map((t) => point(r, t)));
      if (dims === 3) add(0, false, annulus(turn.length, colour), () => join([...rims[0], ...rims[1]]));
      else add(0, false, { ...lines(p.page, 0), fill: "toself", fillcolor: clear(colour, 0.28) },
        () => join([...rims[0], ...rims[1].reverse()]));
      add(0, false, lines(colour, dims === 3 ? 2.5 : 1.2), () => join(rims[2]));
      const seen = dims === 3 ? FRONT : [1, -0.3];
      const along = (w) => w.reduce((sum, x, a) => sum + x * seen[a], 0);
      name = point(RIM + 0.05, Math.atan2(along(v), along(u)));
      place = "bottom right";
    }
    if (label) add(0, false, { mode: "text", text: [label], textposition: place,
      textfont: { color: blend(colour, p.ink, 0.3), size: 14 } }, () => name);
  });
}

function annulus(count, color) { // between two circles of as many points, one after the other
  const i = [], j = [], k = [];
  for (let a = 0; a < count - 1; a++) {
    i.push(a, a + 1);
    j.push(a + 1, count + a + 1);
    k.push(count + a, count + a);
  }
  return { type: "mesh3d", i, j, k, color, opacity: 0.32, flatshading: true,
    lighting: { ambient: 1, diffuse: 0, specular: 0, fresnel: 0 } };
}

function colourScale(view, layout) { // of the density, in the lower left corner of its cell
  const { header, arrays, dims, palette: p, wide, tall, cells: [cell] } = view;
  if (!header.scale || !arrays.density || dims === 2) return;
  const size = 11, words = header.scale.map((text) => textWidth(text, size, layout.font.family));
  const long = Math.max(104, words[0] + words[1] + 14), x = cell.x + 6, y = cell.y + cell.h - 30;
  const stops = `<stop stop-color="${p.ball}"/><stop offset="1" stop-color="${header.densest}"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${long}" height="8"><defs>` +
    `<linearGradient id="g">${stops}</linearGradient></defs>` +
    `<rect width="${long}" height="8" rx="2" fill="url(#g)"/></svg>`;
  const paper = { xref: "paper", yref: "paper" };
  layout.images.push({ ...paper, source: `data:image/svg+xml,${encodeURIComponent(svg)}`,
    x: x / wide, y: 1 - y / tall, sizex: long / wide, sizey: 8 / tall, sizing: "stretch" });
  header.scale.forEach((text, end) => layout.annotations.push({ ...paper, text,
    showarrow: false, x: (x + end * long) / wide, y: 1 - (y + 9) / tall, yanchor: "top",
    xanchor: end ? "right" : "left", borderpad: 0, font: { size, color: p.label } }));
}

function ball(side, p, density, densest) { // lit from the eye; translucent, so that what lies behind is dimmed
  const [rows, cols] = density ? [density.shape[0] - 1, density.shape[1]] : [24, 48];
  const x = [], y = [], z = [], i = [], j = [], k = [];
  for (let r = 0; r <= rows; r++) for (let c = 0; c < cols; c++) {
    const lat = Math.PI * (r / rows - 0.5), lon = (2 * Math.PI * c) / cols;
    x.push(BALL * Math.cos(lat) * Math.cos(lon));
    y.push(BALL * Math.cos(lat) * Math.sin(lon));
    z.push(BALL * Math.sin(lat));
    if (r === rows) continue;
    const a = r * cols + c, b = r * cols + ((c + 1) % cols);
    i.push(a, b); j.push(b, b + cols); k.push(a + cols, a + cols);
  }
  // Triangles are not sorted by depth: the far side of a translucent density would come in front.
  const skin = density ? { intensity: density.flat, cmin: 0, cmax: 1, showscale: false, opacity: 1,
    colorscale: [[0, p.ball], [1, densest]] } : { color: p.ball, opacity: 0.42 };
  const style = { type: "mesh3d", scene: side ? "scene2" : "scene", i, j, k, ...skin,
    hoverinfo: "skip", flatshading: false, lightposition: { x: 0, y: 0, z: -1e5 },
    lighting: { ambient: density ? 0.85 : 0.75, diffuse: density ? 0.2 : 0.35, specular: 0.05,
      roughness: 0.9, fresnel: 0.1 } };
  return { moves: false, ball: true, style, xyz: () => ({ x, y, z }) };
}

const parts = (colour) => (colour[0] === "#" ? // or "rgb(r, g, b)"
  [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)) : colour.match(/\d+/g).map(Number));

function blend(from, to, t) {
  const [a, b] = [from, to].map(parts);
  return `rgb(${a.map((v, i) => Math.round(v + t * (b[i] - v))).join(",")})`;
}

function clear(colour, alpha) {
  return `rgba(${parts(colour).join(",")},${alpha})`;
}

function textWidth(markup, size, family) { // no less than its letters, all of full size, need
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${size}px ${family}`;
  const text = markup.replace(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
  return pen.measureText(text).width;
}

// ---- arrays: flat, point after point; NaN breaks a line

function alike(one, other) {
  return `${one?.shape}|${one?.flat}` === `${other?.shape}|${other?.flat}`;
}

function columns(flat, dims) { // -> {x, y, z}
  const out = {};
  [..."xyz"].slice(0, dims).forEach((axis, a) => {
    const column = (out[axis] = new Float32Array(flat.length / dims));
    for (let i = 0; i < column.length; i++) column[i] = flat[i * dims + a];
  });
  return out;
}

function polylines(flat, curves, points, dims) {
  const out = new Float32Array(curves.length * (points + 1) * dims).fill(NaN);
  curves.forEach((c, i) => out.set(flat.subarray(c * points * dims, (c + 1) * points * dims),
    i * (points + 1) * dims));
  return out;
}

function segments(from, to, dims) {
  const out = new Float32Array(from.length * 3).fill(NaN);
  for (let i = 0; i < from.length; i += dims) for (let a = 0; a < dims; a++) {
    out[i * 3 + a] = from[i + a];
    out[i * 3 + dims + a] = to[i + a];
  }
  return out;
}

function join(points) {
  return Float32Array.from(points.flatMap((point) => [...point]));
}

function pick(flat, chosen, dims) {
  const out = new Float32Array(chosen.length * dims);
  chosen.forEach((c, i) => out.set(flat.subarray(c * dims, (c + 1) * dims), i * dims));
  return out;
}

function flatten(array) { // (.., 3) -> (.., 2), seen from the default camera
  const { x, y, z } = CAMERA.eye, across = Math.hypot(x, y), r = Math.hypot(across, z);
  const right = [-y / across, x / across, 0], up = [(-x * z) / across / r, (-y * z) / across / r, across / r];
  const out = new Float32Array((array.flat.length / 3) * 2);
  for (let i = 0; i < out.length / 2; i++) for (const [a, way] of [right, up].entries())
    out[2 * i + a] = [0, 1, 2].reduce((sum, c) => sum + way[c] * array.flat[3 * i + c], 0);
  Object.assign(array, { flat: out, shape: [...array.shape.slice(0, -1), 2] });
}
