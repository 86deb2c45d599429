// What a sheet of paper says above the table of runs: which runs of how many, of when, and where they are from.
import { useEffect, useRef } from "preact/hooks";
import { filterOf } from "../filter/choices.js";
import { count, time, zone } from "../format.js";
import { html } from "../html.js";
import { preferences } from "../preferences.js";

/** @param {{rows: object, state: object}} props state: of the view */
export function Printed({ rows, state }) {
  const extent = useRef(null);
  const meta = rows.meta.value;
  const { isUtc } = preferences.value;
  const at = meta ? meta.receivedAt - meta.age * 1000 : null;
  const total = rows.total.value;
  useEffect(() => {
    // Only then is it known which rows are in the document; the browser waits for no drawing.
    const say = () => {
      const places = [...document.querySelectorAll(".runs-region tr[data-place]")].map((one) => Number(one.dataset.place) + 1);
      extent.current.textContent = textOf(Math.min(...places), Math.max(...places), total);
    };
    addEventListener("beforeprint", say);
    return () => removeEventListener("beforeprint", say);
  }, [total]);
  const filter = filterOf(state);
  return html`<header class="runs-printed">
    <p><strong>Runs</strong></p>
    ${filter && html`<p>Filter: <code>${filter}</code></p>`}
    <p><span ref=${extent}></span> Data of ${time(at, isUtc)} ${zone(isUtc)}.</p>
    <p>${location.href}</p>
  </header>`;
}

/** Which rows are on paper. Pure. @param {number} first from 1 @param {number} last @param {number | null} total */
export function textOf(first, last, total) {
  if (!Number.isFinite(first)) return "No runs.";
  if (first === 1 && last === total) return `${count(total)} ${total === 1 ? "run" : "runs"}.`;
  return `Rows ${count(first)} to ${count(last)}${total === null ? "" : ` of ${count(total)}`}: those around the screen. Copy has all of them.`;
}
