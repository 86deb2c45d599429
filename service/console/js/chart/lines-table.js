// The values of a chart as a table, some rows at a time.
import { useMemo, useState } from "preact/hooks";
import { MISSING, count, exact } from "../format.js";
import { html } from "../html.js";
import { aligned } from "./lines-data.js";

/** @typedef {import("./lines-data.js").Line} Line */

const ROWS = 50;

/**
 * @param {{title: string, series: Line[], range: [number, number], writtenX: (x: number) => string,
 *   format: (y: any) => string}} props
 */
export function ValueTable({ title, series, range: [from, to], writtenX, format }) {
  const [first, setFirst] = useState(0);
  const rows = useMemo(() => {
    const [xs, ...ys] = aligned(series, false);
    return xs.map((x, i) => [x, ...ys.map((values) => values[i])]).filter(([x]) => x >= from && x <= to);
  }, [series, from, to]);
  const start = Math.min(first, Math.max(0, rows.length - 1));
  const [number, last, all] = [Math.min(start + 1, rows.length), Math.min(start + ROWS, rows.length), rows.length].map(count);
  const end = Math.min(start + ROWS, rows.length);
  const isSampled = series.some(({ min }) => min);
  return html`
    <div class="values" role="region" aria-label=${`${title} as a table`} tabindex="0">
      <table>
        <caption>
          ${title}: rows ${count(Math.min(start + 1, end))} to ${count(end)} of ${count(rows.length)}
          ${isSampled && "; each is the last of several points, so zoom in for more"}
        </caption>
        <thead>
          <tr>
            <th scope="col">At</th>
            ${series.map(({ label }) => html`<th scope="col" class="number"><bdi>${label}</bdi></th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(start, end).map(
            ([x, ...values]) => html`<tr>
              <th scope="row">${writtenX(x)}</th>
              ${values.map((y) => html`<td class="number" title=${exact(y)}>${y === undefined ? MISSING : format(y)}</td>`)}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${rows.length > ROWS &&
    html`<p class="controls">
      <button type="button" disabled=${start === 0} onClick=${() => setFirst(Math.max(0, start - ROWS))}>Rows before</button>
      <button type="button" disabled=${end === rows.length} onClick=${() => setFirst(end)}>Rows after</button>
    </p>`}
  `;
}
