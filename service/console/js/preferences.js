// What a reader has chosen for all pages. It is kept in this browser; the address has none of it.
import { effect, signal } from "@preact/signals";

const KEPT = "experiment-tracking.preferences";
const INITIAL = { theme: "system", isUtc: false, shortcuts: true, colours: "blue-orange" };

/** theme: system, light or dark. colours: blue-orange or green-red. */
export const preferences = signal({ ...INITIAL, ...stored() });

/** Change some of them. */
export function prefer(changes) {
  preferences.value = { ...preferences.value, ...changes };
}

effect(() => {
  const { theme, colours } = preferences.value;
  const root = document.documentElement;
  root.dataset.theme = theme;
  root.dataset.colours = colours;
  try {
    localStorage.setItem(KEPT, JSON.stringify(preferences.value));
  } catch {
    // A browser may forbid it; then they last as long as the page.
  }
});

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
}
