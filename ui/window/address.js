// One click is one step of history. Streamlit pushes an entry whenever it changes the address, which
// for one click may be twice: the page, then its settings. The first change after a gesture is a
// step; one that follows it, or that nobody asked for (a link put right), takes the entry's place.

export default function ({ parentElement }) {
  const place = parentElement.closest('[data-testid="stElementContainer"]');
  if (place) place.style.display = "none";
  if (window.explorerHistory) return;
  window.explorerHistory = true;
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  let asked = false;
  const gesture = () => { asked = true; };
  for (const type of ["pointerdown", "keydown"]) addEventListener(type, gesture, true);
  addEventListener("popstate", () => { asked = false; }, true);
  history.pushState = (...entry) => {
    (asked ? push : replace)(...entry);
    asked = false;
  };
}
