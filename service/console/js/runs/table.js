// The table of runs: as many rows in the document as the screen shows, and some around them.
import { useLayoutEffect, useRef } from "preact/hooks";
import { count } from "../format.js";
import { html } from "../html.js";
import { cellOf } from "./cells.js";
import { CHECK } from "./columns.js";
import { Head } from "./head.js";
import { ROW } from "./window.js";

const HEAD = 42; // px, as in the style sheet
const UNREAD = 20; // places that are shown before it is known how many there are

/**
 * @param {{rows: object, top: Array<object>, columns: Array<object>, state: object, shown: object,
 *   actions: object}} props
 *   rows: Rows. top: rows that stand above the others, whatever the order. state: the view's. shown: the window on
 *   the rows. actions: what the reader does
 */
export function Table({ rows, top, columns, state, shown, actions }) {
  const region = useRef(null);
  useLayoutEffect(() => shown.watch(region.current), []);
  const width = columns.reduce((sum, column) => sum + column.width, CHECK);
  shown.above = HEAD + top.length * ROW;
  return html`
    <div
      ref=${region}
      class="runs-region"
      role="region"
      aria-labelledby="runs-caption"
      tabindex="0"
      onScroll=${() => {
        shown.look();
        actions.scrolled();
      }}
      onKeyDown=${actions.pressed}
    >
      <table
        class="runs-table"
        style=${{ width: `${width}px` }}
        aria-rowcount=${rows.total.value === null ? -1 : rows.total.value + top.length + 1}
        onClick=${actions.clicked}
      >
        <caption id="runs-caption" class="visually-hidden">Runs</caption>
        <colgroup>
          <col style=${{ width: `${CHECK}px` }} />
          ${columns.map(({ name, width: wide }) => html`<col key=${name} style=${{ width: `${wide}px` }} />`)}
        </colgroup>
        <${Head} columns=${columns} sort=${state.sort} onSort=${actions.sort} />
        ${top.length > 0 && html`<${Top} rows=${top} columns=${columns} state=${state} base=${baseOf(rows, top, state)} />`}
        <${Body}
          rows=${rows}
          above=${top.length}
          columns=${columns}
          selected=${state.sel}
          baseId=${state.base}
          base=${baseOf(rows, top, state)}
          shown=${shown}
          region=${region}
          active=${actions.active}
        />
      </table>
    </div>
  `;
}

/** The baseline and the selected runs, which stay below the head. */
function Top({ rows, columns, state, base }) {
  return html`<tbody class="top">
    ${rows.map(
      (row, place) => html`<${RunRow}
        key=${row.id}
        row=${row}
        rowIndex=${place + 2}
        top=${HEAD + place * ROW}
        columns=${columns}
        base=${base}
        isBase=${row.id === state.base}
        isSelected=${state.sel.includes(row.id)}
        isActive=${false}
      />`,
    )}
  </tbody>`;
}

function Body({ rows, above, columns, selected, baseId, base, shown, region, active }) {
  // The rows at the places may be others now; and before there is one, there are places for some.
  const extent = rows.revision.value ? rows.extent.value : UNREAD;
  const first = Math.min(shown.first.value, Math.max(0, extent - shown.size.value));
  const last = Math.min(extent, first + shown.size.value);
  const chosen = new Set(selected);
  const { place: current, isToFocus } = active.value;
  useLayoutEffect(() => {
    if (isToFocus) region.current?.querySelector("tr[data-active] a")?.focus({ preventScroll: true });
  }, [active.value]);
  const places = Array.from({ length: last - first }, (_, number) => first + number);
  return html`<tbody>
    ${first > 0 && html`<tr key="before" aria-hidden="true" style=${{ height: `${first * ROW}px` }}></tr>`}
    ${places.map((place) => {
      const row = rows.at(place);
      if (!row) return html`<tr key=${place} class="unread" aria-rowindex=${above + place + 2}><td colspan=${columns.length + 1}></td></tr>`;
      return html`<${RunRow}
        key=${place}
        row=${row}
        place=${place}
        rowIndex=${above + place + 2}
        columns=${columns}
        base=${base}
        isBase=${row.id === baseId}
        isSelected=${chosen.has(row.id)}
        isActive=${place === current}
      />`;
    })}
    ${last < extent && html`<tr key="after" aria-hidden="true" style=${{ height: `${(extent - last) * ROW}px` }}></tr>`}
    ${extent < (rows.total.value ?? 0) &&
    html`<tr key="more" class="more"><td colspan=${columns.length + 1}>${count(rows.total.value - extent)} more are read when you scroll on</td></tr>`}
  </tbody>`;
}

// It reads a signal, so it is drawn anew only where that or one of its props has changed.
function RunRow({ row, place, rowIndex, top, columns, base, isBase, isSelected, isActive }) {
  row.version.value;
  const reached = isActive ? 0 : -1;
  return html`<tr
    aria-rowindex=${rowIndex}
    data-place=${place}
    data-id=${row.id}
    data-selected=${isSelected || undefined}
    data-active=${isActive || undefined}
    data-base=${isBase || undefined}
    data-fate=${row.fate || undefined}
    style=${top === undefined ? undefined : { "--top": `${top}px` }}
  >
    <td class="check stays">
      <label><input type="checkbox" checked=${isSelected} tabindex=${reached} aria-label=${`Select ${row.values.run_name || row.id}`} /></label>
    </td>
    ${columns.map((column) => cellOf(column, row, isBase && base ? row.values : base, reached))}
  </tr>`;
}

function baseOf(rows, top, { base }) {
  if (!base) return null;
  return (top.find((row) => row.id === base) ?? rows.at(rows.placeOf(base)))?.values ?? null;
}
