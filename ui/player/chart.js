// The chart's axes and layers, joined to view.js when it is served. A panel's arrays are
// named x0.1, y0.1: the first panel's second series.

const LEFT = 52, RIGHT = 14, HEAD = 24, FOOT = 40, GAP = 14, LEAST = 96; // px around a panel
const LETTER = 12, LINE = 15; // px of a name written in a panel
const SPOTS = [[0.8, 0], [-0.8, 0.15], [1.5, 0.1], [2.2, 0.2], [3, 0.35]]; // lines above: cost
const AXIS = 3; // the first axes a panel may have: a flat globe has x and y

// a panel's y axis stands, or follows the frame
const yRange = ({ y_range: range }, f) => (Array.isArray(range[0]) ? range[f] : range);
const ofChart = (name) => /^[xy]\d+\.\d+$/.test(name);

function apart(panels, i) { // the panel below does not show the same x axis
  const [one, next] = [panels[i], panels[i + 1]];
  return !next || one.x_label !== next.x_label || `${one.x_range}` !== `${next.x_range}`;
}

function frames(panels) { // what each needs above and below, in px
  return panels.map((panel, i) => [panel.title ? HEAD : GAP, apart(panels, i) ? FOOT : GAP / 2]);
}

function chartHeight(panels) { // where it stands alone: the least panel is still legible
  const around = frames(panels).flat().reduce((a, b) => a + b, 0);
  const share = panels.map((panel) => panel.share), least = Math.min(...share);
  return Math.round(around + Math.max(LEAST, 120 / Math.sqrt(panels.length)) *
    (share.reduce((a, b) => a + b, 0) / least));
}

function places(view) { // of the panels' insides, in px of the plot
  const { header: { chart: panels }, cells: [, cell] } = view;
  const around = frames(panels), used = around.flat().reduce((a, b) => a + b, 0);
  const share = panels.reduce((sum, panel) => sum + panel.share, 0);
  let y = cell.y;
  return panels.map((panel, i) => {
    const h = Math.max(10, ((cell.h - used) * panel.share) / share);
    const place = { x: cell.x + LEFT, y: y + around[i][0], w: cell.w - LEFT - RIGHT, h };
    y += around[i][0] + h + around[i][1];
    return place;
  });
}

function chartAxes(view, layout) {
  const { header: { chart: panels }, palette: p, wide, tall } = view;
  const paper = { xref: "paper", yref: "paper", showarrow: false };
  const small = { size: 11, color: p.label }, soft = { size: 12, color: p.label };
  places(view).forEach((place, i) => {
    const { x, y } = view.domain(place), panel = panels[i], n = AXIS + i, last = apart(panels, i);
    const axis = { fixedrange: true, autorange: false, showgrid: false, zeroline: false,
      showline: true, linecolor: p.ring, linewidth: 1, ticks: "outside", ticklen: 4, tickwidth: 1,
      tickcolor: p.ring, tickfont: small, automargin: false };
    layout[`xaxis${n}`] = { ...axis, domain: x, anchor: `y${n}`, range: panel.x_range, nticks: 6,
      showticklabels: last };
    if (panel.x_names.length) Object.assign(layout[`xaxis${n}`],
      { tickvals: [...panel.x_names.keys()], ticktext: panel.x_names, ticks: "" });
    layout[`yaxis${n}`] = { ...axis, domain: y, anchor: `x${n}`, range: yRange(panel, view.index),
      nticks: Math.max(3, Math.min(5, Math.round(place.h / 36))) };
    if (panel.title) layout.annotations.push({ ...paper, text: panel.title, x: x[0],
      y: y[1] + 4 / tall, xanchor: "left", yanchor: "bottom", font: { size: 12, color: p.ink } });
    if (panel.x_label && last) layout.annotations.push({ ...paper, text: panel.x_label,
      x: (x[0] + x[1]) / 2, y: y[0] - 20 / tall, xanchor: "center", yanchor: "top", font: soft });
    if (panel.y_label) layout.annotations.push({ ...paper, textangle: -90, font: soft,
      text: panel.y_label, x: (place.x - LEFT + 9) / wide, y: (y[0] + y[1]) / 2,
      xanchor: "center", yanchor: "middle" });
  });
}

