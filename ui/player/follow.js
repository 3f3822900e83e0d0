// What stands elsewhere on the page and follows the player: a row of Streamlit's numbers, and a mark
// on its curves. Joined to view.js when it is served.
// Their elements are Streamlit's: attributes and a line are added, which it does not know of, and
// where the page is not as expected nothing happens.

const NUMBER = '[data-testid="stMetric"]', VALUE = '[data-testid="stMetricValue"]';
const NAME = '[data-testid="stMetricLabel"] p', CURVE = '[data-testid="stVegaLiteChart"]';
const HOLDER = '[data-testid="stElementContainer"]', PLOT = "svg .root > g > path.background";
const SAID = 2, PAUSE = 700; // numbers that are read out, and ms after which they are

class Follower {
  constructor(view) {
    Object.assign(this, { view, numbers: [], ends: [], marks: new Map() });
    const page = view.root.closest('[data-testid="stMain"]') ?? document.body;
    this.changes = new MutationObserver((records) => { // a rerun builds numbers and curves anew
      if (records.some(({ target }) => !view.root.contains(target))) this.ask();
    });
    this.changes.observe(page, { childList: true, subtree: true, characterData: true });
    this.sizes = new ResizeObserver(() => this.ask());
  }

  ask() {
    this.asked ??= requestAnimationFrame(() => { this.asked = undefined; this.show(); });
  }

  show() {
    const { header, index, frames, gone } = this.view;
    if (!header || gone) return;
    const { follow, live } = header, end = index === frames - 1;
    const before = new Set(this.numbers.concat(this.ends));
    const { numbers } = follow ?? {}; // the first of them stands apart
    this.numbers = [...within(numbers, NUMBER), ...within(numbers && `${numbers}-more`, NUMBER)];
    for (const number of this.numbers) {
      const now = end ? undefined : follow.scores[number.querySelector(NAME)?.textContent]?.[index];
      flag(number.querySelector(VALUE), "lvNow", now ?? undefined);
      flag(number.querySelector(VALUE), "lvEnd", end || now ? undefined : "at the end");
      before.delete(number);
    }
    this.ends = end ? [] : (follow?.ends ?? []).flatMap((key) => within(key));
    for (const place of this.ends) {
      flag(place, "lvEnd", "at the end");
      before.delete(place);
    }
    before.forEach(leave);
    this.mark(end && !live ? [] : within(follow?.curves, CURVE));
    this.say();
  }

  mark(charts) {
    const { steps, total } = this.view.header;
    for (const [chart, line] of this.marks) if (!charts.includes(chart)) {
      line.remove();
      this.sizes.unobserve(chart);
      this.marks.delete(chart);
    }
    for (const chart of charts) {
      const holder = chart.closest(HOLDER), plot = chart.querySelector(PLOT)?.getBoundingClientRect();
      if (!holder || !plot?.width) continue;
      if (!this.marks.has(chart)) {
        this.marks.set(chart, Object.assign(document.createElement("div"), { className: "lv-mark" }));
        this.sizes.observe(chart);
      }
      const line = this.marks.get(chart), { left, top } = holder.getBoundingClientRect();
      if (line.parentElement !== holder) holder.append(line);
      const x = plot.left - left + (plot.width * steps[this.view.index]) / Math.max(1, total);
      Object.assign(line.style, { left: `${x}px`, top: `${plot.top - top}px`, height: `${plot.height}px` });
    }
  }

  say() { // to who cannot see them, once the player rests
    const { view } = this, place = `${view.run} ${view.index}`, rests = !view.header.live && !view.playing;
    this.place ??= place;
    if (place === this.waits && rests) return;
    clearTimeout(this.late);
    this.waits = rests && place !== this.place ? place : undefined;
    if (this.waits) this.late = setTimeout(() => {
      [this.place, this.waits] = [place, undefined];
      const words = this.numbers.slice(0, SAID).map((number) => {
        const { dataset, textContent } = number.querySelector(VALUE) ?? { dataset: {} };
        return `${number.querySelector(NAME)?.textContent} ${dataset.lvNow ?? textContent}`;
      });
      view.said.textContent = [view.step.textContent, ...words].join(", ");
    }, PAUSE);
  }

  end() {
    this.changes.disconnect();
    this.sizes.disconnect();
    cancelAnimationFrame(this.asked);
    clearTimeout(this.late);
    this.numbers.concat(this.ends).forEach(leave);
    this.marks.forEach((line) => line.remove());
  }
}

function within(key, selector = "") { // as Streamlit makes a class of a container's key
  if (!key) return [];
  const name = `st-key-${key.trim().replace(/[^a-zA-Z0-9_-]/g, "-")}`;
  return [...document.querySelectorAll(`.${CSS.escape(name)} ${selector}`.trim())];
}

function flag(element, name, value) {
  if (value === undefined) delete element?.dataset[name];
  else if (element) element.dataset[name] = value;
}

function leave(place) {
  for (const name of ["lvNow", "lvEnd"]) flag(place.querySelector(VALUE) ?? place, name);
}
