// The drawing library, the element's parts, and the picture as a file; joined to view.js when it is
// served.

function source() { // beside Streamlit's own scripts, so that it is found under any base path
  const own = document.querySelector('script[src*="static/js/"]')?.src ?? document.baseURI;
  return new URL("app/static/plotly.min.js", own.replace(/static\/js\/[^/]*$/, "")).href;
}

function library() { // a promise of its address, where the server sends it as text
  if (!window.latentViewLibrary) {
    let arrive;
    const address = new Promise((resolve) => { arrive = resolve; });
    window.latentViewLibrary = { address, take: (text) => arrive(
      URL.createObjectURL(new Blob([text], { type: "text/javascript" }))) };
  }
  return window.latentViewLibrary;
}

function fetchAhead() { // without running it, which would hold up the page's text
  window.latentViewLink ??= document.head.appendChild(Object.assign(
    document.createElement("link"), { rel: "preload", as: "script", href: source() }));
}

function loadPlotly(sent) {
  const run = (src) => new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { window.latentViewPlotly = undefined; reject(new Error(src)); };
    document.head.append(script);
  });
  return (window.latentViewPlotly ??= quiet().then(() => (sent ? library().address : source())).then(run));
}

function quiet() { // until the page's text is there: running the library and drawing hold it up
  return new Promise((resolve) => {
    let calm;
    const end = () => {
      observer.disconnect();
      clearTimeout(late);
      requestAnimationFrame(() => requestAnimationFrame(resolve)); // and has been painted
    };
    const loading = () => document.querySelector('[data-testid="stSkeleton"]');
    const settled = () => (loading() ? wait() : end());
    const wait = () => { clearTimeout(calm); calm = setTimeout(settled, QUIET); };
    const observer = new MutationObserver(wait), late = setTimeout(end, LATE);
    observer.observe(document.body, { childList: true, subtree: true });
    wait();
  });
}

const ICONS = {
  back: '<svg viewBox="0 0 16 16"><path d="M3 3h2v10H3zM13 3v10L6 8z"/></svg>',
  play: '<svg viewBox="0 0 16 16"><path d="M4 2.5v11L13.5 8z"/></svg>',
  pause: '<svg viewBox="0 0 16 16"><path d="M4 3h3v10H4zM9 3h3v10H9z"/></svg>',
  forth: '<svg viewBox="0 0 16 16"><path d="M11 3h2v10h-2zM3 3v10l7-5z"/></svg>',
};

function build(parent) {
  const root = document.createElement("div");
  root.className = "lv";
  root.dataset.testid = "latent-view";
  root.innerHTML = `
    <div class="lv-plot" data-part="plot" role="img" tabindex="0"></div>
    <canvas class="lv-sketch" data-part="canvas" aria-hidden="true"></canvas>
    <div class="lv-failed" data-part="failed"></div>
    <div class="lv-flag" data-part="flag">another setting</div>
    <div class="lv-bar">
      <div class="lv-player">
        <span data-part="controls" style="display: contents">
          <button type="button" data-part="back" aria-label="Step back">${ICONS.back}</button>
          <button type="button" data-part="play" class="lv-play">${ICONS.play}</button>
          <button type="button" data-part="forth" aria-label="Step forward">${ICONS.forth}</button>
          <input type="range" data-part="slider" min="0" step="1">
        </span>
        <span class="lv-step" data-part="step"></span>
        <span class="lv-said" data-part="said" aria-live="polite"></span>
      </div>
      <div class="lv-toggles">
        <button type="button" data-part="whiskers" title="lines from each recovered point to its truth">whiskers</button>
        <button type="button" data-part="pairs" title="arcs from a few points to their positives">pairs</button>
        <button type="button" data-part="slow" title="two frames a second">slow</button>
        <button type="button" data-part="reset" title="turn and size as at first">reset view</button>
      </div>
    </div>
    <p class="lv-note" data-part="note" tabindex="0"></p>`;
  parent.append(root);
  return root;
}

function palette(element) { // mixtures of the theme's text and background, opaque for WebGL
  const css = getComputedStyle(element);
  const pen = document.createElement("canvas").getContext("2d");
  const read = (name, otherwise) => {
    pen.fillStyle = css.getPropertyValue(name).trim() || otherwise;
    const seen = pen.fillStyle; // "#rrggbb", or "rgba(r, g, b, a)"
    return seen[0] === "#" ? [1, 3, 5].map((i) => parseInt(seen.slice(i, i + 2), 16))
      : seen.match(/[\d.]+/g).slice(0, 3).map(Number);
  };
  const page = read("--st-background-color", "#ffffff"), ink = read("--st-text-color", "#31333f");
  const mix = (t) => `rgb(${page.map((v, i) => Math.round(v + t * (ink[i] - v))).join(",")})`;
  const dark = page[1] < 128;
  return { dark, page: mix(0), ink: mix(0.92), ring: mix(0.4), net: mix(dark ? 0.42 : 0.36),
    bold: mix(0.7), ball: mix(dark ? 0.2 : 0.1), whisker: mix(0.5), pair: mix(0.6), label: mix(0.6) };
}

async function save(view) { // Plotly's own export garbles the second of two scenes
  const { wide, tall, cells, palette: p } = view, scale = Math.max(1, devicePixelRatio);
  const canvas = Object.assign(document.createElement("canvas"),
    { width: wide * scale, height: tall * scale });
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  Object.assign(pen, { fillStyle: p.page, strokeStyle: p.ring, textAlign: "center",
    textBaseline: "middle", font: `${wide < NARROW ? 12 : 14}px ${getComputedStyle(view.root).fontFamily}` });
  pen.fillRect(0, 0, wide, tall);
  pen.fillStyle = p.ink;
  const { chart, scale: legend, titles } = view.header, plain = !chart && !legend && !/[<&]/.test(titles);
  const flat = plain ? undefined : await drawn2d(view, scale);
  if (flat) pen.drawImage(flat, 0, 0, wide, tall);
  view.scenes().forEach(({ glplot }, side) => {
    const { x, y, w, h } = cells[side];
    if (!flat) {
      pen.fillText(view.header.titles[side], x + w / 2, y - TITLE / 2);
      pen.beginPath();
      pen.arc(x + w / 2, y + h / 2, view.outline(), 0, 2 * Math.PI);
      pen.stroke();
    }
    glplot.redraw(); // its pixels last until the end of this task only
    pen.drawImage(glplot.canvas, x, y, w, h);
  });
  Object.assign(document.createElement("a"), { href: canvas.toDataURL(), download: "latents.png" }).click();
}

async function drawn2d(view, scale) { // all but the globes, as an image
  const flat = (trace) => !trace.scene, clear = "rgba(0,0,0,0)";
  const keep = Object.entries(view.layout()).filter(([name]) => !name.startsWith("scene"));
  const figure = { data: view.plot.data.filter(flat),
    layout: { ...Object.fromEntries(keep), paper_bgcolor: clear } };
  const { wide: width, tall: height } = view;
  const image = new Image();
  image.src = await view.Plotly.toImage(figure, { format: "png", width, height, scale });
  await image.decode();
  return image;
}
