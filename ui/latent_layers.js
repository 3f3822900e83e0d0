// What is drawn: layers of {style, moves, xyz(frame)}, joined to latent_view.js when it is served.

function layers(view) {
  const { header, arrays, dims, palette: p, state: { show }, wide } = view;
  const list = [];
  const add = (side, moves, style, points) => {
    const id = side ? "2" : "";
    const place = dims === 3 ? { type: "scatter3d", scene: `scene${id}` } :
      { type: "scatter", xaxis: `x${id}`, yaxis: `y${id}` };
    const xyz = (f) => columns(points(f), dims);
    list.push({ moves, style: { ...place, hoverinfo: "skip", ...style }, xyz });
  };
  const frame = (name, f) => {
    const { flat, shape } = view.arrays[name];
    const size = flat.length / shape[0];
    return flat.subarray(f * size, (f + 1) * size);
  };
  const lines = (color, width) => ({ mode: "lines", line: { color, width }, connectgaps: false });
  const size = (dims === 3 ? 4 : 6) * (wide < 560 ? 0.8 : 1);
  for (const side of [0, 1]) {
    const at = (name) => (side ? (f) => frame(`${name}_hat`, f) : () => arrays[name].flat);
    if (dims === 3) list.push(ball(side, p, side ? undefined : arrays.field, header.density));
    if (!side && arrays.band) { // the edge is the first half of the outline
      const { flat } = arrays.band, edge = flat.subarray(0, flat.length / 2);
      add(0, false, { ...lines(p.page, 0), fill: "toself",
        fillcolor: blend(p.page, header.density, 0.5) }, () => flat);
      add(0, false, lines(header.density, 1.5), () => edge);
    }
    if (header.labels.length) add(side, false, { ...lines(p.label, 1.5), mode: "lines+text",
      text: header.labels.flatMap((l) => ["", "", "", escape(l), ""]),
      textfont: { color: p.label, size: 12 } }, () => axes(header.labels.length, dims));
    if (arrays.net) {
      const [curves, points] = arrays.net.shape;
      const bold = header.bold, thin = [...Array(curves).keys()].filter((i) => !bold.includes(i));
      for (const [chosen, color, width] of [[thin, p.net, 1.5], [bold, p.bold, 2.5]]) if (chosen.length)
        add(side, side === 1, lines(color, width), (f) => polylines(at("net")(f), chosen, points, dims));
    }
    if (!side && arrays.levels) add(0, false, lines(blend(header.density, p.ink, p.dark ? 0.65 : 0.45), 3),
      () => arrays.levels.flat);
    if (!side && arrays.pairs) add(0, false, { ...lines(p.pair, 1.5), visible: show.pairs }, () => {
      const { flat, shape: [arcs, points] } = arrays.pairs;
      return polylines(flat, [...Array(arcs).keys()], points, dims);
    });
    if (side && header.whiskers !== null) add(1, true, { ...lines(p.whisker, 1), visible: show.whiskers },
      (f) => segments(frame("z_hat", f), arrays.z.flat, dims));
    const rim = !side && arrays.field ? { width: wide < 560 ? 0.5 : 1, color: p.page } : { width: 0 };
    add(side, side === 1, { mode: "markers", marker: { size: size + rim.width, color: header.colours,
      line: rim, opacity: 1 } }, at("z"));
    if (arrays.arrows) {
      const colours = header.arrows.map((a) => a.colour);
      const thin = Math.min(1, Math.max(0.3, Math.sqrt(12 / colours.length))); // the more, the thinner
      const origin = new Float32Array(colours.length * dims);
      for (const colour of new Set(colours)) {
        const keep = (flat) => flat.map((v, j) => (colours[Math.floor(j / dims)] === colour ? v : NaN));
        add(side, side === 1, lines(colour, (dims === 3 ? 4 : 2) * thin),
          (f) => segments(origin, keep(at("arrows")(f)), dims));
      }
      add(side, side === 1, { mode: "markers", marker: { size: size * (1 + 0.2 * thin),
        symbol: "diamond", color: colours, line: { width: 1, color: p.page } } }, at("arrows"));
      const named = colours.flatMap((_, i) => (header.arrows[i].label ? [i] : []));
      if (named.length) add(side, side === 1, { mode: "text", textposition: "top center",
        text: named.map((i) => escape(header.arrows[i].label)), textfont: { color: p.ink, size: 12 } },
        (f) => pick(at("arrows")(f), named, dims));
    }
  }
  return list;
}

function ball(side, p, field, density) { // lit from the eye; translucent, so that what lies behind is dimmed
  const [rows, cols] = field ? [field.shape[0] - 1, field.shape[1]] : [24, 48];
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
  const skin = field ? { intensity: field.flat, cmin: 0, cmax: 1, showscale: false, opacity: 1,
    colorscale: [[0, p.ball], [1, density]] } : { color: p.ball, opacity: 0.42 };
  const style = { type: "mesh3d", scene: side ? "scene2" : "scene", i, j, k, ...skin,
    hoverinfo: "skip", flatshading: false, lightposition: { x: 0, y: 0, z: -1e5 },
    lighting: { ambient: field ? 0.85 : 0.75, diffuse: field ? 0.2 : 0.35, specular: 0.05,
      roughness: 0.9, fresnel: 0.1 } };
  return { moves: false, style, xyz: () => ({ x, y, z }) };
}

function blend(from, to, t) { // "#rrggbb" or "rgb(r, g, b)"
  const [a, b] = [from, to].map((colour) => (colour[0] === "#" ?
    [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)) : colour.match(/\d+/g).map(Number)));
  return `rgb(${a.map((v, i) => Math.round(v + t * (b[i] - v))).join(",")})`;
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

function pick(flat, chosen, dims) {
  const out = new Float32Array(chosen.length * dims);
  chosen.forEach((c, i) => out.set(flat.subarray(c * dims, (c + 1) * dims), i * dims));
  return out;
}

function axes(count, dims) { // a stub beside the sphere (inside the circle) and its label's place
  const out = [], radii = dims === 3 ? [1.0, 1.09, NaN, 1.17, NaN] : [0.92, 0.86, NaN, 0.8, NaN];
  for (let axis = 0; axis < count; axis++) for (const r of radii)
    for (let a = 0; a < dims; a++) out.push(Number.isNaN(r) ? NaN : a === axis ? r : 0);
  return Float32Array.from(out);
}

function flatten(array) { // (.., 3) -> (.., 2), seen from the default camera
  const { x, y, z } = CAMERA.eye, across = Math.hypot(x, y), r = Math.hypot(across, z);
  const right = [-y / across, x / across, 0], up = [(-x * z) / across / r, (-y * z) / across / r, across / r];
  const out = new Float32Array((array.flat.length / 3) * 2);
  for (let i = 0; i < out.length / 2; i++) for (const [a, way] of [right, up].entries())
    out[2 * i + a] = [0, 1, 2].reduce((sum, c) => sum + way[c] * array.flat[3 * i + c], 0);
  Object.assign(array, { flat: out, shape: [...array.shape.slice(0, -1), 2] });
}
