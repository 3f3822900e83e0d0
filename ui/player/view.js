// Truth beside recovered latents: two globes with one camera, and the player under them. Or one
// globe beside a chart, or above it where the page is narrow.
// A message holds a whole run; from there on the browser plays it alone. Three rules:
// draw only the newest state; never while a draw is pending; never while the pointer is down on
// the picture or within 60 ms after (a redraw inside `pointerup` loses the camera).

const memory = new Map(); // key -> {camera, zoom, show}: outlives a remount
const views = new WeakMap(); // mount point -> View: outlives every message
const EYE = SHARED.eye; // SHARED is constants.json, put before this file when it is served
const CAMERA = { eye: { x: EYE[0], y: EYE[1], z: EYE[2] }, up: { x: 0, y: 0, z: 1 },
  center: { x: 0, y: 0, z: 0 }, projection: { type: "orthographic" } };
const BALL = 0.985; // the drawn ball is a little smaller, so that points lie on it
const TITLE = 30, SETTLE = 60, FRAME = 85, SLOW_FRAME = 600, QUIET = 50, LATE = 1500;
const NARROW = 560; // px, under which a chart has no room beside the globe
const ROOM = 20; // px that a name needs above its place
const LOSSES = { wait: 300, patience: 3000, most: 4, within: 60_000 }; // of WebGL contexts, in ms
const still = matchMedia("(prefers-reduced-motion: reduce)");

export default function ({ parentElement, data }) {
  if (data.library) library().take(data.library);
  else if (!data.sent) fetchAhead();
  if (data.preload) {
    const place = parentElement.closest('[data-testid="stElementContainer"]');
    if (place) place.style.display = "none";
    return undefined;
  }
  if (!views.has(parentElement)) views.set(parentElement, new View(parentElement, loadPlotly(data.sent)));
  const view = views.get(parentElement);
  view.receive(data);
  // Streamlit also calls this for a superseded message: only a removed element is the end.
  return () => { if (!parentElement.isConnected) { view.destroy(); views.delete(parentElement); } };
}

class View {
  constructor(parent, plotly) {
    this.root = build(parent);
    for (const part of this.root.querySelectorAll("[data-part]")) this[part.dataset.part] = part;
    Object.assign(this, { index: 0, draws: 0, playing: false, held: false, freeAt: 0, grown: 0, losses: [] });
    this.follower = new Follower(this);
    this.listen();
    plotly.then((library) => { this.Plotly = library; this.ask("figure"); }, () => {
      this.unaided = true;
      this.failed.textContent = "The drawing library could not be loaded from this server: the " +
        "picture is drawn flat, from one side.";
      this.ask("figure");
    });
  }

  // ---- messages

  receive(data) { // also called when the theme changes, with the message it already has
    const colours = palette(this.root);
    const same = JSON.stringify(colours) === JSON.stringify(this.palette), known = data === this.data;
    if (same && known) return;
    this.palette = colours;
    const { run, header, arrays } = this;
    if (!known) this.take(data);
    const { chart, planes } = this.header;
    const next = same && !chart && !planes && header?.live && this.header.live && run === this.run
      && ["density", "band", "levels"].every((name) => alike(arrays[name], this.arrays[name]));
    this.ask(next ? "frame" : "figure"); // while training only the recovered side moves
  }

