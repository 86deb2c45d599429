// A table of many rows and columns in a region that scrolls: only what is seen is in the document.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { offsetsOf, seenOf } from "./window.js";

const AROUND = 4; // rows and columns on each side of what is seen
const SMALL = 1500; // cells that are drawn as a whole: they can be found by the browser, and printed
const NARROWEST = 110; // px of the first column

// In place of the columns that are out of sight.
const Space = () => html`<td class="space" aria-hidden="true"></td>`;

/**
 * @param {{
 *   label: string, rows: Array<{key: string, size: number}>, columns: Array<{key: string, size: number}>,
 *   headWidth: number, corner: any, columnHead: (column: any, at?: number) => any, row: (row: any, cells: any) => any,
 *   cell: (row: any, column: any, at?: number) => any,
 * }} props
 *   size: px, which a row or a column has whatever is in it. columnHead: a <th>. row: what is in the <tr>; it gets its
 *   cells, or puts something else across all columns. cell: a <td>.
 *   at: the place of the column, counted from 1 with the first one, where not all columns are in the document.
 */
export function Grid({ label, rows, columns, headWidth, corner, columnHead, row, cell }) {
  const region = useRef(null);
  const [box, setBox] = useState({ left: 0, top: 0, width: 1200, height: 800 });
  const measure = () => {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = region.current;
    const next = { left: scrollLeft, top: scrollTop, width: clientWidth, height: clientHeight };
    setBox((old) => (sameWindow(old, next) ? old : next));
  };
  useLayoutEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(region.current);
    return () => observer.disconnect();
  }, []);
  const down = useMemo(() => offsetsOf(rows), [rows]);
  const across = useMemo(() => offsetsOf(columns), [columns]);
  const first = Math.max(NARROWEST, Math.min(headWidth, Math.floor(box.width * 0.38)));
  const isSmall = rows.length * columns.length <= SMALL;
  const [top, bottom] = isSmall ? [0, rows.length] : seenOf(down, box.top, box.height, AROUND);
  const [left, right] = isSmall ? [0, columns.length] : seenOf(across, box.left, box.width - first, AROUND);
  const shown = columns.slice(left, right);
  const [before, behind] = [across[left], across.at(-1) - across[right]];
  const span = 1 + shown.length + (before ? 1 : 0) + (behind ? 1 : 0);
  const placeOf = (index) => (isSmall ? undefined : left + index + 2);
  const cellsOf = (one) => html`
    ${before > 0 && html`<${Space} />`}
    ${shown.map((column, index) => cell(one, column, placeOf(index)))}
    ${behind > 0 && html`<${Space} />`}
  `;
  return html`
    <div
      ref=${region}
      class="sheet"
      tabindex="0"
      role="region"
      aria-label=${label}
      onScroll=${measure}
      style=${{ scrollPaddingLeft: `${first}px` }}
    >
      <table aria-rowcount=${rows.length + 1} aria-colcount=${columns.length + 1} style=${{ width: `${first + across.at(-1)}px` }}>
        <caption class="visually-hidden">${label}</caption>
        <colgroup>
          <col style=${{ width: `${first}px` }} />
          ${before > 0 && html`<col style=${{ width: `${before}px` }} />`}
          ${shown.map(({ key, size }) => html`<col key=${key} style=${{ width: `${size}px` }} />`)}
          ${behind > 0 && html`<col style=${{ width: `${behind}px` }} />`}
        </colgroup>
        <thead>
          <tr aria-rowindex="1">
            <th scope="col" class="corner">${corner}</th>
            ${before > 0 && html`<${Space} />`}
            ${shown.map((column, index) => columnHead(column, placeOf(index)))}
            ${behind > 0 && html`<${Space} />`}
          </tr>
        </thead>
        <tbody>
          ${down[top] > 0 && html`<tr class="space"><td aria-hidden="true" colspan=${span} style=${{ height: `${down[top]}px` }}></td></tr>`}
          ${rows.slice(top, bottom).map(
            (one, index) => html`<tr key=${one.key} class=${one.look} aria-rowindex=${top + index + 2} style=${{ height: `${one.size}px` }}>
              ${row(one, cellsOf, span)}
            </tr>`,
          )}
          ${down.at(-1) > down[bottom] &&
          html`<tr class="space"><td aria-hidden="true" colspan=${span} style=${{ height: `${down.at(-1) - down[bottom]}px` }}></td></tr>`}
        </tbody>
      </table>
    </div>
  `;
}

// Some pixels of scrolling show what is drawn already.
function sameWindow(old, next) {
  const near = (a, b) => Math.abs(a - b) < 40;
  return near(old.left, next.left) && near(old.top, next.top) && old.width === next.width && old.height === next.height;
}
