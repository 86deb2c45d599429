// The table of runs: as many rows in the document as the screen shows, and some around them.
import { useComputed } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { count } from "../format.js";
import { html } from "../html.js";
import { cellOf } from "./cells.js";
import { CHECK } from "./columns.js";
import { Head } from "./head.js";
import { ROW, placeOf, slotsOf } from "./window.js";

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
  shown.fixed = columns.reduce((sum, { left, width: wide }) => sum + (left === null ? 0 : wide), CHECK);
  return html`
    <div
      ref=${region}
      class="runs-region"
      data-moving=${shown.isMoving}
      role="region"
      aria-labelledby="runs-caption"
      tabindex="0"
      onScroll=${() => {
        shown.scrolled();
        actions.scrolled();
      }}
      onKeyDown=${actions.pressed}
    >
      <table
        role="table"
        class="runs-table"
        style=${{ width: `${width}px`, "--columns": widthsOf(columns) }}
        aria-labelledby="runs-caption"
        aria-rowcount=${rows.total.value === null ? -1 : rows.total.value + top.length + 1}
        onClick=${actions.clicked}
      >
        <caption id="runs-caption" class="visually-hidden">Runs</caption>
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
  return html`<tbody role="rowgroup" class="top">
    ${rows.map(
      (row, place) => html`<${RunRow}
        key=${row.id}
        row=${row}
        rowIndex=${place + 2}
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
  const extent = useComputed(() => (rows.revision.value ? rows.extent.value : UNREAD));
  const first = useComputed(() => shown.firstOf(extent.value));
  const settled = Math.min(shown.settled.value, first.peek());
  const { place: current, isToFocus } = active.value;
  const chosen = new Set(selected);
  const focused = document.activeElement;
  useLayoutEffect(() => {
    if (isToFocus) region.current?.querySelector("tr[data-active] a")?.focus({ preventScroll: true });
  }, [active.value]);
  useLayoutEffect(() => keepFocus(region.current, focused, current), [settled]);
  const shared = { extent, first, rows, above, columns, chosen, current, baseId, base, shown, region };
  return html`<tbody role="rowgroup" class="rows" style=${{ height: `${extent.value * ROW}px` }}>
      ${slotsOf(shown.size.value, settled).map(
        (slot) => html`<${Slot} key=${slot} slot=${slot} revision=${rows.revision.value} ...${shared} />`,
      )}
    </tbody>
    ${extent.value < (rows.total.value ?? 0) &&
    html`<tbody role="rowgroup" class="more">
      <tr role="row"><td role="cell">${count(rows.total.value - extent.value)} more are read when you scroll on</td></tr>
    </tbody>`}`;
}

// The element of a place for as long as that is in the window. It draws itself when it gets another one, so that
// scrolling draws the rows that come into the window, and nothing else.
function Slot({ slot, extent, first, rows, above, columns, chosen, current, baseId, base, shown, region }) {
  const place = useComputed(() => placeOf(slot, first.value, shown.size.value)).value;
  const drawn = useRef(null);
  useLayoutEffect(() => keepFocus(region.current, document.activeElement, current), [place]);
  if (place >= extent.value) return null;
  if (shown.isLater(place)) return drawn.current;
  const row = rows.at(place);
  const rowIndex = above + place + 2;
  drawn.current = row
    ? html`<${RunRow}
        row=${row}
        place=${place}
        rowIndex=${rowIndex}
        columns=${columns}
        base=${base}
        isBase=${row.id === baseId}
        isSelected=${chosen.has(row.id)}
        isActive=${place === current}
        shown=${shown}
      />`
    : html`<tr role="row" class="unread" aria-rowindex=${rowIndex} style=${styleOf(place)}><td role="cell"></td></tr>`;
  return drawn.current;
}

// It reads signals, so it is drawn anew only where these or one of its props have changed.
function RunRow({ row, place, rowIndex, columns, base, isBase, isSelected, isActive, shown }) {
  row.version.value;
  const isInSight = shown?.sight() ?? (() => true);
  const reached = isActive ? 0 : -1;
  return html`<tr
    role="row"
    aria-rowindex=${rowIndex}
    data-place=${place}
    data-id=${row.id}
    data-selected=${isSelected || undefined}
    data-active=${isActive || undefined}
    data-base=${isBase || undefined}
    data-fate=${row.fate || undefined}
    style=${place === undefined ? undefined : styleOf(place)}
  >
    <td role="cell" class="check stays">
      <label><input type="checkbox" checked=${isSelected} tabindex=${reached} aria-label=${`Select ${row.values.run_name || row.id}`} /></label>
    </td>
    ${columns.map((column) => cellOf(column, row, isBase && base ? row.values : base, reached, isInSight(column)))}
  </tr>`;
}

// An element that is moved in the document loses the focus. One that shows another run now has to give it away.
function keepFocus(region, focused, current) {
  const isRight = (element) => {
    const tr = element.closest("tbody.rows tr");
    return region.contains(element) && (tr === null || tr.dataset.place === String(current));
  };
  if (!region?.contains(focused) || isRight(document.activeElement)) return;
  (isRight(focused) ? focused : region).focus({ preventScroll: true });
}

function styleOf(place) {
  return { transform: `translateY(${place * ROW}px)` };
}

// As grid-template-columns has them.
function widthsOf(columns) {
  return [CHECK, ...columns.map((column) => column.width)].map((px) => `${px}px`).join(" ");
}

function baseOf(rows, top, { base }) {
  if (!base) return null;
  return (top.find((row) => row.id === base) ?? rows.at(rows.placeOf(base)))?.values ?? null;
}