  take(data) {
    const { run: before, index, frames: had } = this;
    const { key, run, steps, note, whiskers, live, stale, height, chart, slow } = data.header;
    Object.assign(this, { data, header: data.header, run, height, frames: steps.length });
    this.state = memory.get(key) ?? { camera: CAMERA, zoom: 1, show: { whiskers, pairs: false } };
    memory.set(key, this.state);
    this.state.show.whiskers ??= whiskers;
    if (run !== before) this.playing = false;
    if (run !== before || !live) this.grown = 0; // in training it grows, and does not shrink again
    this.unpack();
    this.slider.max = this.frames - 1;
    this.select(run !== before || live || index === had - 1 ? this.frames - 1 : index);
    this.root.classList.toggle("live", live);
    this.root.classList.toggle("stale", stale);
    this.root.classList.toggle("chart", Boolean(chart));
    this.controls.hidden = live || this.frames < 2;
    const { focus = 0 } = data.header; // a link further down the page has changed what is shown
    if (this.focus !== undefined && focus !== this.focus)
      this.root.scrollIntoView({ block: "center", behavior: still.matches ? "auto" : "smooth" });
    this.focus = focus;
    this.note.innerHTML = [note, this.aside].filter(Boolean).join(" · "); // escaped and typeset in Python
    this.whiskers.hidden = whiskers === null;
    this.pairs.hidden = !this.arrays.pairs;
    this.slow.hidden = !slow || this.controls.hidden;
    this.reset.hidden = this.dims === 2;
  }

  unpack() {
    const { d, arrays, reach, live } = this.header;
    const bytes = Uint8Array.from(atob(this.data.floats), (c) => c.charCodeAt(0));
    this.dims = this.noWebGL ? 2 : d; // noWebGL is found out by a globe, and then stays
    this.arrays = {};
    let at = 0;
    for (const [name, shape] of arrays) {
      const size = shape.reduce((a, b) => a * b, 1);
      this.arrays[name] = { shape, flat: new Float32Array(bytes.buffer, 4 * at, size) };
      at += size;
      if (this.dims < d && name !== "density" && !ofChart(name)) flatten(this.arrays[name]);
    }
    this.aside = !this.header.curved && (d === 2 || !this.noWebGL) ? "" : d === 2 ? // said under the picture
      "points are spread a little in radius; curves spiral outside, so that a fold shows" :
      this.noWebGL ? `no WebGL in this browser: ${this.header.chart ? "the globe is" : this.header.curved ? "the globes are" : "both sides are"}` +
        " drawn flat, from one side" +
        (this.arrays.density ? ", without the density" : "") : "";
    if (live) this.grown = Math.max(this.grown, ...reach);
    this.widest = Math.max(...reach.map((_, f) => this.extent(f)));
  }

  extent(f) { // how far out there is something to see, in radii
    return Math.max(this.grown, 1.04, this.header.reach[f]);
  }

  scale() { // what of the layout follows the frame
    const { chart, key } = this.header;
    return JSON.stringify([key, this.extent(this.index), this.widest, chart?.map((p) => yRange(p, this.index))]);
  }

  // ---- drawing

  ask(what) {
    this.wanted = what === "figure" || this.wanted === "figure" ? "figure" : "frame";
    if (!this.draws && this.root.clientWidth) {
      this.place(this.root.clientWidth);
      sketch(this);
    }
    if (this.unaided) this.wanted = null; // nothing more will come
    this.pump();
  }

  async pump() {
    if (!this.Plotly || !this.wanted || this.drawing || this.held || this.gone) return;
    const width = this.root.clientWidth;
    if (!width) return; // hidden in a closed tab: the ResizeObserver asks again
    const early = this.freeAt - performance.now();
    if (early > 0) { setTimeout(() => this.pump(), early + 1); return; }
    const what = this.wanted;
    this.wanted = null;
    this.drawing = true;
    const step = this.header.steps[this.index];
    try {
      const whole = what === "figure" || this.scaled !== this.scale();
      await (whole ? this.drawFigure(width) : this.drawFrame());
      await new Promise(requestAnimationFrame); // WebGL paints on the next frame
    } finally { this.drawing = false; }
    this.canvas.hidden = true;
    Object.assign(this.root.dataset, { step, run: this.run, frames: this.frames, draws: ++this.draws,
      camera: JSON.stringify(this.state.camera.eye), flat: this.dims === 2 });
    if (this.dims === 3 && this.scenes().length < (this.header.chart ? 1 : 2)) this.noGlobe();
    this.pump();
  }

