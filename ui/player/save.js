// The picture as a file, joined to view.js when it is served.

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
