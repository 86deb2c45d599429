// The colours of a chart, as its style sheet has them now, and word of when they change.
import { effect } from "@preact/signals";
import { html } from "../html.js";
import { preferences } from "../preferences.js";

const NAMES = ["text", "muted", "grid", "line-1", "line-2", "line-3", "line-4"];
const FORCED = "(forced-colors: active)";
const QUERIES = ["(prefers-color-scheme: dark)", FORCED, "print"];

/** What `coloursIn` reads the colours from; for the inside of an element of class "chart". */
export function Palette() {
  return html`<span class="palette" hidden>${NAMES.map((name) => html`<i class=${name}></i>`)}</span>`;
}

/**
 * The colours by their names: text, muted, grid, line-1 to line-4. isPlain: a reader's own colours are in force,
 * and lines have but one.
 * @param {Element} chart which holds a Palette
 */
export function coloursIn(chart) {
  const read = (name) => getComputedStyle(chart.querySelector(`.palette .${name}`)).color;
  return { ...Object.fromEntries(NAMES.map((name) => [name, read(name)])), isPlain: hasOwnColours() };
}

/** Whether the reader's own colours are in force. */
export function hasOwnColours() {
  return matchMedia(FORCED).matches;
}

/**
 * Call back whenever the colours may have changed, which is so for print, too.
 * @param {() => void} changed @returns {() => void} which ends it
 */
export function onColours(changed) {
  const lists = QUERIES.map((query) => matchMedia(query));
  for (const list of lists) list.addEventListener("change", changed);
  let isFirst = true;
  const end = effect(() => {
    preferences.value; // the effect runs again when this changes
    if (!isFirst) changed();
    isFirst = false;
  });
  return () => {
    end();
    for (const list of lists) list.removeEventListener("change", changed);
  };
}