function chartLayers(view) {
  const { header: { chart: panels }, palette: p, arrays } = view;
  if (!panels) return [];
  const row = (name, f) => {
    const { flat, shape } = arrays[name], size = shape[shape.length - 1];
    return shape.length === 1 ? flat : flat.subarray(f * size, (f + 1) * size);
  };
  const list = [], inside = places(view);
  panels.forEach((panel, i) => {
    const axes = { type: "scatter", xaxis: `x${AXIS + i}`, yaxis: `y${AXIS + i}`, hoverinfo: "skip" };
    const moving = (j) => [..."xy"].some((axis) => arrays[`${axis}${i}.${j}`].shape.length === 2);
    const at = (j, f) => ({ x: row(`x${i}.${j}`, f), y: row(`y${i}.${j}`, f) });
    const colours = panel.series.map((series) => series.colour || p.ink);
    panel.series.forEach(({ kind }, j) => {
      const xyz = (f) => (kind === "bars" ? steps(at(j, f)) : at(j, f));
      list.push({ moves: moving(j), style: { ...axes, ...styles(colours[j], p)[kind] }, xyz });
    });
    const named = panel.series.flatMap((series, j) => (series.label ? [j] : []));
    if (!named.length) return;
    const { fontFamily } = getComputedStyle(view.root);
    const size = ({ label }) => textWidth(label, LETTER, fontFamily) + 4;
    const curves = (f) => panel.series.map((series, j) => inPixels(
      series.kind === "bars" ? middles(at(j, f)) : at(j, f), panel, yRange(panel, f), inside[i]));
    const widths = panel.series.map(size);
    let before = [];
    const xyz = (f) => {
      before = names(curves(f), named, widths, inside[i], before);
      return inData(before, panel, yRange(panel, f), inside[i]);
    };
    list.push({ moves: panel.series.some((_, j) => moving(j)), xyz, style: { ...axes, mode: "text",
      cliponaxis: false, text: named.map((j) => panel.series[j].label),
      textposition: "middle center", textfont: { size: LETTER,
        color: named.map((j) => blend(colours[j], p.ink, 0.22)) } } });
  });
  return list;
}

function styles(colour, p) {
  const fillcolor = clear(colour, p.dark ? 0.26 : 0.2);
  return {
    bars: { mode: "lines", fill: "toself", fillcolor, line: { color: colour, width: 1 } },
    area: { mode: "lines", fill: "toself", fillcolor: clear(colour, p.dark ? 0.5 : 0.4),
      line: { color: colour, width: 1 } },
    line: { mode: "lines", line: { color: colour, width: 2.2 }, connectgaps: false },
    dashed: { mode: "lines", line: { color: colour, width: 1.6, dash: "5px,4px" }, connectgaps: false },
    points: { mode: "markers", marker: { color: colour, size: 6, line: { width: 0.5, color: p.page } } },
  };
}

function steps({ x, y }) { // p + 1 edges and p heights -> the outline of a histogram
  const outline = { x: [x[0]], y: [0] };
  for (let i = 0; i < y.length; i++) {
    outline.x.push(x[i], x[i + 1]);
    outline.y.push(y[i], y[i]);
  }
  outline.x.push(x[y.length]);
  outline.y.push(0);
  return outline;
}

const middles = ({ x, y }) => ({ x: y.map((_, i) => (x[i] + x[i + 1]) / 2), y });

// ---- names of lines: each beside its own, near its highest point, where no other is in the way

function inPixels({ x, y }, { x_range: [left, right] }, [low, high], { w, h }) {
  const out = [];
  for (let i = 0; i < x.length; i++)
    out.push([((x[i] - left) / (right - left)) * w, (1 - (y[i] - low) / (high - low)) * h]);
  return out;
}

function inData(spots, { x_range: [left, right] }, [low, high], { w, h }) {
  return { x: spots.map((s) => left + (s.x / w) * (right - left)),
    y: spots.map((s) => low + (1 - s.y / h) * (high - low)) };
}

function names(curves, named, widths, inside, before) { // -> {x, y} of the middle of each, in px
  const taken = [];
  named.forEach((j, n) => {
    const seen = curves[j].filter(([x, y]) => x >= 0 && x <= inside.w && Number.isFinite(y));
    const top = Math.min(...seen.map(([, y]) => Math.max(0, y)));
    const every = Math.max(1, Math.floor(seen.length / 48));
    let best = { x: NaN, y: NaN, cost: Infinity };
    seen.forEach(([px, py], i) => {
      if (i % every && py > top) return;
      for (const [lines, price] of SPOTS) {
        const x = Math.min(inside.w - widths[j] / 2, Math.max(widths[j] / 2, px));
        const y = Math.max(0, Math.min(inside.h, py)) - lines * LINE;
        if (y < LINE / 2 - 4 || y > inside.h - LINE / 2) continue;
        const box = [x - widths[j] / 2, y - LINE / 2, x + widths[j] / 2, y + LINE / 2];
        const was = before[n] ? Math.min(1, Math.hypot(before[n].x - x, before[n].y - y) / 80) : 0;
        const cost = (2.5 * (Math.max(0, py) - top)) / inside.h + price + 0.12 * was
          + (4 * Math.abs(x - px)) / inside.w + 5 * taken.filter((other) => overlap(box, other)).length
          + 0.25 * curves.reduce((sum, curve) => sum + crossings(curve, box), 0);
        if (cost < best.cost) best = { x, y, box, cost };
      }
    });
    if (best.box) taken.push(best.box);
    before[n] = best;
  });
  return before;
}

const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

function crossings(curve, [left, top, right, bottom]) { // of up to five places across the box
  let count = 0;
  for (let s = 0; s < 5; s++) {
    const x = left + ((right - left) * s) / 4;
    const i = curve.findIndex(([at], j) => j && (at - x) * (curve[j - 1][0] - x) <= 0);
    if (i < 1) continue;
    const [[x0, y0], [x1, y1]] = [curve[i - 1], curve[i]];
    const y = x1 === x0 ? y0 : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
    if (y > top && y < bottom) count++;
  }
  return count;
}
