// The head of the table of runs: a button for each column, which sorts by it.
import { zone } from "../format.js";
import { html } from "../html.js";
import { preferences } from "../preferences.js";
import { directionOf, rankOf } from "./sorting.js";

const ARROWS = { ascending: "▲", descending: "▼", none: "" };

/** @param {{columns: Array<object>, sort: string[], onSort: (column: object, isFurther: boolean) => void}} props */
export function Head({ columns, sort, onSort }) {
  return html`<thead role="rowgroup">
    <tr role="row" aria-rowindex="1">
      <td role="cell" class="check stays"></td>
      ${columns.map((column) => headOf(column, sort, onSort))}
    </tr>
  </thead>`;
}

function headOf(column, sort, onSort) {
  const { name, label, kind, align, isTime, left } = column;
  const direction = directionOf(sort, name);
  const rank = sort.length > 1 ? rankOf(sort, name) : 0;
  const style = left === null ? undefined : { left: `${left}px` };
  return html`<th
    role="columnheader"
    scope="col"
    key=${name}
    class=${align + (left === null ? "" : " stays")}
    style=${style}
    aria-sort=${rank > 1 || direction === "none" ? undefined : direction}
  >
    <button type="button" title=${`${name}: sort; with Shift, as a further key`} onClick=${(event) => onSort(column, event.shiftKey)}>
      <span class="kind">${kind}</span>
      <span class="label">
        <bdi>${label}</bdi>${isTime && html` <span class="zone">${zone(preferences.value.isUtc)}</span>`}
        <span class="sorted" aria-hidden="true">${ARROWS[direction]}${rank || ""}</span>
      </span>
    </button>
  </th>`;
}