  lost(event) { // the graphics card was reset, or the computer slept
    if (!this.scenes().some(({ glplot }) => glplot.canvas === event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Plotly would wait for this canvas, and may wait for ever
    clearTimeout(this.again);
    this.again = setTimeout(() => { // both globes are lost at once
      const now = performance.now();
      this.losses = [...this.losses.filter((at) => now - at < LOSSES.within), now];
      this.anew = true;
      if (this.losses.length > LOSSES.most) this.noGlobe();
      else this.ask("figure");
    }, LOSSES.wait);
  }

  noGlobe() { // not yet, shortly after a loss, or at all: then the flat picture
    this.anew = true;
    const lately = performance.now() - this.losses.at(-1) < LOSSES.patience;
    if (lately && this.losses.length <= LOSSES.most) {
      this.again = setTimeout(() => this.ask("figure"), LOSSES.wait);
      return;
    }
    this.noWebGL = true;
    this.take(this.data);
    this.ask("figure");
  }

  async drawFigure(width) {
    if (this.anew) this.Plotly.purge(this.plot);
    this.anew = false;
    this.place(width);
    this.scaled = this.scale();
    this.layers = [...layers(this), ...chartLayers(this)];
    const traces = this.layers.map((l) => ({ ...l.style, ...l.xyz(this.index) }));
    const { camera, home } = this.Plotly.Icons;
    const buttons = [{ name: "picture", title: "Download as PNG", icon: camera, click: () => save(this) },
      { name: "reset", title: "Reset view", icon: home, click: () => this.resetView() }];
    await this.Plotly.react(this.plot, traces, this.layout(), {
      displaylogo: false, scrollZoom: false, showTips: false, doubleClick: false,
      displayModeBar: width < NARROW ? false : "hover",
      plotGlPixelRatio: Math.min(2, Math.max(1, devicePixelRatio)),
      modeBarButtons: [this.dims === 3 ? buttons : ["toImage"]],
      toImageButtonOptions: { filename: "latents", scale: 2 } });
  }

  async drawFrame() {
    const moving = this.layers.flatMap((l, i) => (l.moves && l.style.visible !== false ? [i] : []));
    const columns = moving.map((i) => this.layers[i].xyz(this.index));
    const update = {};
    for (const axis of "xyz".slice(0, this.dims)) update[axis] = columns.map((c) => c[axis]);
    await this.Plotly.restyle(this.plot, update, moving);
  }

  place(width) { // two cells in pixels, side by side; a chart goes under the globe where it is narrow
    const { chart } = this.header, under = chart && width < NARROW;
    const cell = under ? width : width / 2, square = under ? 0.85 * width : chart ? Math.max(cell, 360) : cell;
    const globe = Math.round(Math.min(this.height, square + TITLE)), below = globe - TITLE;
    const more = under ? chartHeight(chart) : 0;
    const cells = [{ x: 0, y: TITLE, w: cell, h: below }, under ?
      { x: 0, y: globe + TITLE, w: cell, h: more } : { x: cell, y: TITLE, w: cell, h: below }];
    Object.assign(this, { wide: width, tall: globe + (under ? TITLE + more : 0), below, cells });
    const half = Math.min(cell, below) / 2, { named } = this.header;
    this.radius = (0.97 * half) / this.extent(this.index); // of the unit sphere
    if (named) this.radius = Math.min(this.radius, (half - ROOM) / named);
    this.plot.style.height = `${this.tall}px`;
  }

  domain({ x, y, w, h }) { // of a cell on Plotly's paper, which is counted from below
    const { wide, tall } = this;
    return { x: [x / wide, (x + w) / wide], y: [1 - (y + h) / tall, 1 - y / tall] };
  }

  layout() {
    const { header, palette: p, wide, tall, widest, cells } = this;
    const font = { family: getComputedStyle(this.root).fontFamily, size: wide < NARROW ? 12 : 14 };
    const layout = { width: wide, height: tall, margin: { l: 0, r: 0, t: 0, b: 0 }, hovermode: false,
      showlegend: false, paper_bgcolor: p.page, plot_bgcolor: "rgba(0,0,0,0)", dragmode: "turntable",
      font: { ...font, color: p.ink }, shapes: [], annotations: [], images: [],
      modebar: { orientation: "h", bgcolor: "rgba(0,0,0,0)" } };
    for (const side of [0, 1]) {
      const id = side ? "2" : "", { x, y } = this.domain(cells[side]);
      layout.annotations.push({ text: header.titles[side], showarrow: false, xref: "paper",
        yref: "paper", x: (x[0] + x[1]) / 2, y: y[1] + TITLE / 2 / tall, xanchor: "center", yanchor: "middle" });
      if (side && header.chart) { chartAxes(this, layout); continue; }
      if (header.curved) layout.shapes.push(this.ring(x, y));
      const axis = { visible: false, fixedrange: true, autorange: false };
      if (this.dims === 3) {
        const box = { visible: false, autorange: false, range: [-widest - 0.02, widest + 0.02] };
        layout[`scene${id}`] = { domain: { x, y }, xaxis: box, yaxis: box, zaxis: box,
          aspectmode: "manual", aspectratio: this.aspect(), camera: this.state.camera,
          dragmode: "turntable", hovermode: false, bgcolor: "rgba(0,0,0,0)" };
      } else {
        const [across, up] = [cells[side].w, cells[side].h].map((size) => size / 2 / this.radius);
        layout[`xaxis${id}`] = { ...axis, domain: x, anchor: `y${id}`, range: [-across, across] };
        layout[`yaxis${id}`] = { ...axis, domain: y, anchor: `x${id}`, range: [-up, up] };
      }
    }
    colourScale(this, layout);
    return layout;
  }

  outline() { // the radius of the drawn ball: seen orthographically it is always a circle
    return this.radius * (this.dims === 3 ? this.state.zoom * BALL : 1);
  }

  ring(x, y) {
    const radius = this.outline(), cx = (x[0] + x[1]) / 2, cy = (y[0] + y[1]) / 2;
    const [rx, ry] = [radius / this.wide, radius / this.tall];
    const width = 2 * radius > Math.min(this.cells[0].w, this.below) ? 0 : 1; // not beyond its cell
    return { type: "circle", xref: "paper", yref: "paper", x0: cx - rx, x1: cx + rx, y0: cy - ry,
      y1: cy + ry, layer: "below", line: { color: this.palette.ring, width } };
  }

  aspect() { // orthographic: the cell's half height is one unit
    const side = (4 * (this.widest + 0.02) * this.radius * this.state.zoom) / this.below;
    return { x: side, y: side, z: side };
  }

  // ---- the camera

  scenes() {
    const full = this.plot._fullLayout ?? {};
    return [full.scene?._scene, full.scene2?._scene].filter((scene) => scene?.glplot);
  }

  setCamera(camera, leader) { // turns both globes without a redraw of the figure
    this.state.camera = camera;
    const viewport = { camera, aspectratio: this.aspect() };
    for (const scene of this.scenes()) if (scene !== leader) scene.setViewport(viewport);
    for (const id of ["scene", "scene2"]) for (const l of [this.plot.layout, this.plot._fullLayout])
      if (l?.[id]) { l[id].camera = structuredClone(camera); l[id].aspectratio = this.aspect(); }
    this.root.dataset.camera = JSON.stringify(camera.eye);
  }

  follow() { // while the pointer is down, the other globe turns with the one that is dragged
    if (this.gone || !this.leader?.glplot) return;
    const camera = { ...CAMERA, ...this.leader.getCamera(), center: CAMERA.center };
    if (JSON.stringify(camera.eye) !== this.root.dataset.camera) this.setCamera(camera, this.leader);
    if (this.held || performance.now() < this.freeAt) requestAnimationFrame(() => this.follow());
  }

  resetView() {
    this.state.zoom = 1;
    this.setCamera(CAMERA);
    this.ask("figure");
  }

  // ---- the player

  select(index) {
    this.index = Math.max(0, Math.min(this.frames - 1, index));
    const { steps, total, live, moments } = this.header;
    const text = moments ? moments[this.index] : `step ${steps[this.index]} of ${total}`;
    this.slider.value = this.index;
    this.slider.style.setProperty("--lv-done", `${(100 * this.index) / Math.max(1, this.frames - 1)}%`);
    this.slider.setAttribute("aria-valuetext", text);
    const shown = this.index < this.frames - 1 ? ` Shown now: ${text}.` : "";
    this.plot.setAttribute("aria-label", `${this.header.alt}${shown}`);
    this.step.textContent = live ? `training · ${text}` : text;
    this.back.disabled = this.index === 0;
    this.forth.disabled = this.index === this.frames - 1;
    this.press();
    this.follower.show();
  }

  press() {
    const { moments } = this.header;
    const play = moments ? "Play the frames" : "Play the training run";
    this.play.setAttribute("aria-label", this.playing ? "Pause" : play);
    this.slider.setAttribute("aria-label", moments ? "Frame" : "Frame of the training run");
    const icon = this.playing ? "pause" : "play";
    if (this.icon !== icon) this.play.innerHTML = ICONS[(this.icon = icon)];
    for (const name of ["whiskers", "pairs", "slow"])
      this[name].setAttribute("aria-pressed", Boolean(this.state.show[name]));
  }

  goTo(index, playing = false) {
    this.playing = playing && index < this.frames - 1;
    this.select(index);
    this.ask("frame");
  }

  start() {
    this.goTo(this.index === this.frames - 1 ? 0 : this.index, true);
    let last = performance.now();
    const tick = (now) => {
      if (!this.playing || this.gone) return;
      const due = now - last >= (still.matches || this.state.show.slow ? SLOW_FRAME : FRAME);
      if (due && !this.held && !this.drawing && !this.wanted) {
        last = now;
        this.goTo(this.index + 1, true);
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  // ---- events

  listen() {
    this.back.onclick = () => this.goTo(this.index - 1);
    this.forth.onclick = () => this.goTo(this.index + 1);
    this.play.onclick = () => (this.playing ? this.goTo(this.index) : this.start());
    this.slider.oninput = () => this.goTo(Number(this.slider.value));
    this.reset.onclick = () => this.resetView();
    for (const name of ["whiskers", "pairs"]) this[name].onclick = () => {
      this.state.show[name] = !this.state.show[name];
      this.press();
      this.ask("figure");
    };
    this.slow.onclick = () => {
      this.state.show.slow = !this.state.show.slow;
      this.press();
    };
    this.plot.addEventListener("webglcontextlost", (event) => this.lost(event), true);
    listenHands(this);
    listenTouch(this);
    this.plot.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") return;
      const { left } = this.plot.getBoundingClientRect();
      this.leader = this.scenes()[event.clientX - left < this.cells[0].w ? 0 : 1];
      this.held = true;
      this.follow();
    }, true);
    this.release = (event) => {
      if (!this.held || (event.type === "pointermove" && event.buttons)) return;
      if (event.type === "blur" && event.target !== window) return; // only the focus moved
      this.held = false;
      this.freeAt = performance.now() + SETTLE;
      this.follow();
      this.pump();
    };
    for (const type of ["pointerup", "pointercancel", "pointermove", "blur"])
      window.addEventListener(type, this.release, true);
    this.observer = new ResizeObserver(() => {
      if (this.header && this.root.clientWidth !== this.wide) this.ask("figure");
    });
    this.observer.observe(this.root);
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.again);
    this.observer.disconnect();
    this.follower.end();
    for (const type of ["pointerup", "pointercancel", "pointermove", "blur"])
      window.removeEventListener(type, this.release, true);
    this.Plotly?.purge(this.plot);
    this.root.remove();
  }
}
