// A cell of the table of runs: what stands in it, and how it differs from the baseline's.
import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { MISSING, delta, duration, exact, number, shortId, time } from "../format.js";
import { html } from "../html.js";
import { Status } from "../parts/states.js";
import { preferences } from "../preferences.js";
import { now } from "./clock.js";

const FATES = { deleted: "deleted", left: "does not match any more" };

/**
 * A cell. base: the baseline's values, or null.
 * tabIndex: of what in the cell can be reached. isWritten: whether it is to have its text now.
 * @param {import("./columns.js").Column} column @param {import("./rows.js").Row} row @param {object | null} base
 * @param {number} tabIndex @param {boolean} [isWritten]
 */
export function cellOf(column, row, base, tabIndex, isWritten = true) {
  if (!isWritten) return html`<td role="cell" class=${column.align}></td>`;
  const value = row.values[column.name];
  const style = column.left === null ? undefined : { left: `${column.left}px` };
  const place = column.left === null ? "" : " stays";
  if (column.name === "run_name") return nameOf(row, style, tabIndex);
  if (column.isMetric) {
    return html`<td role="cell" class=${`number${place}`} style=${style} title=${exact(value)}>
      ${number(value)}${base && differenceOf(column, value, base[column.name], base === row.values)}
    </td>`;
  }
  return html`<td role="cell" class=${column.align + place} style=${style} title=${titleOf(column, value)}>
    ${contentOf(column, value, row)}
  </td>`;
}

/** What a cell says, as a text: on the screen and in copies. */
export function textOf(column, value) {
  if (column.isMetric) return number(value);
  if (value === undefined || value === null) return MISSING;
  if (column.isTime) return time(value, preferences.value.isUtc);
  return column.name === "duration" ? duration(value) : String(value);
}

/** Whether a value of a metric is better than the baseline's: true, false, or null where nobody can say. */
export function isBetter(direction, value, base) {
  if (direction === "none" || direction === null || value === base) return null;
  if (direction === "closest_to_zero") {
    return Math.abs(value) === Math.abs(base) ? null : Math.abs(value) < Math.abs(base);
  }
  return direction === "min" ? value < base : value > base;
}

function nameOf({ id, values, fate }, style, tabIndex) {
  return html`<th role="rowheader" scope="row" class="name stays" style=${style}>
    <a href=${`run?id=${encodeURIComponent(id)}`} title=${values.run_name} tabindex=${tabIndex}
      ><bdi>${values.run_name || "(no name)"}</bdi></a>
    <code>${shortId(id)}</code>${fate && html` <em>${FATES[fate]}</em>`}
  </th>`;
}

function contentOf(column, value, row) {
  if (column.name === "status") return value ? html`<${Status} status=${value} />` : MISSING;
  if (column.name === "duration" && value === undefined && row.values.status === "RUNNING") {
    return html`<${Ticking} since=${row.values.start_time} />`;
  }
  return textOf(column, value);
}

function titleOf(column, value) {
  return column.isTime || column.name === "status" || value === undefined ? undefined : exact(value);
}

function differenceOf({ direction }, value, base, isBase) {
  if (typeof value !== "number" || typeof base !== "number") return html`<span class="delta"></span>`;
  if (isBase) return html`<span class="delta">baseline</span>`;
  const better = isBetter(direction, value, base);
  const verdict = better === null ? "" : better ? " better" : " worse";
  const sign = value === base ? "" : value > base ? "▲" : "▼";
  return html`<span class=${`delta${verdict}`}>
    <span aria-hidden="true">${sign}</span>${delta(value - base)}<span class="visually-hidden">${verdict || " against the baseline"}</span>
  </span>`;
}

/** The time since a run has started. Only its text changes, each second. */
function Ticking({ since }) {
  const text = useMemo(() => computed(() => duration(Math.max(0, Math.floor((now.value - since) / 1000) * 1000))), [since]);
  return html`<span class="ticking">${text}</span>`;
}
