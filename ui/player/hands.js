// Hands on a globe, joined to view.js when it is served: keys, wheel, mouse and fingers.

function zoom(view, factor) {
  view.state.zoom = Math.min(6, Math.max(0.5, view.state.zoom * factor));
  view.setCamera(view.state.camera);
  view.ask("figure"); // the outline follows
}

function turn(view, lon, lat) {
  const { x, y, z } = view.state.camera.eye;
  const r = Math.hypot(x, y, z), a = Math.atan2(y, x) + lon;
  const e = Math.min(1.5, Math.max(-1.5, Math.asin(z / r) + lat));
  const across = r * Math.cos(e);
  const eye = { x: across * Math.cos(a), y: across * Math.sin(a), z: r * Math.sin(e) };
  view.setCamera({ ...CAMERA, eye });
}

function listenHands(view) {
  const { plot } = view;
  const keys = { ArrowLeft: () => turn(view, -0.15, 0), ArrowRight: () => turn(view, 0.15, 0),
    ArrowUp: () => turn(view, 0, 0.15), ArrowDown: () => turn(view, 0, -0.15),
    "+": () => zoom(view, 1.15), "-": () => zoom(view, 1 / 1.15) };
  plot.onkeydown = (event) => {
    if (view.dims !== 3 || !keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
  };
  plot.addEventListener("wheel", (event) => { // a plain wheel scrolls the page: Plotly would keep it
    event.stopPropagation();
    if (!event.ctrlKey || view.dims !== 3) return;
    event.preventDefault();
    zoom(view, Math.exp(-event.deltaY / 300));
  }, { capture: true, passive: false });
  plot.addEventListener("mousemove", (event) => { // turning only: no panning off centre
    if (event.buttons > 1 || (event.buttons && (event.ctrlKey || event.shiftKey || event.altKey)))
      event.stopPropagation();
  }, true);
}

// One finger turns it, unless it swipes up or down, which the browser takes for the page (touch-action
// in view.css); two zoom.

const SLOP = 6; // px that a finger moves before it turns a globe

function listenTouch(view) {
  const { plot } = view, fingers = new Map(); // pointer -> [x, y]
  let turns = false; // or it is not yet known which way the one finger goes
  const apart = () => {
    const [[a, b], [c, d]] = [...fingers.values()];
    return Math.max(1, Math.hypot(a - c, b - d));
  };
  // Plotly would keep every touch from the page, and turn one globe alone.
  for (const type of ["touchstart", "touchmove", "touchend", "touchcancel"])
    plot.addEventListener(type, (event) => {
      event.stopPropagation();
      if (view.dims === 3 && event.touches.length > 1 && event.cancelable) event.preventDefault();
    }, { capture: true, passive: false });

  const onGlobe = ({ clientX, clientY }) => {
    const { left, top } = plot.getBoundingClientRect(), globes = view.header.chart ? 1 : 2;
    return view.cells?.slice(0, globes).some(({ x, y, w, h }) => clientX >= left + x &&
      clientX <= left + x + w && clientY >= top + y && clientY <= top + y + h);
  };
  plot.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" && view.dims === 3 && fingers.size < 2 && onGlobe(event))
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
    turns = false;
  }, true);
  plot.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId), now = [event.clientX, event.clientY];
    if (!before) return;
    const was = fingers.size > 1 && apart();
    turns ||= !was && Math.abs(now[0] - before[0]) > Math.max(SLOP, Math.abs(now[1] - before[1]));
    if (!was && !turns) return; // the browser may still take it for a swipe
    fingers.set(event.pointerId, now);
    if (was) zoom(view, apart() / was);
    else turn(view, (before[0] - now[0]) / view.outline(), (now[1] - before[1]) / view.outline());
  }, true);
  for (const type of ["pointerup", "pointercancel"])
    plot.addEventListener(type, ({ pointerId }) => fingers.delete(pointerId), true);
}
